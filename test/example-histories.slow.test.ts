/** Slow: each command of the README is a process of its own, and a history of the example is a dozen runs. */
import { describe, expect, it } from 'vitest'
import { accounts, counted, files, users } from './support/example.ts'
import { type RunObject, run as runProgram, TestProject } from './support/project.ts'
import { follow, transcripts } from './support/transcripts.ts'

interface Plan {
  readonly entries: readonly {
    action: string
    situation: string
    writes: boolean
    changes: { pointer: string[] }[]
  }[]
  readonly run: RunObject
}

/** Plays the HR department. */
function edit(project: TestProject, ...args: readonly string[]): void {
  const { code, err } = runProgram(process.execPath, ['edit.js', ...args], {}, { cwd: project.folder })
  if (code !== 0) throw new Error(err)
}

describe('the example hr-to-directory', () => {
  it('takes a joiner, a mover and a leaver through both mappings, and plans say so beforehand', () => {
    using project = TestProject.example()
    for (const mapping of [users, accounts]) project.json('recon', mapping)
    const writes = (mapping: string) =>
      project.json<Plan>('plan', mapping).entries.filter((entry) => entry.writes)
    const run = (mapping: string) => project.json<RunObject>('recon', mapping).progress.target

    edit(
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

    edit(project, 'set', '1042', 'department=Marketing', 'cost_centre=6300')
    expect(
      writes(users).map(({ action, changes }) => [action, changes.map(({ pointer }) => pointer.join('/'))]),
    ).toEqual([['UPDATE', ['costCenter', 'department']]])
    expect(run(users)).toMatchObject({ created: 0, updated: 1, deleted: 0 })
    expect(run(accounts)).toMatchObject({ created: 0, updated: 1, deleted: 0 })

    edit(project, 'set', '1102', 'status=terminated')
    expect(project.json<RunObject>('recon', users).situationSummary).toMatchObject({ UNQUALIFIED: 1 })
    expect(writes(accounts).map(({ action }) => action)).toEqual(['DELETE'])
    expect(project.read('data/directory.csv')).toContain('"1102"')
    expect(run(accounts)).toMatchObject({ created: 0, updated: 0, deleted: 1 })
    expect(project.read('data/directory.csv')).not.toContain('"1102"')
  })

  it('prints what its README shows, command by command', () => {
    using project = TestProject.example()
    expect(transcripts('hr-to-directory').filter(({ output }) => output !== '').length).toBeGreaterThan(10)
    follow('hr-to-directory', project)
  })
})

/** Everything that a plan predicts, counted as the run counts what it did. */
function foreseen({ entries }: Plan) {
  const writing = (action: string) =>
    entries.filter((entry) => entry.writes && entry.action === action).length
  const situations: Record<string, number> = {}
  for (const { situation } of entries) situations[situation] = (situations[situation] ?? 0) + 1
  return {
    situations,
    created: writing('CREATE'),
    updated: writing('UPDATE'),
    deleted: writing('DELETE'),
  }
}

describe('a plan of the example', () => {
  it('predicts every situation and write of the run, after any history', () => {
    using project = TestProject.example()
    const change = () => {
      edit(project, 'set', '1489', 'status=active')
      edit(project, 'set', '1042', 'department=Marketing', 'last_name=Fletcher-Gray')
      edit(project, 'set', '1102', 'status=terminated')
      edit(project, 'remove', '1250')
      project.edit('data/directory.csv', (text) => text.replace('Research & Development', 'R&D'))
    }
    for (const happen of [() => {}, () => {}, change]) {
      happen()
      for (const mapping of [users, accounts]) {
        const before = files.map((file) => project.stamp(file))
        const plan = foreseen(project.json<Plan>('plan', mapping))
        expect(files.map((file) => project.stamp(file))).toEqual(before)
        const run = project.json<RunObject>('recon', mapping)
        const { created, updated, deleted } = run.progress.target
        expect(plan).toEqual({ situations: counted(run), created, updated, deleted })
      }
    }
  })
})
