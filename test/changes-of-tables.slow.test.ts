/** Slow: a table changes by chance while the server that follows it is killed again and again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresServer, type TestServer } from '../src/connectors/sql/testing/databases.ts'
import type { Person } from './support/changing-people.ts'
import { followWhileKilled } from './support/followed-people.ts'
import { TestProject } from './support/project.ts'
import { everySecond } from './support/scheduled-town.ts'
import { type Server, serve } from './support/server.ts'
import { synclineAccount, tablePeople } from './support/table-people.ts'

/** `SYNCLINE_CHANGES=5000` changes as often, and kills the server ten times. */
const changes = Number(process.env.SYNCLINE_CHANGES ?? 300)
const kills = changes >= 1000 ? 10 : 4
const source = 'system/hr/account'
const stage = 'repo/synchronisation/pooledSyncStage/SYSTEMHRACCOUNT'

let database: TestServer
beforeAll(async () => {
  database = await postgresServer()
  await database.run(`CREATE ROLE ${synclineAccount} LOGIN REPLICATION`)
})
afterAll(() => database[Symbol.asyncDispose]())

const ways: readonly (readonly [name: string, settings: object])[] = [
  ['by stamp and key, and the keys', { changeLogColumn: 'changed', detectDeletes: true }],
  ['by the log of PostgreSQL', { replicationSlot: 'syncline_people' }],
  ['by a snapshot', {}],
]

/** Users that follow the rows of a table, and rows that follow the users. */
function bothWays(project: TestProject, configurationProperties: object): void {
  const text = { type: 'string' }
  const properties = { name: text, number: text, unit: text, mail: text }
  project.write('conf/provisioner.openicf-hr.json', {
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.databasetable-connector',
      bundleVersion: '[1.1,2)',
      connectorName: 'org.identityconnectors.databasetable.DatabaseTableConnector',
    },
    configurationProperties,
    objectTypes: {
      account: {
        nativeType: '__ACCOUNT__',
        properties: { ...properties, name: { ...text, nativeName: '__NAME__', required: true } },
      },
    },
  })
  project.write('conf/managed.json', { objects: [{ name: 'user', schema: { type: 'object', properties } }] })
  const same = Object.keys(properties).map((name) => ({ source: name, target: name }))
  project.write('conf/mapping-hr_user.json', {
    ...{ source, target: 'managed/user', guard: false, allowEmptySourceSet: true, properties: same },
    policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
  })
  project.write('conf/mapping-user_hr.json', {
    ...{ source: 'managed/user', target: source, links: 'hr_user', properties: same },
    policies: [
      { situation: 'SOURCE_MISSING', action: 'DELETE' },
      { situation: 'MISSING', action: 'IGNORE' },
      { situation: 'LINK_ONLY', action: 'UNLINK' },
      { situation: 'UNASSIGNED', action: 'IGNORE' },
    ],
  })
}

function everySecondFollowing(project: TestProject): void {
  project.write('conf/schedule-follow.json', {
    ...{ ...everySecond, invokeService: 'provisioner' },
    invokeContext: { action: 'liveSync', source },
  })
}

async function users(server: Server) {
  const { result } = (await server.call('GET', 'managed/user?_queryFilter=true')).body
  return result as readonly (Person & { readonly _id: string; readonly _rev: string })[]
}

async function copied(server: Server): Promise<readonly Person[]> {
  return (await users(server)).map(({ number, name, unit, mail }) => ({ number, name, unit, mail }))
}

describe.each(ways)('a table that is followed %s', (way, settings) => {
  const open = async (project: TestProject, table: string) => {
    const place = await tablePeople(database, table)
    const slot = 'replicationSlot' in settings && { replicationSlot: `syncline_${table}` }
    const reached = { ...database.settings, user: synclineAccount, table, keyColumn: 'name' }
    bothWays(project, { ...reached, ...settings, ...slot })
    return place
  }
  const name = (kind: string) => `${kind}${ways.findIndex(([one]) => one === way)}`

  it('has every change carried over, however often the server is killed, and no change comes back', {
    timeout: 600_000 + changes * 2_000,
  }, async () => {
    using project = new TestProject()
    const place = await open(project, name('chances'))
    everySecondFollowing(project)
    const followed = { project, place, stage, copied }
    const chances = { changes, kills, population: 200, pause: 20, resting: true }
    console.log(`${way}: ${await followWhileKilled(followed, chances)}`)
    expect(await place.writtenBySyncline()).toEqual([])
  })

  it('gets what was changed in Syncline by one write each, and these come back as nothing to do', async () => {
    using project = new TestProject()
    const place = await open(project, name('both'))
    await using server = await serve(project)
    const liveSync = async (parameters = '') => {
      const { status, body } = await server.call('POST', `${source}?_action=liveSync${parameters}`)
      expect([status, body.lastException]).toEqual([200, undefined])
      return body
    }
    for (const number of ['1', '2', '3', '4', '5'])
      await place.create({ number, name: `n${number}`, unit: 'people', mail: 'old' })
    await liveSync('&fromBeginning=true')
    const found = await users(server)
    expect(found).toHaveLength(5)
    const [changed, renamed, left] = found
    const patch = (user: { readonly _id: string } | undefined, field: string, value: string) =>
      server.call('PATCH', `managed/user/${user?._id}`, {
        body: [{ operation: 'replace', field, value }],
      })
    const answers = [
      await patch(changed, '/mail', 'new'),
      await patch(renamed, '/name', 'm2'),
      await server.call('DELETE', `managed/user/${left?._id}`),
      await server.call('PUT', 'managed/user/six', {
        body: { number: '6', name: 'n6', unit: 'people', mail: 'six' },
      }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 201])
    expect(await place.writtenBySyncline()).toEqual([changed?.name, 'm2', left?.name, 'n6'].toSorted())
    const written = await users(server)
    await liveSync()
    await liveSync()
    expect(await users(server)).toEqual(written)
    expect(await place.writtenBySyncline()).toHaveLength(4)
    const byName = (people: readonly Person[]) => people.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    expect(byName(await copied(server))).toEqual(byName(await place.people()))
  })
})
