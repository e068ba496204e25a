import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Scripts around requests (platform §2, "Router filters"). */
const note = (text: string) =>
  script(`openidm.create('managed/note', null, { text: ${JSON.stringify(text)} + request.method })`)

let project: TestProject
let server: Server

beforeAll(async () => {
  project = new TestProject()
  const objects = ['user', 'note', 'order', 'free'].map((name) => ({ name }))
  project.write('conf/managed.json', { objects })
  project.write('data/hr.csv', 'uid,name\na,Ann\nb,Ben\nx,Xaver\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name']))
  project.write('conf/sync.json', {
    mappings: [
      {
        name: 'hr_user',
        source: 'system/hr/account',
        target: 'managed/user',
        properties: [
          { source: 'uid', target: '_id' },
          { source: 'name', target: 'name' },
        ],
      },
    ],
  })
  project.write(
    'script/stamp.js',
    `request.content.stamped = request.method + ' ' + (request.newResourceId || request.resourcePath)`,
  )
  project.write('conf/router.json', {
    filters: [
      {
        condition: script('context.caller.external === true'),
        onRequest: { type: 'text/javascript', file: 'router-authz.js' },
      },
      { onRequest: script(`require('router-authz').testAccess()`) },
      {
        pattern: '^(managed|system|repo/internal)($|(/.+))',
        onRequest: { type: 'text/javascript', file: 'policyFilter.js' },
        methods: ['create', 'update'],
      },
      {
        pattern: '^managed/user',
        methods: ['create', 'update'],
        onRequest: { type: 'text/javascript', file: 'script/stamp.js' },
      },
      {
        pattern: '^managed/user',
        methods: ['create'],
        onRequest: script(
          `if (request.content.name === 'Xaver') throw { code: 403, message: 'no Xaver', detail: { why: 'house rule' } }`,
        ),
      },
      {
        pattern: '^managed/user/',
        methods: ['read'],
        condition: 'context/caller/external eq true',
        onResponse: script(`response.seen = 'outside'; delete response.content.stamped`),
      },
      {
        pattern: '^managed/user$',
        methods: ['query'],
        onRequest: script(`request.queryFilter = '(' + request.queryFilter + ') and !(name eq "Ben")'`),
        onResponse: script(`response.result.forEach(function (one) { one.listed = true })`),
      },
      {
        pattern: '^managed/order',
        onRequest: note('1 '),
        onResponse: note('1 after '),
        onFailure: note('1 failed '),
      },
      {
        pattern: '^managed/order',
        onRequest: note('2 '),
        onResponse: note('2 after '),
        onFailure: script(`openidm.create('managed/note', null, { text: '2 ' + exception.code })`),
      },
      {
        pattern: '^managed/order/late',
        methods: ['create', 'update', 'read'],
        onResponse: script(`if (request.method !== 'read') throw { code: 409, message: 'too late' }`),
      },
      { pattern: '^managed/free', methods: ['action'], onResponse: script(`response.also = request.action`) },
      {
        pattern: '^managed/free',
        methods: ['patch'],
        onRequest: script(
          `request.patchOperations.push({ operation: 'add', field: '/by', value: context.security.authenticationId })`,
        ),
      },
    ],
  })
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const notes = async () => {
  const { body } = await server.call('GET', 'managed/note?_queryFilter=true')
  const texts = (body.result as { _id: string; text: string }[]).map(({ text }) => text)
  for (const { _id } of body.result) await server.call('DELETE', `managed/note/${_id}`)
  return texts
}

describe('a filter', () => {
  it('changes what is written', async () => {
    expect((await server.call('PUT', 'managed/user/u1', { body: { name: 'U' } })).status).toBe(201)
    await server.call('PUT', 'managed/user/u1', { body: { name: 'V' } })
    const { body } = await server.call('GET', 'managed/user?_queryFilter=_id+eq+"u1"')
    expect(body.result).toMatchObject([{ name: 'V', stamped: 'update managed/user/u1' }])
  })
  it('changes what is answered, where its condition holds', async () => {
    expect((await server.call('GET', 'managed/user/u1')).body).toMatchObject({ name: 'V', seen: 'outside' })
    expect((await server.call('GET', 'managed/user/u1')).body).not.toHaveProperty('stamped')
  })
  it('stops a request by throwing, with its own answer', async () => {
    const { status, body } = await server.call('POST', 'managed/user?_action=create', {
      body: { name: 'Xaver' },
    })
    expect([status, body]).toEqual([
      403,
      expect.objectContaining({ code: 403, message: 'no Xaver', detail: { why: 'house rule' } }),
    ])
  })
  it('changes a query and its results', async () => {
    await server.call('PUT', 'managed/user/u2', { body: { name: 'Ben' } })
    const { body } = await server.call('GET', 'managed/user?_queryFilter=true')
    const names = body.result.map(({ name, listed }: { name: string; listed: boolean }) => [name, listed])
    expect(names).toContainEqual(['V', true])
    expect(names).not.toContainEqual(['Ben', true])
  })
  it('changes a patch and the answer of an action', async () => {
    await server.call('PUT', 'managed/free/f', { body: {} })
    const patch = [{ operation: 'add', field: '/a', value: 1 }]
    const patched = await server.call('PATCH', 'managed/free/f', { body: patch })
    expect(patched.body).toMatchObject({ a: 1, by: 'openidm-admin' })
    const checked = await server.call('POST', 'managed/free/f?_action=triggerSyncCheck')
    expect(checked.body).toMatchObject({ status: 'OK', also: 'triggerSyncCheck' })
  })
})

describe('a filter that refuses', () => {
  it('refuses all spellings of a path, from outside and of scripts', async () => {
    using own = new TestProject()
    own.write('conf/managed.json', { objects: [{ name: 'user' }, { name: 'note' }] })
    own.write('data/directory.csv', 'uid\na\n')
    own.write('conf/provisioner.openicf-directory.json', csvConnector('directory', ['uid']))
    const onRequest = script(`throw { code: 403, message: 'closed' }`)
    own.write('conf/router.json', {
      filters: [
        { pattern: '^managed/note/q$', onRequest: script(`request.resourcePath = 'managed/%75ser/x'`) },
        { pattern: '^managed/user', onRequest },
        { pattern: '^system/directory/account', onRequest },
        { pattern: '^managed/note/o%2Fp$', onRequest },
      ],
    })
    own.write(
      'conf/endpoint-ask.json',
      script(`
        var answer = request.additionalParameters.of.split(' ').map(function (path) {
          try { openidm.query(path, { _queryFilter: 'true' }); return 200 } catch (e) { return e.code }
        });
        ({ answer: answer })`),
    )
    await using closed = await serve(own)
    const status = async (method: string, path: string) =>
      (await closed.call(method, path, method === 'POST' ? { body: { name: 'U' } } : {})).status
    for (const path of ['managed/user', 'managed/%75ser', '%6danaged/user', 'managed/%75%73%65%72'])
      expect([path, await status('POST', `${path}?_action=create`)]).toEqual([path, 403])
    expect(await status('POST', 'managed/%55ser?_action=create')).toBe(404)
    for (const path of [
      'system/directory/account',
      'system/%64irectory/account',
      'system/directory/%61ccount',
    ])
      expect([path, await status('GET', `${path}?_queryFilter=true`)]).toEqual([path, 403])
    expect(await status('GET', 'managed/note/o%2fp')).toBe(403)
    expect(await status('GET', 'managed/note/q')).toBe(403)
    const of = 'managed/user managed/%75ser /%6danaged/user/ system/%64irectory/account managed/%6eote'
    const { body } = await closed.call('GET', `endpoint/ask?of=${encodeURIComponent(of)}`)
    expect(body.answer).toEqual([403, 403, 403, 403, 200])
  })
})

describe('several filters', () => {
  it('run from first to last on the request, and in reverse order on the response', async () => {
    await notes()
    await server.call('PUT', 'managed/order/o', { body: {} })
    expect(await notes()).toEqual(['1 create', '2 create', '2 after create', '1 after create'])
  })
  it('run in reverse order on a failure', async () => {
    await server.call('GET', 'managed/order/none')
    expect(await notes()).toEqual(['1 read', '2 read', '2 404', '1 failed read'])
  })
  it('replace the answer by throwing after the request; the write stays', async () => {
    await server.call('PUT', 'managed/order/late', { body: { a: 1 } })
    const late = await server.call('PUT', 'managed/order/late', { body: { a: 2 } })
    expect([late.status, late.body.message]).toEqual([409, expect.stringContaining('too late')])
    expect((await server.call('GET', 'managed/order/late')).body).toMatchObject({ a: 2 })
  })
})

describe('a change that is synchronized to a system', () => {
  it('reaches it past filters that might concern it', async () => {
    using own = new TestProject()
    own.write('conf/managed.json', { objects: [{ name: 'user' }] })
    own.write('data/post.csv', 'uid,name\n')
    own.write('conf/provisioner.openicf-post.json', csvConnector('post', ['uid', 'name']))
    const properties = [
      { source: '_id', target: 'uid' },
      { source: 'name', target: 'name' },
    ]
    const mapping = { name: 'user_post', source: 'managed/user', target: 'system/post/account', properties }
    own.write('conf/sync.json', { mappings: [mapping] })
    own.write('conf/router.json', { filters: [{ pattern: 'endpoint/.*', onRequest: script('true') }] })
    await using other = await serve(own)
    expect((await other.call('PUT', 'managed/user/cara', { body: { name: 'Cara' } })).status).toBe(201)
    expect(own.read('data/post.csv')).toContain('"cara","Cara"')
    const chosen = await other.call('PUT', 'system/post/account/mine', { body: { uid: 'mine' } })
    expect(chosen.status).toBe(400)
  })
})

describe('a reconciliation', () => {
  it('passes the filters, object by object', async () => {
    const { body } = await server.call('POST', 'recon?_action=recon&mapping=hr_user&waitForCompletion=true')
    const run = (await server.call('GET', `recon/${body._id}`)).body
    expect(run.statusSummary).toMatchObject({ SUCCESS: 3, FAILURE: 1 }) // u1 has no source
    expect((await server.call('GET', 'managed/user?_queryFilter=_id+eq+"a"')).body.result).toMatchObject([
      { name: 'Ann', stamped: 'create a' },
    ])
    expect((await server.call('GET', 'managed/user/x')).status).toBe(404)
  })
})

describe('filters that are changed over REST', () => {
  it('are in force at once', async () => {
    const filters = [
      { pattern: '^managed/free', methods: ['read'], onRequest: script(`throw { code: 418 }`) },
    ]
    const before = (await server.call('GET', 'config/router')).body
    expect((await server.call('PUT', 'config/router', { body: { filters } })).status).toBe(200)
    expect((await server.call('GET', 'managed/free/f')).status).toBe(418)
    expect((await server.call('PUT', 'config/router', { body: before })).status).toBe(200)
    expect((await server.call('GET', 'managed/free/f')).status).toBe(200)
  })
})

describe('a filter that cannot run when the server starts', () => {
  it('refuses the requests that it matches, and no others', async () => {
    using broken = new TestProject()
    broken.write('conf/managed.json', { objects: [{ name: 'user' }, { name: 'note' }] })
    broken.write('conf/router.json', {
      filters: [{ pattern: '^managed/user', methods: ['read', 'query'], onRequest: script('if (') }],
    })
    await using closed = await serve(broken)
    const query = await closed.call('GET', 'managed/user?_queryFilter=true')
    expect([query.status, query.body.message]).toEqual([503, expect.stringContaining('filter 0 has errors')])
    expect((await closed.call('GET', 'managed/note?_queryFilter=true')).status).toBe(200)
    expect((await closed.call('PUT', 'managed/user/u', { body: {} })).status).toBe(201)
    expect((await closed.call('GET', 'config/router')).status).toBe(200)
  })
})

describe('a conf/router.json that cannot be read when the server starts', () => {
  it('refuses everything but the configuration and the liveness check', async () => {
    using broken = new TestProject()
    broken.write('conf/managed.json', { objects: [{ name: 'user' }] })
    broken.write('conf/router.json', '{ "filters": [')
    await using closed = await serve(broken)
    expect((await closed.call('GET', 'managed/user?_queryFilter=true')).status).toBe(503)
    expect((await closed.call('GET', 'info/ping')).status).toBe(200)
    expect((await closed.call('GET', 'config/managed')).status).toBe(200)
  })
})

describe('a broken conf/router.json', () => {
  it.each<[string, object, RegExp]>([
    ['script', { onRequest: script('if (') }, /conf\/router\.json:\d+:\d+ \/filters\/0\/onRequest: /],
    ['pattern', { pattern: '(', onRequest: script('1') }, /\/filters\/0\/pattern: /],
    ['method', { methods: ['get'], onRequest: script('1') }, /\/filters\/0\/methods\/0: .*get/],
    ['condition', { condition: 'a ===', onRequest: script('1') }, /\/filters\/0\/condition: /],
  ])('%s is an error with its place', (_what, filter, expected) => {
    using broken = new TestProject()
    broken.write('conf/router.json', { filters: [filter] })
    const { code, out, err } = broken.syncline(['check'])
    expect(out + err).toMatch(expected)
    expect(code).not.toBe(0)
  })
})
