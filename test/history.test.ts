import { afterAll, describe, expect, it } from 'vitest'
import { TestProject } from './support/project.ts'

const users = 'hrAccount_managedUser'
const accounts = 'managedUser_directoryAccount'

interface Entry {
  readonly role: string
  readonly mapping: string
  readonly situation: string
  readonly action: string
  readonly changes?: Record<string, object>
}

/** Two runs of both mappings, between which a person changes her name. */
function marry(): { project: TestProject; id: string } {
  const project = TestProject.loaded(users, accounts)
  project.edit('data/hr.csv', (text) =>
    text.replace('1042,', '1042,').replace(/^(1042,[^,]*),[^,]*/m, '$1,Newname'),
  )
  for (const mapping of [users, accounts]) project.json('recon', mapping)
  const { result } = project.json<{ result: { _id: string }[] }>(
    'query',
    'managed/user',
    'employeeNumber eq "1042"',
  )
  return { project, id: result[0]?._id as string }
}

let template: ReturnType<typeof marry> | undefined
afterAll(() => template?.project[Symbol.dispose]())

function married(): ReturnType<typeof marry> {
  template ??= marry()
  return { ...template, project: template.project.copy() }
}

describe('the history of an object', () => {
  it('lists every operation on it, as source and as target, newest first, with what was written', () => {
    const { project, id } = married()
    using _ = project
    const { result } = project.json<{ result: Entry[] }>('history', `managed/user/${id}`)
    expect(result.map(({ role, mapping, action }) => [role, mapping, action])).toEqual([
      ['source', accounts, 'UPDATE'],
      ['target', users, 'UPDATE'],
      ['source', accounts, expect.stringMatching(/CREATE|UPDATE/)],
      ['target', users, 'CREATE'],
    ])
    expect(result[1]?.changes).toMatchObject({ '/sn': { before: expect.any(String), after: 'Newname' } })
    expect(result[3]?.changes).toMatchObject({ '/employeeNumber': { after: '1042' } })
  })

  it('may be narrowed, and reads as text', () => {
    const { project, id } = married()
    using _ = project
    const entries = (...options: string[]) =>
      project.json<{ result: Entry[] }>('history', `managed/user/${id}`, ...options).result.length
    expect([entries('--mapping', users), entries('--limit', '1'), entries('--changes-only')]).toEqual([
      2, 1, 4,
    ])
    project.json('recon', users)
    expect([entries(), entries('--changes-only')]).toEqual([5, 4])
    const { out } = project.syncline(['history', 'system/hr/account/1042'])
    expect(out).toMatch(/^\S+Z {2}UPDATE {2}CONFIRMED {2}→ managed\/user\/\S+$/m)
    expect(out).toMatch(/^ {4}hrAccount_managedUser, by .*, run \S+ of openidm-admin$/m)
    expect(out).toMatch(/^ {4}~ sn: ".*" → "Newname"$/m)
    expect(project.syncline(['history', 'managed/user/nobody']).out).toBe(
      'Nothing is on record about managed/user/nobody.\n',
    )
  })

  it('of an operation that failed says why', () => {
    using project = TestProject.example()
    project.edit(
      'script/telephoneNumber.js',
      (text) => `if (source.employeeNumber === '1042') throw 'no phone'\n${text}`,
    )
    project.json('recon', users)
    const { out } = project.syncline(['history', 'system/hr/account/1042'])
    expect(out).toMatch(/CREATE {2}ABSENT {2}→ \(no target\) {2}FAILURE\n.*\n {4}.*no phone/)
  })

  it.each(['managed', ''])('of %o is refused: it is no object', (path) => {
    using project = TestProject.example()
    expect(project.syncline(['history', path])).toMatchObject({
      code: 2,
      err: expect.stringContaining('needs the path of an object'),
    })
  })
})
