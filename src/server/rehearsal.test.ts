import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/folder.ts'
import { rehearsalFolder, removeLeftRehearsals } from './rehearsal.ts'

describe('the folders of rehearsals', () => {
  it('go with the process that made them, and stay while it lives', async () => {
    using data = temporaryFolder()
    const { pid: dead } = spawnSync(process.execPath, ['--version'])
    const kept = [`rehearsal-${process.ppid}-1-bbbbbb`, 'rehearsal-notes', 'syncline.db']
    // The last is of a process that had the number of this one.
    const left = [`rehearsal-${dead}-1-aaaaaa`, `rehearsal-${process.pid}-1-cccccc`]
    for (const name of [...kept, ...left]) {
      mkdirSync(data.file(name))
      writeFileSync(data.file(`${name}/branch.db`), 'people')
    }
    const own = await rehearsalFolder(data.path)
    await removeLeftRehearsals(data.path)
    expect(readdirSync(data.path).toSorted()).toEqual([...kept, basename(own)].toSorted())
  })
})
