import { cpSync, rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'

/**
 * An export job breaks in every way that we could think of, and the next trigger finds what it left. Whatever that is, no more accounts
 * are deleted or lose their link than the guard allows. `SYNCLINE_DAMAGES=1000` tries as many.
 */
const damages = Number(process.env.SYNCLINE_DAMAGES ?? 40)
const people = 200
/** 30 % of the linked targets, the default once there are more than 100. */
const allowed = 0.3 * people

let intact: TestProject
beforeAll(() => {
  intact = new TestProject()
  const rows = Array.from({ length: people }, (_, id) => `p${id},Zoë ${id},${id}@example.com,sales`)
  intact.write('data/hr.csv', `uid,name,mail,unit\n${rows.join('\n')}\n`)
  intact.write('data/dir.csv', 'login,name,mail\n')
  intact.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name', 'mail', 'unit']))
  intact.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'name', 'mail']))
  intact.write('conf/managed.json', { objects: [{ name: 'user' }] })
  const properties = (login: string) => [
    { source: 'uid', target: login },
    { source: 'name', target: 'name' },
    { source: 'mail', target: 'mail' },
  ]
  const policies = [
    { situation: 'SOURCE_MISSING', action: 'DELETE' },
    { situation: 'UNQUALIFIED', action: 'DELETE' },
  ]
  const hr = { source: 'system/hr/account', policies, sourceCondition: '/source/unit eq "sales"' }
  intact.write('conf/sync.json', {
    mappings: [
      { ...hr, name: 'hr_dir', target: 'system/dir/account', properties: properties('login') },
      { ...hr, name: 'hr_user', target: 'managed/user', properties: properties('uid') },
    ],
  })
  for (const mapping of ['hr_dir', 'hr_user'])
    expect(intact.json<{ state: string }>('recon', mapping).state).toBe('SUCCESS')
  intact.syncline(['livesync', 'system/hr/account'])
})
afterAll(() => intact[Symbol.dispose]())

type Damage = readonly [name: string, damaged: (file: Buffer, at: number) => Buffer]

const lines = (file: Buffer) => file.toString().trimEnd().split('\n')
const csv = (rows: readonly string[]) => Buffer.from(`${rows.join('\n')}\n`)
const withRows =
  (change: (rows: string[], at: number) => readonly string[]) => (file: Buffer, at: number) => {
    const [header = '', ...rows] = lines(file)
    return csv([header, ...change(rows, at)])
  }

/** `at`: where, from 0 to 1. */
const everyDamage: readonly Damage[] = [
  ['cut between rows', withRows((rows, at) => rows.slice(0, at * rows.length))],
  ['cut within a row', (file, at) => file.subarray(0, at * file.length)],
  ['without its beginning', (file, at) => file.subarray(at * file.length)],
  ['nothing but the header', withRows(() => [])],
  ['empty', () => Buffer.alloc(0)],
  ['nothing but zeros', (file) => Buffer.alloc(file.length)],
  ['with a hole of zeros', (file, at) => Buffer.from(file).fill(0, Math.floor(at * file.length))],
  ['written twice', withRows((rows) => [...rows, ...rows])],
  ['with some rows twice', withRows((rows, at) => [...rows, ...rows.slice(0, at * rows.length)])],
  ['without a column', (file) => csv(lines(file).map((row) => row.split(',').slice(1).join(',')))],
  ['without the ids', withRows((rows) => rows.map((row) => row.replace(/^[^,]*/, '')))],
  [
    'with shifted columns',
    withRows((rows) => rows.map((row) => ['', ...row.split(',')].slice(0, 4).join(','))),
  ],
  [
    'with rotated columns',
    withRows((rows) => rows.map((row) => [...row.split(',').slice(1), row.split(',')[0]].join(','))),
  ],
  ['with another separator', (file) => Buffer.from(file.toString().replaceAll(',', ';'))],
  ['without its header', (file) => csv(lines(file).slice(1))],
  [
    'with other names in the header',
    (file) => csv(['id,fullname,email,department', ...lines(file).slice(1)]),
  ],
  ['with a column that all have lost', withRows((rows) => rows.map((row) => row.replace(/sales$/, '')))],
  [
    'with other values in a column',
    withRows((rows, at) =>
      rows.map((row, n) => (n < at * rows.length ? row.replace(/sales$/, 'SALES ') : row)),
    ),
  ],
  ['in Latin-1', (file) => Buffer.from(file.toString(), 'latin1')],
  ['in UTF-16', (file) => Buffer.from(`\uFEFF${file.toString()}`, 'utf16le')],
  ['sorted backwards', withRows((rows) => rows.toReversed())],
  ['with ids in capitals', withRows((rows) => rows.map((row) => row.replace(/^p/, 'P')))],
  ['with ids of another kind', withRows((rows) => rows.map((row) => row.replace(/^p/, 'id-')))],
  [
    'with an open quote',
    withRows((rows, at) =>
      rows.map((row, n) => (n === Math.floor(at * (rows.length - 1)) ? row.replace(',', ',"') : row)),
    ),
  ],
  ['with the page of an error instead', () => Buffer.from('<html><body>502 Bad Gateway</body></html>\n')],
]

const triggers = {
  'recon into a file': (project: TestProject) => project.syncline(['recon', 'hr_dir']),
  'recon into managed objects': (project: TestProject) => project.syncline(['recon', 'hr_user']),
  liveSync: (project: TestProject) => project.syncline(['livesync', 'system/hr/account']),
  'a plan that is applied': (project: TestProject) => {
    project.syncline(['plan', 'hr_dir', '--out', project.path('plan.ndjson')])
    project.syncline(['apply', project.path('plan.ndjson')])
  },
} as const
type Trigger = keyof typeof triggers
const triggerNames: readonly Trigger[] = [
  'recon into a file',
  'recon into managed objects',
  'liveSync',
  'a plan that is applied',
]

/** Accounts and links, by the ids that they had before. */
function found(project: TestProject) {
  const rows = project.read('data/dir.csv').split('\n').slice(1)
  const users = project.json<{ result: { uid?: string }[] }>('query', 'managed/user').result
  const links = (mapping: string) =>
    project.json<{ result: { firstId: string }[] }>('query', 'repo/link', `linkType eq "${mapping}"`).result
  const ids = (values: readonly (string | undefined)[]) =>
    values.filter((id) => /^p\d+$/.test(id ?? '')).length
  return {
    rows: ids(rows.map((row) => row.split(',')[0]?.replaceAll('"', ''))),
    users: ids(users.map(({ uid }) => uid)),
    links: Math.min(
      ...['hr_dir', 'hr_user'].map((mapping) => ids(links(mapping).map(({ firstId }) => firstId))),
    ),
  }
}

it('the accounts and links are found', () => {
  expect(found(intact)).toEqual({ rows: people, users: people, links: people })
})

it('whatever becomes of an export, no trigger deletes or unlinks beyond the guard', () => {
  const damaged = fc.record({
    damage: fc.constantFrom(...everyDamage),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    trigger: fc.constantFrom(...triggerNames),
    again: fc.constantFrom(...triggerNames),
  })
  fc.assert(
    fc.property(damaged, ({ damage: [name, damage], at, trigger, again }) => {
      using project = new TestProject()
      rmSync(project.folder, { recursive: true })
      cpSync(intact.folder, project.folder, { recursive: true })
      writeFileSync(project.path('data/hr.csv'), damage(intact.bytes('data/hr.csv'), at))
      triggers[trigger](project)
      triggers[again](project)
      const { rows, users, links } = found(project)
      const where = `${name}, at ${at}, by ${trigger} and ${again}`
      // Two triggers may each take what one is allowed.
      const least = trigger === again ? people - allowed : people - 2 * allowed
      expect(rows, where).toBeGreaterThanOrEqual(least)
      expect(users, where).toBeGreaterThanOrEqual(least)
      expect(links, where).toBeGreaterThanOrEqual(least)
    }),
    { numRuns: damages },
  )
})
