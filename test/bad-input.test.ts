import { spawnSync } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { type RunObject, root, TestProject } from './support/project.ts'

const users = 'hrAccount_managedUser'
const accounts = 'managedUser_directoryAccount'

interface Case {
  readonly what: string
  readonly spoil: (project: TestProject) => void
  readonly mapping?: string
  readonly code: 1 | 2
  /** What the message must contain: the place first, then the fact. */
  readonly says: readonly (string | RegExp)[]
}

const replace = (file: string, from: string | RegExp, to: string) => (project: TestProject) =>
  project.edit(file, (text) => text.replace(from, to))

/** Line 250 of the HR export is one row in the middle. */
const line = (number: number, change: (row: string) => string) => (project: TestProject) =>
  project.edit('data/hr.csv', (text) =>
    text
      .split('\n')
      .map((row, index) => (index + 1 === number ? change(row) : row))
      .join('\n'),
  )

const cases: Case[] = [
  {
    what: 'a sync.json that is no JSON',
    spoil: replace('conf/sync.json', '"mappings": [', '"mappings": [,'),
    code: 2,
    says: ['conf/sync.json:2:', 'value is missing'],
  },
  {
    what: 'a managed.json that is no JSON',
    spoil: replace('conf/managed.json', '{', '{ "a" 1,'),
    code: 2,
    says: ['conf/managed.json:1:'],
  },
  {
    what: 'an unknown connector',
    spoil: replace('conf/provisioner.openicf-hr.json', 'CSVFileConnector', 'CSVFileConector'),
    code: 2,
    says: [
      /conf\/provisioner\.openicf-hr\.json:\d+:\d+ \/connectorRef\/connectorName/,
      'did you mean org.forgerock.openicf.csvfile.CSVFileConnector',
    ],
  },
  {
    what: 'a script with a syntax error',
    spoil: (project) => project.edit('script/userName.js', (text) => `${text}\nif (`),
    code: 2,
    says: [
      /conf\/sync\.json:\d+:\d+ \/mappings\/0\/properties\/1\/transform/,
      /script\/userName\.js, line \d+, column/,
    ],
  },
  {
    what: 'a Groovy script',
    spoil: replace(
      'conf/sync.json',
      '"text/javascript", "file": "script/worksHere.js"',
      '"groovy", "file": "script/worksHere.groovy"',
    ),
    code: 2,
    says: [/conf\/sync\.json:\d+:\d+ \/mappings\/0\/validSource/, /[Gg]roovy/],
  },
  {
    what: 'a misspelt situation',
    spoil: replace('conf/sync.json', '"ABSENT"', '"ABSNT"'),
    code: 2,
    says: [
      /conf\/sync\.json:\d+:\d+ \/mappings\/0\/policies\/3\/situation/,
      '"ABSNT" is not a situation; did you mean ABSENT?',
    ],
  },
  {
    what: 'a property that this version does not act on',
    spoil: replace('conf/sync.json', '"displayName": "HR to users"', '"consentRequired": true'),
    code: 2,
    says: ['/mappings/0/consentRequired', 'not supported by this version'],
  },
  {
    what: 'a trigger of a managed object',
    spoil: replace(
      'conf/managed.json',
      '"name": "user"',
      '"name": "user", "onCreate": {"type": "text/javascript", "source": "1"}',
    ),
    code: 2,
    says: ['conf/managed.json:', 'onCreate'],
  },
  {
    what: 'a placeholder that nothing resolves',
    spoil: replace(
      'conf/provisioner.openicf-hr.json',
      '&{launcher.project.location}',
      '&{nowhere.to.be.found}',
    ),
    code: 2,
    says: ['conf/provisioner.openicf-hr.json:', 'nowhere.to.be.found'],
  },
  {
    what: 'an unknown mapping',
    spoil: () => {},
    mapping: 'hrAcount_managedUser',
    code: 2,
    says: ['did you mean hrAccount_managedUser?'],
  },
  {
    what: 'a missing CSV file',
    spoil: (project) =>
      project.edit('conf/boot/boot.properties', (text) => text.replace('hr.csv', 'nothing.csv')),
    code: 1,
    says: ['nothing.csv', 'no such file'],
  },
  {
    what: 'a ragged row in the middle',
    spoil: line(250, (row) => `${row},one too many`),
    code: 1,
    says: ['hr.csv, line 250', '16 fields', '15'],
  },
  {
    what: 'a duplicate uid',
    spoil: line(250, (row) => row.replace(/^"?\d+"?/, '1001')),
    code: 1,
    says: ['hr.csv', 'line 250', '1001'],
  },
  {
    what: 'a duplicate column',
    spoil: line(1, (row) => row.replace('first_name', 'last_name')),
    code: 1,
    says: ['hr.csv', 'last_name'],
  },
  {
    what: 'an unclosed quote',
    spoil: line(250, (row) => `${row},"`),
    code: 1,
    says: ['hr.csv', /line 25[01]/],
  },
  {
    what: 'a store that is none',
    spoil: (project) => project.write('.syncline/syncline.db', 'this is no database'),
    code: 1,
    says: ['syncline.db', 'not a Syncline store'],
  },
]

describe('bad input', () => {
  it.each(cases)(
    '$what ends with exit code $code and says where and what',
    ({ spoil, mapping = users, code, says }) => {
      using project = TestProject.example()
      spoil(project)
      const directory = project.stamp('data/directory.csv')
      const result = project.syncline(['recon', mapping])
      for (const part of says)
        expect(result.out + result.err).toMatch(part instanceof RegExp ? part : new RegExp(escaped(part)))
      expect(result.code).toBe(code)
      expect(project.stamp('data/directory.csv')).toEqual(directory)
    },
  )

  it('in one mapping or connector leaves the others working', () => {
    using project = TestProject.example()
    project.json('recon', users)
    project.edit('conf/sync.json', (text) => text.replace('"ABSENT"', '"ABSNT"'))
    project.edit('conf/provisioner.openicf-hr.json', (text) => text.replace('CSVFileConnector', 'Nonsense'))
    expect(project.syncline(['recon', users]).code).toBe(2)
    expect(project.json<RunObject>('recon', accounts).situationSummary).toMatchObject({
      FOUND: 52,
      ABSENT: 405,
    })
  })

  it('is listed all at once by check', () => {
    using project = TestProject.example()
    project.edit('conf/sync.json', (text) =>
      text.replace('"ABSENT"', '"ABSNT"').replace('"target": "sn"', '"target": ""'),
    )
    project.edit('script/worksHere.js', (text) => `${text} (`)
    project.edit('conf/provisioner.openicf-hr.json', (text) => text.replace('CSVFileConnector', 'Nonsense'))
    const { code, out } = project.syncline(['check'])
    expect(code).toBe(2)
    for (const part of ['ABSNT', 'root object', 'worksHere.js', 'Nonsense']) expect(out).toContain(part)
  })

  it('of a newer version of the store is refused, and the store is left as it is', () => {
    using project = TestProject.example()
    project.json('recon', users)
    const store = () => new DatabaseSync(project.path('.syncline/syncline.db'))
    using db = store()
    db.exec('PRAGMA user_version = 999')
    const { code, err } = project.syncline(['recon', users])
    expect(code).toBe(2)
    expect(err).toMatch(/version 999/)
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 })
  })
})

/** A limit on the size of files stands in for a full disk: the same writes fail, at any user's rights. */
describe('a disk that is full', () => {
  const limited = (project: TestProject, kibibytes: number, mapping: string) =>
    spawnSync(
      'bash',
      [
        '-c',
        `trap '' XFSZ; ulimit -f ${kibibytes}; exec "$0" "$@"`,
        process.execPath,
        `${root}/bin/syncline.js`,
        'recon',
        mapping,
        '--project',
        project.folder,
      ],
      { encoding: 'utf8' },
    )
  const integrity = (project: TestProject) => {
    using db = new DatabaseSync(project.path('.syncline/syncline.db'))
    return db.prepare('PRAGMA integrity_check').get()
  }

  it('under the store fails the run; what was committed stays, and the next run completes it', () => {
    using project = TestProject.example()
    project.json('links', users)
    const { status, stdout, stderr } = limited(project, 150, users)
    expect(stdout + stderr).toMatch(/full|too large|disk I\/O|space/i)
    expect(status).toBe(1)
    expect(integrity(project)).toEqual({ integrity_check: 'ok' })
    const run = project.json<RunObject>('recon', users)
    expect(run.state).toBe('SUCCESS')
    expect(Number(run.situationSummary.ABSENT) + Number(run.situationSummary.CONFIRMED)).toBe(458)
    expect(project.json<{ total: number }>('links', users).total).toBe(458)
    expect(project.json<{ resultCount: number }>('query', 'managed/user').resultCount).toBe(458)
  })

  it('under a target file fails the run; the file is intact, and the next run completes it', () => {
    using project = TestProject.example()
    project.json('recon', users)
    const before = project.stamp('data/directory.csv')
    // Too little for a file of 465 accounts.
    const { status, stdout, stderr } = limited(project, 40, accounts)
    expect(stdout + stderr).toMatch(/full|too large|space|limit/i)
    expect(status).toBe(1)
    expect(project.read('data/directory.csv')).toBe(before.text)
    expect(project.json<RunObject>('recon', accounts).situationSummary).toMatchObject({
      FOUND: 52,
      ABSENT: 405,
    })
    expect(integrity(project)).toEqual({ integrity_check: 'ok' })
  })
})

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
