import { describe, expect, it } from 'vitest'
import { csvConnector, openStore, type Result, type RunObject, TestProject } from './support/project.ts'
import { serve } from './support/server.ts'

const users = 'hrAccount_managedUser'
const accounts = 'managedUser_directoryAccount'

interface Case {
  readonly what: string
  readonly spoil: (project: TestProject) => void
  readonly mapping?: string
  /** The mapping of other systems cannot run either, because its own file or the store is concerned. */
  readonly concernsAll?: true
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

/** A mapping in its own file between its own systems: none of the mistakes below affects it. */
function withNeighbour(project: TestProject): void {
  project.write('data/desks.csv', 'desk,floor\n1,ground\n2,first\n')
  project.write('data/labels.csv', 'label,text\n')
  project.write('conf/provisioner.openicf-desks.json', csvConnector('desks', ['desk', 'floor']))
  project.write('conf/provisioner.openicf-labels.json', csvConnector('labels', ['label', 'text']))
  project.write('conf/mapping-desk_label.json', {
    source: 'system/desks/account',
    target: 'system/labels/account',
    properties: [
      { source: 'desk', target: 'label' },
      { source: 'floor', target: 'text' },
    ],
  })
}

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
    what: 'a named query that only a repository configuration could define',
    spoil: replace('conf/sync.json', '"displayName": "HR to users"', '"sourceQuery": {"_queryId": "active"}'),
    code: 2,
    says: ['/mappings/0/sourceQuery', '"active" is not a known query', '_queryFilter'],
  },
  {
    what: 'a trigger of a managed object',
    spoil: replace(
      'conf/managed.json',
      '"name": "user"',
      '"name": "user", "onCreate": {"type": "text/javascript", "source": "1 +"}',
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
    concernsAll: true,
    code: 1,
    says: ['syncline.db', 'not a Syncline store'],
  },
]

describe('bad input', () => {
  it.each(cases)(
    '$what ends with exit code $code and says where and what; nothing else is hurt',
    ({ spoil, mapping = users, concernsAll, code, says }) => {
      using project = TestProject.example()
      withNeighbour(project)
      spoil(project)
      const directory = project.stamp('data/directory.csv')
      const result = project.syncline(['recon', mapping])
      saysAll(result, says)
      expect(result.code).toBe(code)
      expect(project.stamp('data/directory.csv')).toEqual(directory)
      const neighbour = project.syncline(['recon', 'desk_label'])
      expect(neighbour.code, neighbour.err).toBe(concernsAll ? code : 0)
      if (concernsAll) return
      expect(project.read('data/labels.csv')).toBe('label,text\n"1","ground"\n"2","first"\n')
      using db = openStore(project)
      expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    },
  )

  it('that a script meets while it runs fails the object, names script, line and column, and spares the others', () => {
    using project = TestProject.example()
    project.edit(
      'script/telephoneNumber.js',
      (text) => `${text}\nif (source.employeeNumber === '1042')\n  source.nothing.there`,
    )
    const lines = project.read('script/telephoneNumber.js').split('\n').length
    const run = project.json<RunObject>('recon', users)
    expect([run.state, run.statusSummary.FAILURE, run.progress.target.created]).toEqual(['SUCCESS', 1, 457])
    const failed = `reconId eq "${run._id}" and status eq "FAILURE"`
    const { result } = project.json<{ result: object[] }>('query', 'audit/recon', failed)
    expect(result).toHaveLength(1)
    expect(JSON.stringify(result)).toContain('1042')
    expect(JSON.stringify(result)).toMatch(new RegExp(`telephoneNumber\\.js, line ${lines}, column \\d+`))
  })

  it('cut in half is stopped by the guard before anything is deleted, and allowed for one run', () => {
    using project = TestProject.loaded(users)
    project.edit('conf/sync.json', (text) =>
      text.replace('"policies": [', '"policies": [{ "situation": "SOURCE_MISSING", "action": "DELETE" },'),
    )
    project.edit('data/hr.csv', (text) => `${text.split('\n').slice(0, 250).join('\n')}\n`)
    const { code, out } = project.syncline(['recon', users])
    expect(code).toBe(1)
    expect(out).toMatch(
      /nothing was written: \d+ deletes for 458 linked targets; at most 137 \(30%\) are allowed/,
    )
    const allowed = project.json<RunObject>('recon', users, '--guard', 'maxDeletes=300', '--reason', 'cut')
    expect(allowed.progress.target.deleted).toBeGreaterThan(137)
  })

  it('of a renamed column in a later export ends the run before a value is lost, and plan says so too', () => {
    using project = TestProject.loaded(users)
    const before = project.json('query', 'managed/user', 'true')
    project.edit('data/hr.csv', (text) => text.replace('work_phone', 'phone'))
    for (const command of ['plan', 'recon']) {
      const { code, out } = project.syncline([command, users])
      expect(out).toMatch(
        /system\/hr\/account no longer has work_phone \(phone\).* remove phone from the objectTypes/s,
      )
      expect(code).toBe(1)
    }
    expect(project.json('query', 'managed/user', 'true')).toEqual(before)
    expect(project.syncline(['issues']).out).toMatch(/1 × GUARD {2}.*\n.*no longer has work_phone/)
    project.edit('conf/provisioner.openicf-hr.json', (text) => text.replace(/ +"phone": .*\n/, ''))
    expect(project.syncline(['recon', users]).code).toBe(0)
    expect(project.syncline(['issues']).out).not.toContain('GUARD')
  })

  it('of a declared column that the file never had is null, and the log says so', () => {
    using project = TestProject.example()
    project.edit('data/hr.csv', (text) => text.replace('work_phone', 'phone'))
    const { code, err } = project.syncline(['recon', users])
    expect(err).toMatch(/system\/hr\/account has no work_phone \(phone\), although objectTypes declares it/)
    expect(code).toBe(0)
  })

  it('that is only doubtful is served, and what is doubtful is said when the server listens', async () => {
    using project = TestProject.example()
    project.edit('conf/sync.json', (text) => text.replace('"source": "familyName"', '"source": "famliyName"'))
    await using server = await serve(project)
    await expect
      .poll(() => server.log())
      .toContain('warning: system/hr/account has no property "famliyName"; did you mean familyName?')
    expect(project.syncline(['runs']).err).not.toContain('famliyName')
    expect(project.syncline(['plan', users]).err).toContain('famliyName')
  })

  it('in one mapping or connector leaves the others working', () => {
    using project = TestProject.loaded(users)
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

  it('leaves nothing in the list of what is usable that could not run', () => {
    using project = TestProject.example()
    const usable = () => project.json<{ mappings: string[] }>('check').mappings
    expect(usable()).toEqual([users, accounts])
    project.edit('conf/provisioner.openicf-hr.json', (text) =>
      text.replace('"enabled": true', '"enabled": false'),
    )
    expect(usable()).toEqual([accounts])
    project.edit('conf/managed.json', (text) =>
      text.replace('"type": "string"', '"type": "string", "policies": [{ "policyId": "lucky" }]'),
    )
    expect(usable()).toEqual([])
  })

  it('in a connector is told at its place in the file', () => {
    using project = TestProject.example()
    project.edit('conf/provisioner.openicf-hr.json', (text) =>
      text.replace('"utf-8"', '"utf-61"').replace('"[1.4,2)"', '"[7,8)"'),
    )
    const { out } = project.syncline(['check'])
    expect(out).toMatch(
      /hr\.json:15:\d+ \/configurationProperties\/encoding: connector hr: encoding "utf-61" is not supported/,
    )
    project.edit('conf/provisioner.openicf-hr.json', (text) => text.replace('"utf-61"', '"utf-8"'))
    expect(project.syncline(['check']).out).toMatch(
      /hr\.json:7:\d+ \/connectorRef\/bundleVersion: warning: connector hr: bundleVersion "\[7,8\)"/,
    )
  })

  it('of managed.json that its schema refuses does not hide what is not supported', () => {
    using project = TestProject.example()
    project.edit('conf/managed.json', (text) =>
      text.replace('"type": "string"', '"type": "strnig", "policies": [{ "policyId": "lucky" }]'),
    )
    const { out } = project.syncline(['check'])
    expect(out).toMatch(/"strnig" is not a type; did you mean string/)
    expect(out).toMatch(/policy "lucky" is not known/)
  })

  it('of a newer version of the store is refused, and the store is left as it is', () => {
    using project = TestProject.loaded(users)
    using db = openStore(project)
    db.exec('PRAGMA user_version = 999')
    const { code, err } = project.syncline(['recon', users])
    expect(code).toBe(2)
    expect(err).toMatch(/version 999/)
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 })
  })
})

function saysAll({ out, err }: Result, parts: readonly (string | RegExp)[]): void {
  for (const part of parts)
    expect(out + err).toMatch(part instanceof RegExp ? part : new RegExp(escaped(part)))
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
