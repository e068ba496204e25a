import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseFilter } from '../model/filter/parse.ts'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { mask } from '../model/secrecy.ts'
import type { AuditEvent } from '../repository/audit.ts'
import type { Repository } from '../repository/repository.ts'
import type { RequestContext, Resource, ResourceProvider, Resources } from '../router/resources.ts'
import { router } from '../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../testing/store.ts'
import { auditProvider, auditStoreProvider } from './resource.ts'
import { AuditService } from './service.ts'
import { type AuditSettings, readSettings } from './settings.ts'
import { recordingActivity } from './system-activity.ts'
import type { RunFilter } from './trail.ts'

const context: RequestContext = {
  external: false,
  userId: 'ann',
  roles: ['openidm-admin'],
  transactionId: 't',
}

let folder: string
let store: TemporaryStore
let stored: Repository
let audit: AuditService
let resources: Resources
let logged: string[]
let printed: string
let table: Map<string, JsonObject>

/** A table of a system, or an endpoint, that a router handler writes to. */
const tableProvider: ResourceProvider = {
  async create(path, id, content) {
    const key = `${path}/${id}`
    if (table.has(key)) throw new Problem('PRECONDITION_FAILED', 'there already')
    table.set(key, content)
    return { ...content, _id: String(id) }
  },
  async update(_path, _rev, content) {
    return { ...content, _id: 'x' } as Resource
  },
  query: async () => ({ result: [{ _id: 'from the table' }], cookie: null }),
}

const runFilter: RunFilter = async ({ source }, events) => {
  if (source === 'throw') throw new Error('no such variable')
  return events.map((event) => event.content.objectId === source)
}
const configure = (content: object) =>
  audit.configure({ settings: settingsOf(content), isSecret: (name) => name === 'pin', runFilter })

async function open(content: object = {}): Promise<void> {
  audit = new AuditService({
    ...{ repository: stored, resources: () => resources, fileKey: () => Buffer.alloc(32, 1), interval: 5 },
    log: (_level, message) => logged.push(message),
    print: async (text) => {
      printed += text
    },
  })
  await configure(content)
  const log = (_level: string, message: string) => logged.push(message)
  const activity = { audit, fullObjects: false, isSecret: (name: string) => name === 'pin', log }
  resources = router({
    audit: auditProvider({ audit, resources: () => resources }),
    'repo/audit': auditStoreProvider({ audit }),
    table: recordingActivity(tableProvider, { ...activity, root: 'table', recordsWrites: true }),
  })
}
const settingsOf = (content: object): AuditSettings => readSettings(content as never, folder).settings

beforeEach(async () => {
  store = await temporaryStore()
  stored = store.repository
  folder = store.folder
  ;[logged, printed, table] = [[], '', new Map()]
  await open()
})
afterEach(async () => {
  await audit[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
})

const event = (id: string, topic: string, content: JsonObject = {}): AuditEvent => ({
  ...{ id, topic, timestamp: '2026-01-01T00:00:00Z', content },
})
const entries = async (topic: string) =>
  (await resources.query(`audit/${topic}`, { filter: parseFilter('true') }, context)).result
const ids = async (topic: string) => (await entries(topic)).map(({ _id }) => _id)

describe('what is recorded', () => {
  it('goes through filters before it is stored, in transactions and outside', async () => {
    await open({ eventTopics: { sync: { filter: { actions: ['create'] } } } })
    await audit.repository.audit.append([
      event('1', 'sync', { action: 'CREATE' }),
      event('2', 'sync', { action: 'UNLINK' }),
    ])
    await audit.repository.transaction((store) =>
      store.audit.append([
        event('3', 'sync', { action: 'UNLINK' }),
        event('4', 'sync', { action: 'CREATE' }),
      ]),
    )
    expect(await ids('sync')).toEqual(['1', '4'])
    expect(await stored.audit.verify()).toMatchObject({ chained: 2, broken: undefined })
  })

  it('loses its secrets, wherever it was recorded', async () => {
    await audit.repository.audit.append([
      event('1', 'activity', {
        after: { password: 'x', key: { $crypto: {} } },
        changes: { '/password': { after: mask } },
      }),
    ])
    expect(await entries('activity')).toEqual([
      { _id: '1', after: {}, changes: { '/password': { after: mask } } },
    ])
  })

  it('is asked of a script, and kept if that fails', async () => {
    await open({
      eventTopics: {
        activity: { filter: { script: { type: 'text/javascript', source: 'managed/user/1' } } },
        config: { filter: { script: { type: 'text/javascript', source: 'throw' } } },
      },
    })
    await audit.repository.audit.append([
      event('1', 'activity', { objectId: 'managed/user/1' }),
      event('2', 'activity', { objectId: 'managed/user/2' }),
      event('3', 'config', { objectId: 'config/sync' }),
    ])
    expect([await ids('activity'), await ids('config')]).toEqual([['1'], ['3']])
    expect(logged).toEqual([expect.stringMatching(/audit filter of config failed.*no such variable/)])
  })

  it('says of activities what is watched, and what is a password', async () => {
    await open({
      eventTopics: { activity: { watchedFields: ['mail', '/address'], passwordFields: ['pin'] } },
    })
    await audit.repository.audit.append([
      event('1', 'activity', {
        changedFields: ['/mail', '/address/city', '/sn', '/pin'],
        passwordChanged: false,
      }),
      event('2', 'activity', { changedFields: ['/sn'], passwordChanged: true }),
    ])
    expect(await entries('activity')).toMatchObject([
      { changedFields: ['/mail', '/address/city'], passwordChanged: true },
      { changedFields: [], passwordChanged: false },
    ])
  })

  it('blocks no request, and is all there after an orderly stop', async () => {
    for (let n = 0; n < 500; n++) audit.record(event(`${n}`, 'access'))
    await audit[Symbol.asyncDispose]()
    expect(await stored.audit.verify()).toMatchObject({ chained: 500 })
  })

  it('follows new settings at once, and handlers go on where they stopped', async () => {
    const json = (name: string) => ({
      class: 'JsonAuditEventHandler',
      config: { name, logDirectory: name, topics: ['sync'] },
    })
    await open({ eventHandlers: [json('one')] })
    await audit.start()
    await audit.repository.audit.append([event('1', 'sync')])
    await configure({ eventHandlers: [json('two')] })
    await audit.repository.audit.append([event('2', 'sync')])
    await configure({ eventHandlers: [json('one'), json('two')] })
    await audit[Symbol.asyncDispose]()
    const lines = (name: string) =>
      readFileSync(join(folder, name, 'sync.audit.json'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)._id)
    expect([lines('one'), lines('two')]).toEqual([['1', '2'], ['2']])
  })
})

describe('handlers that keep nothing themselves', () => {
  it('print lines with their topics, or create objects below a path, which is no activity in turn', async () => {
    await open({
      auditServiceConfig: { handlerForQueries: 'table' },
      eventHandlers: [
        { class: 'JsonStdoutAuditEventHandler', config: { name: 'out', topics: ['sync'] } },
        {
          class: 'RouterAuditEventHandler',
          config: { name: 'table', resourcePath: 'table', topics: ['sync', 'activity'] },
        },
      ],
    })
    table.set('sync/1', {})
    await audit.start()
    await audit.repository.audit.append([
      event('1', 'sync', { a: 1 }),
      event('2', 'sync'),
      event('3', 'recon'),
    ])
    await audit[Symbol.asyncDispose]()
    expect(
      printed
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { topic: 'sync', _id: '1', a: 1 },
      { topic: 'sync', _id: '2' },
    ])
    expect([...table.keys()]).toEqual(['sync/1', 'sync/2'])
    expect(await ids('sync')).toEqual(['from the table'])
    expect((await stored.audit.query('activity', { filter: parseFilter('true') })).result).toEqual([])
  })
})

describe('retention', () => {
  it('removes what is too old or too much, and the chain holds', async () => {
    await open({ retention: { access: { maxAge: '1 day' }, sync: { maxEvents: 2 } } })
    await stored.audit.append([
      event('old', 'access'),
      { ...event('new', 'access'), timestamp: new Date().toISOString() },
      ...['1', '2', '3'].map((id) => event(id, 'sync')),
      event('other', 'recon'),
    ])
    await audit.start()
    await expect.poll(() => ids('sync')).toEqual(['2', '3'])
    expect([await ids('access'), await ids('recon')]).toEqual([['new'], ['other']])
    expect(await entries('retention')).toMatchObject([
      { topic: 'access', reason: 'maxAge', removed: 1, userId: 'system' },
      { topic: 'sync', reason: 'maxEvents', removed: 1 },
    ])
    expect(await stored.audit.verify()).toMatchObject({ removed: 2, broken: undefined })
    expect(logged).toEqual(['audit: 2 events need not be kept any longer, and were removed'])
  })

  it('takes nothing for old because the clock was set forward', async () => {
    await open({ retention: { access: { maxAge: '1 day' }, sync: { maxEvents: 2 } } })
    const timestamp = new Date().toISOString()
    await stored.audit.append([
      { ...event('new', 'access'), timestamp },
      ...['1', '2', '3'].map((id) => event(id, 'sync')),
    ])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 365 * 86_400_000 })
    try {
      await audit.start()
      await expect.poll(() => ids('sync')).toEqual(['2', '3'])
      expect(await ids('access')).toEqual(['new'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('keeps what a handler has still to write', async () => {
    await open({
      retention: { sync: { maxEvents: 0 } },
      eventHandlers: [
        { class: 'RouterAuditEventHandler', config: { name: 'table', resourcePath: 'nowhere' } },
      ],
    })
    await audit.start()
    await stored.audit.append([event('1', 'sync')])
    await audit.configure({ settings: audit.trail.settings, isSecret: () => false, runFilter })
    await audit[Symbol.asyncDispose]()
    expect(await stored.audit.read('sync', '1')).toBeDefined()
  })

  const run = (reconId: string, mapping: string, timestamp: string): AuditEvent[] =>
    ['start', 'entry', 'summary'].map((entryType) => ({
      ...event(`${reconId}-${entryType}`, 'recon', { reconId, mapping, entryType, eventName: 'recon' }),
      timestamp,
    }))
  const command = (parameters: Record<string, string>) =>
    resources.action('repo/audit/recon', { name: 'command', content: {}, parameters }, context)
  const runsLeft = async () => [...new Set((await entries('recon')).map(({ reconId }) => reconId))]

  it.each([
    [{ commandId: 'purge-by-recon-number-of', numberOf: '1' }, 6, ['c']],
    [{ commandId: 'purge-by-recon-number-of', numberOf: '1', includeMapping: 'hr%' }, 3, ['b', 'c']],
    [{ commandId: 'purge-by-recon-number-of', numberOf: '0', excludeMapping: 'hr_user' }, 3, ['a', 'b']],
    [{ commandId: 'purge-by-recon-ids-to-keep', reconIds: 'b, c' }, 3, ['b', 'c']],
    [{ commandId: 'purge-by-recon-ids-to-keep', reconIds: 'c', includeMapping: 'hr%' }, 6, ['c']],
    [{ commandId: 'purge-by-recon-expired', timestamp: '2026-01-02T00:00:00Z' }, 3, ['b', 'c']],
    [
      { commandId: 'purge-by-recon-expired', timestamp: '2027-01-01T00:00:00+01:00', mapping: 'hr_user' },
      6,
      ['c'],
    ],
  ])('of whole runs is a command: %j', async (parameters, removed, left) => {
    await stored.audit.append([
      ...run('a', 'hr_user', '2026-01-01T00:00:00Z'),
      ...run('b', 'hr_user', '2026-01-02T00:00:00Z'),
      ...run('c', 'user_dir', '2026-01-03T00:00:00Z'),
    ])
    expect(await command(parameters as never)).toBe(removed)
    expect(await runsLeft()).toEqual(left)
    expect(await stored.audit.verify()).toMatchObject({ removed, broken: undefined })
    expect(await entries('retention')).toMatchObject([{ userId: 'ann', reason: parameters.commandId }])
  })

  it.each([
    {},
    { commandId: 'drop' },
    { commandId: 'purge-by-recon-number-of' },
    { commandId: 'purge-by-recon-expired' },
    { commandId: 'purge-by-recon-ids-to-keep' },
    { commandId: 'purge-by-recon-ids-to-keep', reconIds: '' },
  ])('refuses a command that does not say what it means: %j', async (parameters) => {
    await expect(command(parameters as never)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('entries over REST', () => {
  const create = (path: string, content: JsonObject, id?: string) =>
    resources.create(path, id, content, context)

  it('are made whole, redacted and chained', async () => {
    const made = await create('audit/access', { eventName: 'vpn', status: 'SUCCESS', password: 'x' }, 'mine')
    expect(made).toMatchObject({ _id: 'mine', eventName: 'vpn', transactionId: 't', userId: 'ann' })
    expect(made).not.toHaveProperty('password')
    expect(await resources.read('audit/access/mine', context)).toEqual(made)
    expect(await stored.audit.verify()).toMatchObject({ chained: 1, broken: undefined })
    await expect(create('audit/access', {}, 'mine')).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  })

  it.each([
    ['audit/activity', {}, 'objectId is missing; operation is missing'],
    ['audit/authentication', { result: 'MAYBE' }, 'result must be SUCCESSFUL or FAILED'],
    [
      'audit/access',
      { timestamp: 'yesterday', roles: 'all', http: [] },
      'timestamp must be an ISO 8601 time',
    ],
    ['audit/access', { _id: 'other' }, 'is not the one of the path'],
  ])('that are none are refused: %s %j', async (path, content, message) => {
    await expect(create(path, content as never, 'a')).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining(message),
    })
  })

  it('of what was removed are made only by Syncline, and none is ever changed', async () => {
    await expect(create('audit/retention', { digest: 'x' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(create('audit/gossip', {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(resources.update('audit/access/a', undefined, {}, context)).rejects.toMatchObject({
      code: 'NOT_IMPLEMENTED',
    })
  })

  it('have actions beside them', async () => {
    await open({
      eventTopics: { activity: { watchedFields: ['mail', 'sn'], passwordFields: ['password', 'pin'] } },
    })
    const action = (name: string, content: JsonObject = {}, parameters = {}) =>
      resources.action('audit', { name, content, parameters }, context)
    const both = { before: { mail: 'a', sn: 'b', pin: 1 }, after: { mail: 'a', pin: 2 } }
    expect(await action('getChangedWatchedFields', both)).toEqual(['/sn'])
    expect(await action('getChangedPasswordFields', both)).toEqual(['/pin'])
    expect(await action('availableHandlers')).toContainEqual({
      ...{ class: 'org.forgerock.audit.handlers.csv.CsvAuditEventHandler', isUsableForQueries: false },
    })
    expect(await action('rotate')).toEqual({ status: 'OK' })
    await expect(action('rotate', {}, { handler: 'csv' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(action('explode')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('calls on systems', () => {
  it('are activities: what was done, by whom, and what of', async () => {
    await resources.create('table/account', 'jo', { mail: 'a', pin: '1' }, context)
    await resources.update('table/account/jo', undefined, { mail: 'b' }, context)
    await expect(resources.create('table/account', 'jo', {}, context)).rejects.toThrow('there already')
    await resources.query('table/account', { filter: parseFilter('true') }, context)
    expect(await entries('activity')).toMatchObject([
      {
        ...{
          objectId: 'table/account/jo',
          operation: 'CREATE',
          userId: 'ann',
          runAs: 'ann',
          status: 'SUCCESS',
        },
        ...{ before: null, after: null, changedFields: ['/mail', '/pin'], passwordChanged: true },
      },
      { operation: 'UPDATE', changedFields: ['/mail'], passwordChanged: false },
      { objectId: 'table/account', operation: 'CREATE', status: 'FAILURE', message: 'there already' },
    ])
  })

  it('are read and queried on record where a filter says so', async () => {
    await open({ eventTopics: { activity: { filter: { actions: ['query'] } } } })
    await resources.query('table/account', { filter: parseFilter('true') }, context)
    await resources.create('table/account', 'jo', {}, context)
    expect(await entries('activity')).toMatchObject([{ objectId: 'table/account', operation: 'QUERY' }])
  })
})
