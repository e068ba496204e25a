import { describe, expect, it } from 'vitest'
import { accounts, counted, editExample, files, type Plan, users } from './support/example.ts'
import { type RunObject, TestProject } from './support/project.ts'

describe('the example hr-to-directory', () => {
  it('creates and links at first; the second time it confirms and writes nothing, not even the same bytes', () => {
    using project = TestProject.example()
    const first = [users, accounts].map((mapping) => project.json<RunObject>('recon', mapping))
    expect(first.map(counted)).toEqual([
      { ABSENT: 458, SOURCE_IGNORED: 42 },
      { FOUND: 52, ABSENT: 405, AMBIGUOUS: 1, UNASSIGNED: 6 },
    ])
    expect(first.map(({ statusSummary }) => statusSummary.FAILURE)).toEqual([0, 0])
    const before = files.map((file) => project.stamp(file))
    const second = [users, accounts].map((mapping) => project.json<RunObject>('recon', mapping))
    expect(second.map(counted)).toEqual([
      { CONFIRMED: 458, SOURCE_IGNORED: 42 },
      { CONFIRMED: 457, AMBIGUOUS: 1, UNASSIGNED: 6 },
    ])
    for (const { progress } of second) {
      expect(progress.target).toMatchObject({ created: 0, updated: 0, deleted: 0 })
      expect(progress.links.created).toBe(0)
    }
    expect(files.map((file) => project.stamp(file))).toEqual(before)
  })

  it('takes a joiner, a mover and a leaver through both mappings, and plans say so beforehand', () => {
    using project = TestProject.example()
    for (const mapping of [users, accounts]) project.json('recon', mapping)
    const writes = (mapping: string) =>
      project.json<Plan>('plan', mapping).entries.filter((entry) => entry.writes)
    const run = (mapping: string) => project.json<RunObject>('recon', mapping).progress.target

    editExample(
      project,
      'add',
      'emp_no=1501',
      'first_name=Ana María',
      "last_name=Ortiz O'Neill",
      'work_mail=ana.ortiz@example.com',
      'work_phone=(212) 555-0147',
      'department=Sales, Americas',
      'site=New York',
      'contract=permanent',
      'status=active',
      'language=es',
    )
    expect(writes(users).map(({ action }) => action)).toEqual(['CREATE'])
    expect(run(users)).toMatchObject({ created: 1, updated: 0, deleted: 0 })
    expect(run(accounts)).toMatchObject({ created: 1, updated: 0, deleted: 0 })
    expect(project.read('data/directory.csv')).toMatch(/"ana\.ortizoneill1501".*"\+12125550147"/)

    editExample(project, 'set', '1042', 'department=Marketing', 'cost_centre=6300')
    expect(
      writes(users).map(({ action, changes }) => [action, changes.map(({ pointer }) => pointer.join('/'))]),
    ).toEqual([['UPDATE', ['costCenter', 'department']]])
    expect(run(users)).toMatchObject({ created: 0, updated: 1, deleted: 0 })
    expect(run(accounts)).toMatchObject({ created: 0, updated: 1, deleted: 0 })

    editExample(project, 'set', '1102', 'status=terminated')
    expect(project.json<RunObject>('recon', users).situationSummary).toMatchObject({ UNQUALIFIED: 1 })
    expect(writes(accounts).map(({ action }) => action)).toEqual(['DELETE'])
    expect(project.read('data/directory.csv')).toContain('"1102"')
    expect(run(accounts)).toMatchObject({ created: 0, updated: 0, deleted: 1 })
    expect(project.read('data/directory.csv')).not.toContain('"1102"')
  })
})
