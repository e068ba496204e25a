import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { csvConnector, openStore, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** The audit of a whole server, over REST and on disk (platform §9). */
let project: TestProject
let server: Server

beforeEach(() => {
  project = new TestProject()
  project.write('conf/managed.json', {
    objects: [
      {
        name: 'user',
        schema: {
          properties: {
            userName: { type: 'string' },
            mail: { type: 'string' },
            pin: { type: 'string', scope: 'private' },
          },
        },
      },
    ],
  })
  project.write('data/hr.csv', 'login,mail\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['login', 'mail']))
})
afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const entries = async (topic: string, filter = 'true') =>
  (await server.call('GET', `audit/${topic}?_queryFilter=${encodeURIComponent(filter)}`)).body.result

describe('a server', () => {
  it('records every request, with any outcome', async () => {
    server = await serve(project)
    await server.call('PUT', 'managed/user/ann', { body: { userName: 'ann' } })
    await server.call('GET', 'managed/user/nobody')
    await server.call('GET', 'managed/user?_queryFilter=pin+eq+"1234"&password=hidden')
    await server.call('POST', 'system?_action=test')
    await server.call('GET', 'info/ping', { as: '' })
    await server.call('GET', 'managed/user/ann', { as: '' })
    await server.call('PATCH', 'managed/user/ann', { body: {} })
    const found = await entries('access')
    const seen = found.map(
      ({ request, response, userId }: Record<string, Record<string, unknown>>) =>
        `${userId} ${request?.operation} ${request?.detail ? JSON.stringify(request.detail) : ''} ${response?.statusCode}`,
    )
    expect(seen).toEqual([
      'openidm-admin CREATE  201',
      'openidm-admin READ  404',
      'openidm-admin QUERY  403',
      'openidm-admin ACTION {"action":"test"} 200',
      'anonymous READ  200',
      'null READ  401',
      'openidm-admin PATCH  400',
    ])
    expect(found[1]).toMatchObject({
      ...{ eventName: 'access', roles: ['openidm-admin', 'openidm-authorized'], userId: 'openidm-admin' },
      ...{ client: { ip: '127.0.0.1', port: expect.any(Number) }, server: { ip: '127.0.0.1' } },
      http: { request: { method: 'GET', path: '/openidm/managed/user/nobody', secure: false } },
      response: {
        ...{ status: 'FAILED', elapsedTimeUnits: 'MILLISECONDS', elapsedTime: expect.any(Number) },
        detail: { reason: expect.stringContaining('nobody') },
      },
    })
    expect(found[1].http.request.headers).toHaveProperty('user-agent')
    expect(JSON.stringify(found)).not.toMatch(/correct horse|1234|hidden/)
    expect(await entries('access', 'response/statusCode eq "404"')).toHaveLength(1)
  })

  it('records who was let in and who was not', async () => {
    server = await serve(project)
    await server.call('GET', 'info/version')
    await server.call('GET', 'info/version')
    await server.call('GET', 'info/version', { as: 'guess' })
    const found = await entries('authentication')
    expect(found.map(({ result, principal }: Record<string, unknown>) => [result, principal])).toEqual([
      ['SUCCESSFUL', ['openidm-admin']],
      ['FAILED', ['openidm-admin']],
    ])
    expect(found[1]).toMatchObject({
      context: { ipAddress: '127.0.0.1' },
      entries: [{ info: { reason: expect.stringMatching(/wrong/) } }],
    })
    const [refused] = await entries('access', 'response/statusCode eq "401"')
    expect(refused.transactionId).toBe(found[1].transactionId)
  })

  it('records what was done to managed objects and to systems', async () => {
    server = await serve(project)
    await server.call('PUT', 'managed/user/ann', { body: { userName: 'ann', pin: '1' } })
    await server.call('PATCH', 'managed/user/ann', {
      body: [{ operation: 'replace', field: 'mail', value: 'a@b' }],
    })
    await server.call('POST', 'system/hr/account', { body: { login: 'ann' } })
    await server.call('DELETE', 'system/hr/account/ann')
    const found = await entries('activity')
    expect(found).toMatchObject([
      {
        ...{ objectId: 'managed/user/ann', operation: 'CREATE', runAs: 'openidm-admin', before: null },
        ...{ after: { _id: 'ann', userName: 'ann', pin: '********' }, changedFields: ['/pin', '/userName'] },
      },
      { operation: 'PATCH', before: { userName: 'ann' }, after: { mail: 'a@b' }, changedFields: ['/mail'] },
      { objectId: 'system/hr/account/ann', operation: 'CREATE', before: null, after: null },
      { objectId: 'system/hr/account/ann', operation: 'DELETE', status: 'SUCCESS' },
    ])
  })

  it('has system objects in full only where a property asks for them', async () => {
    project.write('conf/boot/boot.properties', 'openidm.audit.logFullObjects=true\n')
    server = await serve(project)
    await server.call('POST', 'system/hr/account', { body: { login: 'ann', mail: 'old' } })
    await server.call('PUT', 'system/hr/account/ann', { headers: { 'If-Match': '*' }, body: { mail: 'new' } })
    expect(await entries('activity', 'operation eq "UPDATE"')).toMatchObject([
      { before: { mail: 'old' }, after: { mail: 'new' }, changedFields: ['/mail'] },
    ])
  })

  it('asks the script of a filter, with request and context', async () => {
    const source = "request.content.request.operation === 'CREATE' && context.caller.external === false"
    project.write('conf/audit.json', {
      eventTopics: { access: { filter: { script: { type: 'text/javascript', source } } } },
    })
    server = await serve(project)
    await server.call('GET', 'info/version')
    await server.call('PUT', 'managed/user/ann', { body: { userName: 'ann' } })
    expect(await entries('access')).toMatchObject([{ request: { operation: 'CREATE' } }])
  })

  it('knows its runs although their entries are filtered', async () => {
    project.write('data/hr.csv', 'login,mail\nann,a@b\n')
    project.write('conf/audit.json', { eventTopics: { recon: { filter: { actions: [] } } } })
    project.write('conf/sync.json', {
      mappings: [
        {
          ...{ name: 'hr_user', source: 'system/hr/account', target: 'managed/user' },
          properties: [{ source: 'login', target: 'userName' }],
        },
      ],
    })
    server = await serve(project)
    const start = 'recon?_action=recon&mapping=hr_user&waitForCompletion=true'
    const { body: run } = await server.call('POST', start)
    const found = await entries('recon')
    expect(found.map(({ entryType }: { entryType: string }) => entryType)).toEqual(['start', 'summary'])
    expect((await server.call('GET', `recon/${run._id}`)).body).toMatchObject({ state: 'SUCCESS' })
    expect((await server.call('DELETE', `recon/${run._id}`)).status).toBe(200)
    expect((await server.call('GET', `recon/${run._id}`)).status).toBe(404)
  })

  it('applies changed settings while it runs, and records the change', async () => {
    server = await serve(project)
    const settings = { eventTopics: { access: { filter: { actions: ['create', 'update'] } } } }
    expect((await server.call('PUT', 'config/audit', { body: settings })).status).toBe(201)
    await server.call('GET', 'managed/user/nobody')
    await server.call('PUT', 'managed/user/ann', { body: { userName: 'ann' } })
    expect(await entries('config')).toMatchObject([
      {
        ...{ objectId: 'config/audit', operation: 'CREATE', runAs: 'openidm-admin', before: null },
        ...{ after: settings, changedFields: ['/eventTopics'] },
      },
    ])
    const found = await entries('access')
    expect(found.map(({ http }: { http: { request: { path: string } } }) => http.request.path)).toEqual([
      '/openidm/config/audit',
      '/openidm/managed/user/ann',
    ])
  })

  it('writes files with verifiable rows, and loses no request in an orderly stop', async () => {
    project.write('conf/audit.json', {
      eventHandlers: [
        {
          class: 'org.forgerock.audit.handlers.csv.CsvAuditEventHandler',
          config: { name: 'csv', logDirectory: 'audit', topics: ['access'], security: { enabled: true } },
        },
      ],
    })
    server = await serve(project)
    await Promise.all(Array.from({ length: 50 }, (_, n) => server.call('GET', `managed/user/${n}`)))
    await server.stop()
    const file = project.path('audit/access.csv')
    const verify = () => project.syncline(['audit', 'verify', '--file', file])
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(51)
    expect(verify()).toMatchObject({ code: 0, out: expect.stringMatching(/^intact: 50 rows/) })
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('managed/user/7', 'managed/user/8'))
    expect(verify()).toMatchObject({ code: 1, out: expect.stringMatching(/^broken at line/) })
    const lines = text.split('\n')
    writeFileSync(file, `${lines.slice(0, 40).join('\n')}\n`)
    expect(verify()).toMatchObject({ code: 1, out: 'broken at line 41: the last rows are missing\n' })
    expect(readdirSync(project.path('audit'))).toEqual(['access.csv'])
  })

  it('keeps what is configured; its own removals verify, foreign removals are found', async () => {
    project.write('conf/audit.json', { retention: { access: { maxEvents: 3 } } })
    server = await serve(project)
    for (let n = 0; n < 10; n++) await server.call('GET', 'info/version')
    await server.stop()
    // Retention runs when a server starts.
    server = await serve(project)
    await expect.poll(async () => (await entries('retention')).length).toBe(1)
    await server.stop()
    const verify = () => project.syncline(['audit', 'verify'])
    expect(verify()).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^intact: .*7 were removed by Syncline/),
    })
    const store = openStore(project)
    store.exec("DELETE FROM audit WHERE seq = (SELECT max(seq) - 1 FROM audit WHERE topic = 'access')")
    store.close()
    expect(verify()).toMatchObject({ code: 1, out: expect.stringMatching(/^broken/) })
  })

  it('refuses other users what administrators may do', async () => {
    server = await serve(project)
    expect((await server.call('POST', 'audit?_action=rotate', { as: '' })).status).toBe(401)
    const purge = 'repo/audit/recon?_action=command&commandId=purge-by-recon-number-of&numberOf=0'
    expect((await server.call('POST', purge)).body).toBe(0)
    expect((await server.call('POST', 'repo/audit/recon?_action=command&commandId=drop')).status).toBe(403)
    expect((await server.call('PUT', 'audit/access/a', { body: { eventName: 'x' } })).status).toBe(201)
    expect((await server.call('PUT', 'audit/access/a', { body: { eventName: 'y' } })).status).toBe(501)
    expect((await server.call('DELETE', 'audit/access/a')).status).toBe(501)
  })
})
