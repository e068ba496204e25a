/** Slow: each command that another user runs is a process of its own. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Result, type RunObject, TestProject } from './support/project.ts'

const users = 'hrAccount_managedUser'

describe('a data folder that cannot be used', () => {
  /** Root may write everywhere, so root runs as another user. */
  const asOtherUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const reconAsOtherUser = (project: TestProject, ...more: string[]) =>
    project.syncline(['recon', users, ...more], {}, asOtherUser)

  it.each([
    [
      'in a folder that is not to be written',
      () => {},
      [/data folder .*\.syncline cannot be created/, 'permission denied'],
    ],
    [
      'not to be written itself',
      (folder: string) => mkdirSync(folder),
      [/syncline\.db: it cannot be opened or created/],
    ],
    [
      'with a store that is only to be read',
      (folder: string, project: TestProject) => {
        project.json('links', users)
        chmodSync(folder, 0o755)
      },
      [/syncline\.db: it cannot be written to/],
    ],
  ])('%s: exit code 1, and which', (_what, prepare, says) => {
    using project = TestProject.example()
    prepare(project.path('.syncline'), project)
    if (existsSync(project.path('.syncline/syncline.db')))
      chmodSync(project.path('.syncline/syncline.db'), 0o444)
    for (const folder of ['.syncline', '.'])
      if (existsSync(project.path(folder))) chmodSync(project.path(folder), 0o555)
    try {
      const result = reconAsOtherUser(project)
      expect(result.code).toBe(1)
      saysAll(result, [...says, 'Check free space and permissions of the data folder'])
      expect(result.err).not.toMatch(/^ +at /m)
    } finally {
      for (const folder of ['.', '.syncline'])
        if (existsSync(project.path(folder))) chmodSync(project.path(folder), 0o755)
    }
    expect(project.json<RunObject>('recon', users).state).toBe('SUCCESS')
  })

  it.each([
    ['a file', (project: TestProject) => writeFileSync(project.path('x'), ''), 'x'],
    ['below a file', () => {}, 'data/hr.csv/x'],
    ['where the system keeps no files', () => {}, '/proc/syncline'],
  ])('%s: exit code 1, and which', (_what, prepare, folder) => {
    using project = TestProject.example()
    prepare(project)
    const data = folder.startsWith('/') ? folder : project.path(folder)
    const result = project.syncline(['recon', users, '--data', data])
    expect(result.code).toBe(1)
    saysAll(result, [`data folder ${data} cannot be created`])
  })
})

function saysAll({ out, err }: Result, parts: readonly (string | RegExp)[]): void {
  for (const part of parts)
    expect(out + err).toMatch(part instanceof RegExp ? part : new RegExp(escaped(part)))
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
