import { afterEach, describe, expect, it } from 'vitest'
import { runs } from '../src/testing/runs.ts'
import { script } from '../src/testing/script.ts'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Implicit synchronization, in the scenarios of the specification (platform §11), over HTTP. */
const text = { type: 'string' }
const byLogin = (attribute: string) =>
  script(
    `var q = { _queryFilter: '${attribute} eq "' + source.${attribute === 'login' ? 'userName' : 'login'} + '"' }; q`,
  )

let project: TestProject
let server: Server

/** Managed users that go to a directory and to a payroll file, in this order. */
async function town(
  options: { readonly user?: object; readonly mapping?: object; readonly payroll?: object } = {},
): Promise<void> {
  project = new TestProject()
  project.write('data/dir.csv', 'login,mail\n')
  project.write('data/pay.csv', 'login,mail\n')
  project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'mail']))
  project.write('conf/provisioner.openicf-pay.json', csvConnector('pay', ['login', 'mail']))
  const properties = [
    { source: 'userName', target: 'login' },
    { source: 'mail', target: 'mail' },
  ]
  const policies = [
    { situation: 'SOURCE_MISSING', action: 'DELETE' },
    { situation: 'UNASSIGNED', action: 'IGNORE' },
  ]
  const mapping = (name: string, target: string, more: object = {}) => ({
    ...{ name, source: 'managed/user', target, properties, policies, correlationQuery: byLogin('login') },
    ...more,
  })
  project.write('conf/sync.json', {
    mappings: [
      mapping('user_dir', 'system/dir/account', options.mapping),
      mapping('user_pay', 'system/pay/account', options.payroll),
    ],
  })
  const schema = { type: 'object', properties: { userName: { ...text, searchable: true }, mail: text } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema, ...options.user }] })
  server = await serve(project)
}

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  project?.[Symbol.dispose]()
})

const users = 'managed/user'
const ann = { _id: 'ann', userName: 'ann', mail: 'ann@x' }
const create = (body: object = ann) => server.call('POST', `${users}?_action=create`, { body })
const put = (body: object) => server.call('PUT', `${users}/ann`, { body })
const remove = () => server.call('DELETE', `${users}/ann`)
const rows = (file: string) => project.read(`data/${file}.csv`).trim().split('\n').slice(1)
const audit = async () =>
  (await server.call('GET', 'audit/sync?_queryFilter=true')).body.result as Record<string, unknown>[]

describe('a change of a managed object', () => {
  it('reaches every system in the same request: made, changed, and gone', async () => {
    await town()
    expect((await create()).status).toBe(201)
    expect([rows('dir'), rows('pay')]).toEqual([['"ann","ann@x"'], ['"ann","ann@x"']])
    await put({ userName: 'ann', mail: 'new@x' })
    expect([rows('dir'), rows('pay')]).toEqual([['"ann","new@x"'], ['"ann","new@x"']])
    await server.call('PATCH', `${users}/ann`, {
      body: [{ operation: 'replace', field: '/mail', value: 'newer@x' }],
    })
    expect(rows('pay')).toEqual(['"ann","newer@x"'])
    await remove()
    expect([rows('dir'), rows('pay')]).toEqual([[], []])
    expect(
      (await audit()).map(({ mapping, situation, action, status }) => [mapping, situation, action, status]),
    ).toEqual([
      ...['user_dir', 'user_pay'].map((mapping) => [mapping, 'ABSENT', 'CREATE', 'SUCCESS']),
      ...['user_dir', 'user_pay'].map((mapping) => [mapping, 'CONFIRMED', 'UPDATE', 'SUCCESS']),
      ...['user_dir', 'user_pay'].map((mapping) => [mapping, 'CONFIRMED', 'UPDATE', 'SUCCESS']),
      ...['user_dir', 'user_pay'].map((mapping) => [mapping, 'SOURCE_MISSING', 'DELETE', 'SUCCESS']),
    ])
  })

  it('that changes nothing goes nowhere', async () => {
    await town()
    await create()
    const before = project.stamp('data/dir.csv')
    await put(ann)
    expect(project.stamp('data/dir.csv')).toEqual(before)
    expect(await audit()).toHaveLength(2)
  })

  it('goes through no mapping with enableSync off, and only on the properties that a mapping names', async () => {
    await town({ mapping: { enableSync: false }, payroll: { triggerSyncProperties: ['/mail'] } })
    await create()
    expect([rows('dir'), rows('pay')]).toEqual([[], ['"ann","ann@x"']])
    await put({ ...ann, userName: 'other' })
    expect(rows('pay')).toEqual(['"ann","ann@x"'])
    await put({ ...ann, userName: 'other', mail: 'other@x' })
    expect(rows('pay')).toEqual(['"other","other@x"'])
  })

  it('that a mapping fails on stays, the client gets no error, and later mappings are skipped', async () => {
    await town({ mapping: { validSource: script("throw 'not today'") } })
    expect((await create()).status).toBe(201)
    expect([rows('dir'), rows('pay')]).toEqual([[], []])
    expect((await audit()).map(({ mapping, status }) => [mapping, status])).toEqual([['user_dir', 'FAILURE']])
    const { status, body } = await server.call(
      'POST',
      'sync?_action=notifyCreate&resourceContainer=managed/user&resourceId=ann',
      { body: { newValue: ann } },
    )
    expect(status).toBe(409)
    expect(body.detail.map(({ mapping, result }: Record<string, unknown>) => [mapping, result])).toEqual([
      ['user_dir', 'FAILED'],
      ['user_pay', 'SKIPPED'],
    ])
    expect(body.detail[0]).toMatchObject({
      ...{ targetObjectSet: 'system/dir/account', linkQualifier: 'default', reconId: null, sourceId: 'ann' },
      cause: { code: 409, reason: 'Conflict', message: expect.stringContaining('not today') },
    })
  })

  it('that fails is passed to onSync, and the client gets what onSync throws', async () => {
    const onSync = script(`
      if (!syncResults.success) {
        throw { code: 503, message: syncResults.action + ' ' + syncResults.syncDetails.length + ' ' + newObject.mail }
      }`)
    await town({
      payroll: { validSource: script("if (source.mail === 'bad@x') { throw 'no' } true") },
      user: { onSync },
    })
    expect((await create()).status).toBe(201)
    const { status, body } = await put({ ...ann, mail: 'bad@x' })
    expect([status, body.message]).toEqual([503, expect.stringContaining('notifyUpdate 2 bad@x')])
  })

  it('is reverted everywhere by the compensation, if the last system fails', async () => {
    const payroll = { validSource: script("if (source.mail === 'bad@x') { throw 'no' } true") }
    await town({ payroll, user: { onSync: { type: 'text/javascript', file: 'compensate.js' } } })
    expect((await create()).status).toBe(201)
    const { status, body } = await put({ ...ann, mail: 'bad@x' })
    expect([status, body.message]).toEqual([409, expect.stringContaining('no')])
    expect((await server.call('GET', `${users}/ann`)).body.mail).toBe('ann@x')
    expect([rows('dir'), rows('pay')]).toEqual([['"ann","ann@x"'], ['"ann","ann@x"']])
    await remove()
    expect((await create({ ...ann, mail: 'bad@x' })).status).toBe(409)
    expect((await server.call('GET', `${users}/ann`)).status).toBe(404)
    expect([rows('dir'), rows('pay')]).toEqual([[], []])
  })
})

describe('an audit handler', () => {
  it('of the configuration writes what a server records, and goes on after a restart', async () => {
    await town()
    await server[Symbol.asyncDispose]()
    const config = { name: 'json', logDirectory: 'logs', topics: ['activity'] }
    project.write('conf/audit.json', {
      eventHandlers: [{ class: 'org.forgerock.audit.handlers.json.JsonAuditEventHandler', config }],
    })
    for (const mail of ['1@x', '2@x']) {
      server = await serve(project)
      await server.call('PUT', `${users}/ann`, { body: { userName: 'ann', mail } })
      await server[Symbol.asyncDispose]()
    }
    const lines = project.read('logs/activity.audit.json').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).operation)).toEqual(['CREATE', 'UPDATE'])
  })
})

describe('the history of an object', () => {
  it('has changes by users and their synchronization, on either side', async () => {
    await town()
    await create()
    await put({ ...ann, mail: 'new@x' })
    const history = async (path: string) => {
      const { result } = (await server.call('GET', `history/${path}?_queryFilter=true`)).body
      return result.map((entry: Record<string, string>) => [
        entry.topic,
        entry.role,
        entry.action,
        entry.userId,
      ])
    }
    const admin = 'openidm-admin'
    expect(await history('managed/user/ann')).toEqual([
      ...[
        ['sync', 'source', 'UPDATE', admin],
        ['sync', 'source', 'UPDATE', admin],
      ],
      ['activity', 'object', 'UPDATE', admin],
      ...[
        ['sync', 'source', 'CREATE', admin],
        ['sync', 'source', 'CREATE', admin],
      ],
      ['activity', 'object', 'CREATE', admin],
    ])
    expect(await history('system/dir/account/ann')).toEqual([
      ['sync', 'target', 'UPDATE', admin],
      ['sync', 'target', 'CREATE', admin],
    ])
    const { out } = project.syncline(['history', 'system/dir/account/ann'])
    expect(out).toMatch(/user_dir, by default, carried on for openidm-admin\n {4}~ mail: "ann@x" → "new@x"/)
    expect(project.syncline(['audit', 'verify']).out).toMatch(/^intact: \d+ events\. Last hash: /)
  })
})

describe('an HR file that feeds managed users', () => {
  it('reaches the other systems in the same run, and the mapping back finds the shared link and creates nothing', async () => {
    await town()
    await server[Symbol.asyncDispose]()
    project.write('data/hr.csv', 'login,mail\nann,ann@x\nbob,bob@x\n')
    project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['login', 'mail']))
    const properties = [
      { source: 'login', target: 'userName' },
      { source: 'mail', target: 'mail' },
    ]
    const back = [
      { source: 'userName', target: 'login' },
      { source: 'mail', target: 'mail' },
    ]
    project.write('conf/mapping-hr_user.json', {
      source: 'system/hr/account',
      target: 'managed/user',
      properties,
    })
    project.write('conf/mapping-user_hr.json', {
      ...{ source: 'managed/user', target: 'system/hr/account', links: 'hr_user', properties: back },
    })
    server = await serve(project)
    const { body } = await server.call('POST', 'recon?_action=recon&mapping=hr_user&waitForCompletion=true')
    const run = (await server.call('GET', `recon/${body._id}`)).body
    expect(run).toMatchObject({
      state: 'SUCCESS',
      situationSummary: { ABSENT: 2 },
      statusSummary: { FAILURE: 0 },
    })
    expect(rows('dir').toSorted()).toEqual(['"ann","ann@x"', '"bob","bob@x"'])
    expect(rows('hr')).toEqual(['ann,ann@x', 'bob,bob@x'])
    const synced = (await audit()).filter(({ mapping }) => mapping === 'user_hr')
    expect(synced.map(({ situation, action, status }) => [situation, action, status])).toEqual([
      ['CONFIRMED', 'UPDATE', 'SUCCESS'],
      ['CONFIRMED', 'UPDATE', 'SUCCESS'],
    ])
    const { result } = (await server.call('GET', 'managed/user?_queryFilter=userName+eq+"ann"')).body
    await server.call('PUT', `${users}/${result[0]._id}`, { body: { userName: 'ann', mail: 'from@above' } })
    expect(rows('hr')).toEqual(['"ann","from@above"', 'bob,bob@x'])
  })
})

describe('many clients at once that change one object', () => {
  it('leave every target as the object is in the end, however long each mapping thinks', async () => {
    // Half of the changes are held up before their turn has come.
    const linkQualifiers = script(
      "if (object && object.mail.length % 2) { var end = Date.now() + 10; while (Date.now() < end) {} } ['default']",
    )
    await town({ mapping: { linkQualifiers }, payroll: { linkQualifiers } })
    await create()
    for (let round = 0; round < runs(10).numRuns; round++) {
      const mails = Array.from({ length: 20 }, (_, client) => `${round}-${client}@x`)
      await Promise.all(mails.map((mail) => put({ ...ann, mail })))
      const { mail } = (await server.call('GET', `${users}/ann`)).body
      expect(rows('dir')).toEqual([expect.stringContaining(mail)])
      expect(rows('pay')).toEqual([expect.stringContaining(mail)])
    }
  })
})
