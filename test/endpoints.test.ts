import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Endpoints that administrators make, and scripts that they send (platform §2, §7.4). */

let project: TestProject
let server: Server

beforeAll(async () => {
  project = new TestProject()
  const schema = { type: 'object', properties: { name: { type: 'string' } } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  project.write(
    'script/echo.js',
    '({ _id: resourcePath, method: request.method, request: request, who: context.security.authenticationId, greeting: greeting })',
  )
  project.write('conf/endpoint-echo.json', {
    ...{ context: 'endpoint/echo/*', type: 'text/javascript', file: 'script/echo.js' },
    globals: { greeting: 'hello' },
  })
  project.write(
    'conf/endpoint-people.json',
    script(`
      if (request.method === 'query') { openidm.query('managed/user', { _queryFilter: request.queryFilter }) }
      else if (request.method === 'action') { request.action + ' ' + request.additionalParameters.by }
      else if (request.method === 'delete') { throw { code: 423, message: 'locked', detail: { why: 'audit' } } }
      else { null }`),
  )
  server = await serve(project)
  await server.call('PUT', 'managed/user/u1', { body: { name: 'Ann' } })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

describe('an endpoint', () => {
  it.each<[string, string, unknown, object]>([
    [
      'GET',
      'endpoint/echo/a/b?depth=3',
      undefined,
      { method: 'read', _id: 'a/b', who: 'openidm-admin', greeting: 'hello' },
    ],
    [
      'PUT',
      'endpoint/echo/new',
      { x: 1 },
      { method: 'create', request: { newResourceId: 'new', content: { x: 1 } } },
    ],
    ['POST', 'endpoint/echo?_action=create', { x: 2 }, { method: 'create', request: { content: { x: 2 } } }],
    [
      'PATCH',
      'endpoint/echo/it',
      [{ operation: 'replace', field: '/x', value: 1 }],
      { method: 'patch', request: { patchOperations: [{ operation: 'replace', field: '/x', value: 1 }] } },
    ],
    ['DELETE', 'endpoint/echo/it', undefined, { method: 'delete', _id: 'it' }],
  ])('%s %s is seen by its script', async (method, path, body, expected) => {
    const answer = await server.call(method, path, body === undefined ? {} : { body })
    expect([200, 201]).toContain(answer.status)
    expect(answer.body).toMatchObject(expected)
  })

  it('sees the parameters of a request', async () => {
    const { body } = await server.call('GET', 'endpoint/echo?depth=3')
    expect(body.request.additionalParameters).toEqual({ depth: '3' })
  })

  it('answers queries and actions, with what it asks the server itself', async () => {
    const found = await server.call(
      'GET',
      `endpoint/people?_queryFilter=${encodeURIComponent('name eq "Ann"')}`,
    )
    expect(found.body).toMatchObject({ result: [{ _id: 'u1', name: 'Ann' }], resultCount: 1 })
    expect((await server.call('POST', 'endpoint/people?_action=greet&by=me')).body).toBe('greet me')
  })

  it.each([
    ['GET', 'endpoint/people/x', 404],
    ['GET', 'endpoint/nobody', 404],
    ['DELETE', 'endpoint/people/x', 423],
  ])('%s %s is %i', async (method, path, status) => {
    expect((await server.call(method, path)).status).toBe(status)
  })

  it('answers with what its script throws, and says where', async () => {
    const { body } = await server.call('DELETE', 'endpoint/people/x')
    expect(body).toEqual({
      ...{
        code: 423,
        reason: 'Locked',
        message: 'locked',
        problem: 'SCRIPT_FAILED',
        detail: { why: 'audit' },
      },
      cause: expect.objectContaining({ message: expect.stringContaining('endpoint people'), code: 423 }),
    })
  })

  it('says where what it has made is', async () => {
    const place = async (method: string, path: string) =>
      (await server.call(method, path, { body: { x: 1 } })).headers.get('location')
    expect(await place('PUT', 'endpoint/echo/new')).toBe(`${server.url}/endpoint/echo/new`)
    expect(await place('POST', 'endpoint/echo')).toBeNull()
  })

  it('that is broken is found by check, with its place', () => {
    using broken = new TestProject()
    broken.write('conf/endpoint-bad.json', script('var = 1'))
    const { code, out } = broken.syncline(['check'])
    expect(code).toBe(2)
    expect(out).toMatch(/conf\/endpoint-bad\.json:\d+:\d+ \/source: endpoint bad/)
  })
})

describe('script', () => {
  it('evaluates what it is sent, with its variables', async () => {
    const body = { ...script("openidm.read('managed/user/u1').name + ' ' + (n + 1)"), globals: { n: 1 } }
    expect((await server.call('POST', 'script?_action=eval', { body })).body).toBe('Ann 2')
  })

  it('says whether a script compiles, and where it does not', async () => {
    const compile = (source: string) =>
      server.call('POST', 'script?_action=compile', { body: script(source) })
    expect((await compile('1 + 1')).body).toBe(true)
    const { status, body } = await compile('1 +\n)')
    expect([status, body.detail]).toEqual([400, expect.objectContaining({ line: 2 })])
  })
})
