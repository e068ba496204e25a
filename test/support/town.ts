/**
 * A project in which one run has everything to do: people who join, leave, are no longer wanted, change, get another
 * login, and one whose account somebody deleted. No correlation: only links and intents know who is who.
 */
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { JsonObject } from '../../src/model/json.ts'
import { openApplication } from '../../src/syncline.ts'
import { environment } from './environment.ts'
import { csvConnector, TestProject } from './project.ts'

export type Town = 'file' | 'managed'

const mapping = 'town'
const person = (uid: number, login = `login${uid}`, name = `Person ${uid}`, active = 'yes') =>
  [uid, login, name, active].join(',')
const csv = (rows: readonly string[]) => `${['uid,login,name,active', ...rows].join('\n')}\n`

const before = Array.from({ length: 20 }, (_, index) => person(index + 1))
const after = [
  ...before.slice(0, 8),
  person(9, 'login9', 'Person Nine'),
  person(10, 'login10', 'Person Ten'),
  person(11, 'eleven'),
  person(12, 'twelve'),
  person(13, 'login13', 'Person 13', 'no'),
  person(14, 'login14', 'Person 14', 'no'),
  person(15),
  // 16 to 18 have left; the accounts of 15 and 20 are gone.
  person(19),
  person(20, 'twenty'),
  ...[21, 22, 23, 24].map((uid) => person(uid)),
]

/** In the state before the run that is to be disturbed. */
export async function town(kind: Town, settings: JsonObject = {}): Promise<TestProject> {
  const project = new TestProject()
  project.write('data/hr.csv', csv(before))
  project.write('out/out.csv', 'login,name\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'login', 'name', 'active']))
  const csvFile = '&{launcher.project.location}/out/out.csv'
  project.write('conf/provisioner.openicf-out.json', csvConnector('out', ['login', 'name'], { csvFile }))
  const schema = { type: 'object', properties: { login: { type: 'string' }, name: { type: 'string' } } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  project.write(`conf/mapping-${mapping}.json`, {
    source: 'system/hr/account',
    target: kind === 'file' ? 'system/out/account' : 'managed/user',
    sourceCondition: '/source/active eq "yes"',
    properties: [
      { source: 'login', target: 'login' },
      { source: 'name', target: 'name' },
    ],
    policies: [
      { situation: 'MISSING', action: 'CREATE' },
      { situation: 'SOURCE_MISSING', action: 'DELETE' },
    ],
    ...settings,
  })
  project.json('recon', mapping)
  project.write('data/hr.csv', csv(after))
  await loseAccounts(project, kind, ['login15', 'login20'])
  return project
}

export const disturbed = ['recon', mapping, '--json']

/** Makes `project` what `template` is. */
export function restore(project: TestProject, template: TestProject): void {
  rmSync(project.folder, { recursive: true, force: true })
  cpSync(template.folder, project.folder, { recursive: true })
}

async function loseAccounts(project: TestProject, kind: Town, logins: readonly string[]): Promise<void> {
  if (kind === 'file') {
    project.edit('out/out.csv', (text) =>
      text
        .split('\n')
        .filter((row) => !logins.some((login) => row.startsWith(`"${login}"`)))
        .join('\n'),
    )
    return
  }
  await using application = await openApplication({
    projectFolder: project.folder,
    dataFolder: project.path('.syncline'),
    environment,
    flags: {},
    log: () => {},
  })
  using db = store(project)
  for (const { id, content } of objects(db)) {
    if (logins.includes(JSON.parse(content).login))
      await application.resources.delete(`managed/user/${id}`, undefined, application.administrator)
  }
}

/** What must be the same however often the run was disturbed. Ids of managed objects are not: they are made anew. */
export function endState(project: TestProject) {
  using db = store(project)
  const stored = objects(db)
  const loginOf = new Map(stored.map(({ id, content }) => [id, JSON.parse(content).login as string]))
  const links = db.prepare('SELECT first_id AS source, second_id AS target FROM links').all()
  return {
    integrity: db.prepare('PRAGMA integrity_check').get()?.integrity_check,
    intents: db.prepare('SELECT count(*) AS n FROM intents').get()?.n,
    links: links
      .map(({ source, target }) => `${source} → ${loginOf.get(target as string) ?? target}`)
      .toSorted(),
    accounts: stored
      .map(({ content }) => JSON.parse(content))
      .map(({ login, name }) => `${login}, ${name}`)
      .toSorted(),
    rows: project.read('out/out.csv').split('\n').toSorted(),
    files: readdirSync(project.path('out')),
  }
}

function store(project: TestProject): DatabaseSync {
  return new DatabaseSync(project.path('.syncline/syncline.db'))
}

function objects(db: DatabaseSync): { id: string; content: string }[] {
  const collection = db.prepare("SELECT id FROM collections WHERE name = 'managed/user'").get()
  if (!collection) return []
  return db.prepare(`SELECT id, content FROM objects_${collection.id}`).all() as never
}
