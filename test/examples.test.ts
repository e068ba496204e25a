import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type RunObject, root, TestProject } from './support/project.ts'
import { serve } from './support/server.ts'

function example(name: string): TestProject {
  const project = new TestProject()
  cpSync(join(root, 'examples', name), project.folder, {
    recursive: true,
    filter: (path) => !path.includes('.syncline'),
  })
  return project
}

function situations(project: TestProject, mapping: string): Record<string, number> {
  const { state, statusSummary, situationSummary } = project.json<RunObject>('recon', mapping)
  expect([state, statusSummary.FAILURE]).toEqual(['SUCCESS', 0])
  return Object.fromEntries(Object.entries(situationSummary).filter(([, count]) => count > 0))
}

const rows = (project: TestProject, file: string) =>
  project.read(file).replaceAll('"', '').trim().split('\n').slice(1)

describe('the examples besides the first: each does what its README says', () => {
  it('three accounts for one person, by link qualifiers', () => {
    using project = example('three-accounts')
    const kept = 'adm-mshelley,1004,admin,Mary Shelley'
    expect(situations(project, 'people_directory')).toEqual({ ABSENT: 17, FOUND: 3, UNASSIGNED: 3 })
    const directory = project.stamp('data/directory.csv')
    expect(rows(project, 'data/directory.csv')).toHaveLength(21)
    expect(rows(project, 'data/directory.csv')).toEqual(
      expect.arrayContaining([
        'alovelace,1001,employee,Ada Lovelace',
        'adm-alovelace,1001,admin,Ada Lovelace (admin)',
        'tst-alovelace,1001,test,Ada Lovelace (test)',
        kept,
      ]),
    )
    expect(situations(project, 'people_directory')).toEqual({ CONFIRMED: 20, UNASSIGNED: 3 })
    expect(project.stamp('data/directory.csv')).toEqual(directory)
    project.edit('data/people.csv', (text) => text.replace(/^1001,.*\n/m, ''))
    expect(situations(project, 'people_directory')).toMatchObject({ CONFIRMED: 17, SOURCE_MISSING: 3 })
    expect(rows(project, 'data/directory.csv').filter((row) => row.includes(',1001,'))).toEqual([])
    expect(rows(project, 'data/directory.csv')).toContain(kept)
  })

  it('two directories both ways, over links that ignore case', () => {
    using project = example('two-directories')
    expect(situations(project, 'east_west')).toEqual({ FOUND: 1, ABSENT: 2, UNASSIGNED: 1 })
    expect(situations(project, 'west_east')).toEqual({ CONFIRMED: 3, ABSENT: 1 })
    expect(rows(project, 'data/west.csv').toSorted()).toEqual([
      'BCarter,Bob Carter,+1 555 0102',
      'CDyer,Cleo Dyer,+1 555 0103',
      'DFisher,Dan Fisher,+1 555 0201',
      'abaker,Ann Baker,+1 555 0101',
    ])
    expect(rows(project, 'data/east.csv')).toContain('DFisher,Dan Fisher,+1 555 0201')
    expect(rows(project, 'data/east.csv')).toContain('ABaker,Ann Baker,+1 555 0101')
    const files = ['data/east.csv', 'data/west.csv']
    const before = files.map((file) => project.stamp(file))
    for (const mapping of ['east_west', 'west_east'])
      expect(situations(project, mapping)).toEqual({ CONFIRMED: 4 })
    expect(files.map((file) => project.stamp(file))).toEqual(before)
  })

  it('roles that give attributes of accounts, by condition and one by one', async () => {
    using project = example('roles')
    for (const mapping of ['roles_assignment', 'roles_role'])
      expect(situations(project, mapping)).toEqual({ ABSENT: 3 })
    expect(situations(project, 'people_user')).toEqual({ ABSENT: 4 })
    expect(rows(project, 'data/directory.csv')).toEqual([
      '1,Ada Lovelace,,Employee,staff canteen',
      '2,Grace Hopper,Ada Lovelace,Employee,staff canteen',
      '3,Alan Turing,Ada Lovelace,Contractor,guests',
      '4,Mary Shelley,Grace Hopper,Employee,staff canteen',
    ])
    const before = project.stamp('data/directory.csv')
    for (const [mapping, count] of [
      ['roles_role', 3],
      ['people_user', 4],
      ['user_directory', 4],
    ] as const)
      expect(situations(project, mapping)).toEqual({ CONFIRMED: count })
    expect(project.stamp('data/directory.csv')).toEqual(before)
    project.edit('data/people.csv', (text) =>
      text.replace('3,Alan Turing,contractor,1', '3,Alan Turing,employee,'),
    )
    project.edit('data/directory.csv', (text) => text.replace('guests', 'guests chess'))
    expect(situations(project, 'people_user')).toEqual({ CONFIRMED: 4 })
    expect(rows(project, 'data/directory.csv')).toContain('3,Alan Turing,,Employee,chess staff canteen')

    await using server = await serve(project)
    const grant = {
      _ref: 'managed/user/4',
      _refProperties: { temporalConstraints: [{ duration: `2026-01-01T00:00:00Z/P100Y` }] },
    }
    const { status, body } = await server.call('POST', 'managed/role/first-aid/members', { body: grant })
    expect(status).toBe(201)
    expect(rows(project, 'data/directory.csv')).toContain(
      '4,Mary Shelley,Grace Hopper,Employee,staff canteen first-aid',
    )
    const members = await server.call(
      'GET',
      'managed/role/first-aid/members?_queryFilter=true&_fields=_ref,name',
    )
    expect(members.body.result).toMatchObject([
      { _id: body._id, _ref: 'managed/user/4', name: 'Mary Shelley' },
    ])
    await server.call('DELETE', `managed/role/first-aid/members/${body._id}`)
    expect(rows(project, 'data/directory.csv')).toContain(
      '4,Mary Shelley,Grace Hopper,Employee,staff canteen',
    )
  })

  it('roles: what an account gets from them is shown as it changes, too', () => {
    using project = example('roles')
    for (const mapping of ['roles_assignment', 'roles_role', 'people_user']) situations(project, mapping)
    project.edit('data/people.csv', (text) => text.replace('Turing,contractor', 'Turing,employee'))
    const { out } = project.syncline(['plan', 'people_user', '--flows'])
    expect(out).toContain('~ employeeType: "Contractor" → "Employee"')
  })

  it('a phone book without links', () => {
    using project = example('phone-book')
    const mapping = 'people_phonebook'
    expect(situations(project, mapping)).toEqual({ FOUND: 1, ABSENT: 2, SOURCE_IGNORED: 1, UNASSIGNED: 1 })
    expect(rows(project, 'data/phonebook.csv')).toEqual([
      '1,Ann Baker,+1 555 0101',
      '2,Bob Carter,+1 555 0102',
      '3,Cleo Dyer,ask the desk',
    ])
    const before = project.stamp('data/phonebook.csv')
    expect(situations(project, mapping)).toEqual({ FOUND: 3, SOURCE_IGNORED: 1 })
    expect(project.stamp('data/phonebook.csv')).toEqual(before)
    expect(project.json('links', mapping)).toMatchObject({ total: 0 })
    project.edit('data/people.csv', (text) => text.replace('0102,yes', '0102,no'))
    expect(situations(project, mapping)).toMatchObject({ UNQUALIFIED: 1 })
    expect(rows(project, 'data/phonebook.csv').join()).not.toContain('Bob')
  })
})
