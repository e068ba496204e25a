import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { TestDatabase } from '../../src/connectors/sql/testing/server.ts'
import { root, TestProject } from './project.ts'
import { type Server, serve } from './server.ts'

/** People with their cars, teams and organizations: five tables of a database, reached by scripts. */

const text = { type: 'string', nativeType: 'string' }
const named = (nativeName: string) => ({ ...text, nativeName })
const listOf = (nativeName: string, ...members: readonly string[]) => ({
  ...{ type: 'array', nativeName, nativeType: 'object' },
  items: { type: 'object', properties: Object.fromEntries(members.map((member) => [member, text])) },
})
const typeOf = (nativeType: string, properties: object) => ({
  ...{ $schema: 'http://json-schema.org/draft-03/schema', id: nativeType, type: 'object', nativeType },
  properties,
})

const objectTypes = {
  person: typeOf('__ACCOUNT__', {
    login: { ...named('__NAME__'), required: true },
    firstName: named('firstname'),
    lastName: named('lastname'),
    email: named('email'),
    organization: named('organization'),
    cars: listOf('cars', 'year', 'make', 'model'),
    password: { ...named('__PASSWORD__'), flags: ['NOT_READABLE', 'NOT_RETURNED_BY_DEFAULT'] },
  }),
  team: typeOf('__GROUP__', {
    title: { ...named('__NAME__'), required: true },
    description: named('description'),
    members: listOf('members', 'login'),
  }),
  organization: typeOf('organization', {
    title: { ...named('__NAME__'), required: true },
    description: named('description'),
  }),
}

const properties = [
  { source: 'login', target: 'userName' },
  { source: 'firstName', target: 'givenName' },
  { source: 'lastName', target: 'sn' },
  { source: 'email', target: 'mail' },
  { source: 'cars', target: 'cars' },
]
const both = [
  { situation: 'ABSENT', action: 'CREATE' },
  { situation: 'FOUND', action: 'UPDATE' },
  { situation: 'CONFIRMED', action: 'UPDATE' },
  { situation: 'SOURCE_MISSING', action: 'DELETE' },
]

async function fill({ name, run }: TestDatabase): Promise<void> {
  const key = {
    SQLite: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    PostgreSQL: 'INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    MariaDB: 'INTEGER AUTO_INCREMENT PRIMARY KEY',
  }[name]
  const words = 'VARCHAR(64)'
  const statements = [
    `CREATE TABLE people (id ${key}, login ${words} NOT NULL UNIQUE, first_name ${words}, last_name ${words}, email ${words}, organization ${words}, password ${words})`,
    `CREATE TABLE cars (person INTEGER NOT NULL, place INTEGER NOT NULL, year ${words}, make ${words}, model ${words})`,
    `CREATE TABLE teams (id ${key}, title ${words} NOT NULL UNIQUE, description ${words})`,
    `CREATE TABLE team_members (team INTEGER NOT NULL, place INTEGER NOT NULL, login ${words} NOT NULL)`,
    `CREATE TABLE organizations (id ${key}, title ${words} NOT NULL UNIQUE, description ${words})`,
    "INSERT INTO people (login, first_name, last_name, email, organization) VALUES ('ada', 'Ada', 'Byron', 'ada@example.com', 'Sales'), ('cleo', 'Cleo', 'Dietz', 'cleo@example.com', 'Works')",
    "INSERT INTO cars (person, place, year, make, model) VALUES (1, 0, '1979', 'Opel', 'Kadett'), (1, 1, '2013', 'Tatra', '815')",
    "INSERT INTO teams (title, description) VALUES ('drivers', 'Who may drive')",
    "INSERT INTO team_members (team, place, login) VALUES (1, 0, 'ada')",
    "INSERT INTO organizations (title, description) VALUES ('Sales', 'Sells'), ('Works', 'Makes')",
  ]
  for (const statement of statements) await run(statement)
}

function projectOn({ settings }: TestDatabase): TestProject {
  const project = new TestProject()
  cpSync(join(root, 'test/support/fleet'), project.path('script/fleet'), { recursive: true })
  project.write('conf/provisioner.openicf-fleet.json', {
    name: 'fleet',
    connectorRef: {
      bundleName: 'org.openidentityplatform.openicf.connectors.groovy-connector',
      bundleVersion: '[2.0.0.0,3)',
      connectorName: 'org.forgerock.openicf.connectors.scriptedsql.ScriptedSQLConnector',
    },
    configurationProperties: {
      ...settings,
      scriptRoots: ['&{launcher.project.location}/script/fleet'],
      ...{ searchScriptFileName: 'search.js', createScriptFileName: 'create.js' },
      ...{ updateScriptFileName: 'update.js', deleteScriptFileName: 'delete.js' },
    },
    systemActions: [
      {
        scriptId: 'retire',
        actions: [
          {
            systemType: '.*ScriptedSQLConnector',
            actionType: 'JavaScript',
            actionFile: 'script/fleet/retire.js',
          },
          { systemType: '.*LdapConnector', actionType: 'JavaScript', actionSource: 'no.such.thing' },
        ],
      },
      { scriptId: 'old', actions: [{ systemType: '.*', actionType: 'groovy', actionSource: 'return 1' }] },
    ],
    objectTypes,
  })
  const string = { type: 'string' }
  const schema = { userName: string, givenName: string, sn: string, mail: string, cars: { type: 'array' } }
  project.write('conf/managed.json', {
    objects: [{ name: 'user', schema: { type: 'object', properties: { ...schema, password: string } } }],
  })
  const backwards = properties.map(({ source, target }) => ({ source: target, target: source }))
  project.write('conf/sync.json', {
    mappings: [
      {
        ...{ name: 'fleet_users', source: 'system/fleet/person', target: 'managed/user', policies: both },
        properties,
      },
      {
        ...{ name: 'users_fleet', source: 'managed/user', target: 'system/fleet/person', policies: both },
        ...{ links: 'fleet_users', enableSync: true },
        properties: [...backwards, { source: 'password', target: 'password' }],
      },
    ],
  })
  return project
}

/** What holds on every database. */
export function childTables(database: () => TestDatabase): void {
  it('carries lists of objects in tables of their own both ways, and writes nothing a second time', async () => {
    await fill(database())
    using project = projectOn(database())
    await using server = await serve(project)
    const recon = async (mapping: string) => (await reconciled(server, mapping)).situationSummary
    const list = async (path: string, filter = 'true') =>
      (await server.call('GET', `${path}?_queryFilter=${encodeURIComponent(filter)}`)).body.result

    expect(await recon('fleet_users')).toMatchObject({ ABSENT: 2 })
    const [ada] = await list('managed/user', 'userName eq "ada"')
    expect(ada.cars).toEqual([
      { year: '1979', make: 'Opel', model: 'Kadett' },
      { year: '2013', make: 'Tatra', model: '815' },
    ])

    const cars = [{ year: '2020', make: 'Škoda', model: 'Fabia "R5"' }]
    const patch = [{ operation: 'replace', field: '/cars', value: cars }]
    await server.call('PATCH', `managed/user/${ada._id}`, { body: patch })
    expect(await list('system/fleet/person', 'login eq "ada"')).toMatchObject([{ _id: '1', cars }])

    const body = {
      userName: 'eve',
      givenName: 'Eve',
      sn: 'Fox',
      mail: 'eve@example.com',
      cars,
      password: 's3cret',
    }
    expect((await server.call('POST', 'managed/user?_action=create', { body })).status).toBe(201)
    const [eve] = await list('system/fleet/person', 'login eq "eve"')
    expect(eve).toMatchObject({ firstName: 'Eve', cars })
    expect(await database().run('SELECT password FROM people WHERE id = 3')).toEqual([['s3cret']])

    for (const mapping of ['users_fleet', 'fleet_users']) {
      const run = await reconciled(server, mapping)
      expect(run.situationSummary).toMatchObject({ CONFIRMED: 3, ABSENT: 0 })
      expect(run.statusSummary).toMatchObject({ FAILURE: 0 })
    }
    const gone = await server.call('DELETE', `system/fleet/person/${eve._id}`)
    expect(gone.status).toBe(200)
    expect(await list('system/fleet/person')).toHaveLength(2)
    expect(Number((await database().run('SELECT count(*) FROM cars'))[0]?.[0])).toBe(1)

    expect(await list('system/fleet/team')).toMatchObject([{ title: 'drivers', members: [{ login: 'ada' }] }])
    const members = [{ login: 'cleo' }, { login: 'ada' }]
    await server.call('PUT', 'system/fleet/team/1', { body: { title: 'drivers', members } })
    expect(await list('system/fleet/team')).toMatchObject([{ members }])
    expect(await list('system/fleet/organization', 'title eq "Works"')).toMatchObject([
      { description: 'Makes' },
    ])

    const script = (id: string, given: object = {}) =>
      server.call('POST', `system/fleet?_action=script&scriptId=${id}`, { body: given })
    const retired = await script('retire', { before: '2021' })
    expect(retired.body).toEqual({ actions: [{ result: { retired: 1 } }] })
    const failed = await script('retire')
    expect(failed.body.actions).toEqual([{ error: expect.stringMatching(/before is not defined.*line 2/) }])
    expect((await script('old')).body.actions).toEqual([{ error: expect.stringContaining('groovy') }])
    expect((await script('none')).status).toBe(404)
  })
}

async function reconciled(server: Server, mapping: string) {
  const started = await server.call('POST', `recon?_action=recon&mapping=${mapping}&waitForCompletion=true`)
  return (await server.call('GET', `recon/${started.body._id}`)).body
}
