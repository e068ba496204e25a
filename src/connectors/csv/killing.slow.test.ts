import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { settingOf } from '../kit/write.ts'
import { objectsOf, temporaryCsv } from './testing/temporary.ts'

describe('a process that is killed while it writes', () => {
  it('leaves whole pages, and what else it left is cleared away by the next write', async () => {
    await using csv = await temporaryCsv('uid,a\nstamp,none\n')
    for (let round = 0; round < 6; round++) {
      const begin = String(round * 100_000)
      const writer = join(import.meta.dirname, 'testing', 'write-for-ever.ts')
      const child = spawn(process.execPath, [writer, csv.file, begin], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      await sleep(20 + round * 7)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await using connector = csv.connect()
      const rows = await objectsOf(connector)
      expect((rows.length - 1) % 50).toBe(0)
      expect(rows.length).toBeGreaterThan(1)
    }
    await using connector = csv.connect()
    await connector.writeMany('__ACCOUNT__', [
      { operation: 'update', id: 'stamp', changes: settingOf({ a: 'after' }) },
    ])
    expect(await readdir(csv.folder)).toEqual(['people.csv'])
  })
})
