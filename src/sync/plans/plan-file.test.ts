import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../testing/folder.ts'
import { writePlanFile } from './plan-file.ts'

/** No process has it. */
const deadPid = 2 ** 30

describe('a plan file', () => {
  it('is for nobody but the one who asked, before and after it is complete', async () => {
    using folder = temporaryFolder()
    await using writer = await writePlanFile(folder.file('plan.ndjson'))
    for (const name of readdirSync(folder.path)) expect(statSync(folder.file(name)).mode & 0o777).toBe(0o600)
    await writer.flush()
    expect(readdirSync(folder.path)).toEqual([`plan.ndjson.new-${process.pid}`])
  })

  it('that was not finished when its process ended is removed by the next one of that name', async () => {
    using folder = temporaryFolder()
    const left = `plan.ndjson.new-${deadPid}`
    writeFileSync(folder.file(left), 'half')
    writeFileSync(folder.file(`plan.ndjson.new-${process.ppid}`), 'of a process that lives')
    writeFileSync(folder.file(`other.ndjson.new-${deadPid}`), 'of another name')
    {
      await using _ = await writePlanFile(folder.file('plan.ndjson'))
    }
    expect(readdirSync(folder.path).toSorted()).toEqual(
      [`other.ndjson.new-${deadPid}`, `plan.ndjson.new-${process.ppid}`].toSorted(),
    )
    expect(readFileSync(folder.file(`plan.ndjson.new-${process.ppid}`), 'utf8')).toBe(
      'of a process that lives',
    )
  })
})
