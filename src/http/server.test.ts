import { request as nodeRequest } from 'node:http'
import { connect } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { authenticating, passwordLogin } from '../authentication/testing/logins.ts'
import { matches } from '../model/filter/evaluate.ts'
import { applyPatch } from '../model/patch.ts'
import { Problem } from '../model/problem.ts'
import { joinPath } from '../model/resource-path.ts'
import { authorizeExternal } from '../router/authorization.ts'
import type { Resource, ResourceProvider } from '../router/resources.ts'
import { router } from '../router/router.ts'
import { infoProvider } from '../server/resources/info.ts'
import { type HttpServer, httpServer } from './server.ts'

/** The smallest set with revisions: what the protocol's rules need, and nothing of a store. */
function shelf(): ResourceProvider & { clear(): void } {
  const things = new Map<string, Resource & { _rev: string }>()
  let revision = 0
  const keyOf = (path: string) => decodeURIComponent(path)
  const put = (id: string, content: object) => {
    revision += 1
    const thing = { ...content, _id: id, _rev: String(revision) }
    things.set(id, thing)
    return thing
  }
  const stored = (path: string, rev?: string) => {
    const thing = things.get(keyOf(path))
    if (!thing) throw new Problem('NOT_FOUND', `There is no thing ${path}`)
    if (rev !== undefined && rev !== thing._rev)
      throw new Problem('PRECONDITION_FAILED', `${path} has changed`)
    return thing
  }
  return {
    clear: () => things.clear(),
    read: async (path) => stored(path),
    async query(_path, { filter, pageSize = 0, totalPolicy, parameters }) {
      if (parameters?.explode) throw new Error('the password is hunter2')
      const result = [...things.values()].filter((thing) => matches(filter, thing))
      const more = pageSize > 0 && pageSize < result.length
      return {
        result: more ? result.slice(0, pageSize) : result,
        cookie: more ? 'next' : null,
        ...(totalPolicy === 'EXACT' && { total: result.length }),
      }
    },
    async create(_path, id = 'generated', content) {
      if (things.has(id)) throw new Problem('PRECONDITION_FAILED', `${id} exists already`)
      return put(id, content)
    },
    update: async (path, rev, content) => put(stored(path, rev)._id, content),
    patch: async (path, rev, operations) => {
      const thing = stored(path, rev)
      return put(thing._id, applyPatch(thing, operations))
    },
    async delete(path, rev) {
      const thing = stored(path, rev)
      things.delete(thing._id)
      return thing
    },
    async action(_path, { name, content, parameters }) {
      if (name === 'nothing') return undefined as never
      return { name, content, parameters: { ...parameters } }
    },
  }
}

const things = shelf()
const readOnlyThing: ResourceProvider = { read: async (path) => ({ _id: path }) }
const credentials = { 'x-openidm-username': 'openidm-admin', 'x-openidm-password': 'secret' }
let server: HttpServer
let base: string

function open(contextPath?: string): HttpServer {
  const identity = { userId: 'openidm-admin', roles: ['openidm-admin'] }
  return httpServer({
    contextPath,
    resources: router(
      {
        things,
        fixed: readOnlyThing,
        info: infoProvider(() => false, '1.2.3'),
      },
      [authorizeExternal],
    ),
    authentication: authenticating([passwordLogin('secret', identity)]),
    log: pino({ level: 'silent' }),
    bodyLimit: 1_000,
  })
}

beforeAll(async () => {
  server = open()
  base = (await server.listen()).url
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => things.clear())

/** The members of answers that the tests look into. */
interface Body extends Resource {
  readonly _rev: string
  readonly code: number
  readonly reason: string
  readonly message: string
  readonly result: Resource[]
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
  readonly text: string
}

async function call(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const response = await fetch(`${base}/${path}`, {
    method,
    headers: {
      ...credentials,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== ''
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : undefined,
    text,
  }
}

const store = (id: string, content: object) => call('PUT', `things/${id}`, { body: content })

describe('creating', () => {
  it('with POST answers 201, the Location and the ETag', async () => {
    const { status, headers, body } = await call('POST', 'things', { body: { name: 'a' } })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`${base}/things/generated`)
    expect(headers.get('etag')).toBe(`"${body._rev}"`)
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(Object.keys(body)).toEqual(['_id', '_rev', 'name'])
  })
  it('with POST and _action=create is the same', async () => {
    expect((await call('POST', 'things?_ACTION=create', { body: { name: 'a' } })).status).toBe(201)
  })
  it('with PUT and If-None-Match: * answers 412 if the id exists', async () => {
    const headers = { 'if-none-match': '*' }
    expect((await call('PUT', 'things/a', { headers, body: {} })).status).toBe(201)
    expect((await call('PUT', 'things/a', { headers, body: {} })).status).toBe(412)
  })
  it('keeps a slash inside an id', async () => {
    const id = 'cn=Zoë/x, 100%'
    const created = await store(joinPath(id), { name: 'a' })
    expect(created.body._id).toBe(id)
    const location = created.headers.get('location') as string
    expect(location).toContain('%2Fx')
    const found = await fetch(location, { headers: credentials })
    expect(await found.json()).toMatchObject({ _id: id })
  })
})

describe('PUT without conditions', () => {
  it('creates, then updates', async () => {
    expect((await store('a', { name: 'one' })).status).toBe(201)
    const { status, body } = await store('a', { name: 'two' })
    expect({ status, name: body.name }).toEqual({ status: 200, name: 'two' })
  })
})

describe('If-Match', () => {
  it.each([
    ['the revision', (rev: string) => `"${rev}"`, 200],
    ['a weak tag', (rev: string) => `W/"${rev}"`, 200],
    ['a bare revision', (rev: string) => rev, 200],
    ['any revision', () => '*', 200],
    ['a stale revision', () => '"stale"', 412],
  ])('with %s decides PUT, PATCH and DELETE', async (_name, tagOf, status) => {
    for (const [method, body] of [
      ['PUT', { name: 'b' }],
      ['PATCH', [{ operation: 'replace', field: 'name', value: 'c' }]],
      ['DELETE', undefined],
    ] as const) {
      const stored = await store('a', { name: 'a' })
      const answer = await call(method, 'things/a', {
        headers: { 'if-match': tagOf(stored.body._rev) },
        body,
      })
      expect([method, answer.status]).toEqual([method, status])
    }
  })
  it('on PUT of an absent object is 404', async () => {
    expect((await call('PUT', 'things/a', { headers: { 'if-match': '*' }, body: {} })).status).toBe(404)
  })
})

describe('reading with If-None-Match', () => {
  it('answers 304 without body for the known revision, else 200', async () => {
    const { body } = await store('a', { name: 'a' })
    const known = await call('GET', 'things/a', { headers: { 'if-none-match': `"${body._rev}"` } })
    expect([known.status, known.text]).toEqual([304, ''])
    expect((await call('GET', 'things/a', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })
})

describe('what a request may not ask', () => {
  const filter = 'things?_queryFilter=true'
  const patch = [{ operation: 'remove', field: 'x' }]
  it.each<[string, string, string, Record<string, string>, unknown, number]>([
    ['both conditions on PUT', 'PUT', 'things/a', { 'if-match': '*', 'if-none-match': '*' }, {}, 412],
    ['If-None-Match with a revision on PUT', 'PUT', 'things/a', { 'if-none-match': '"1"' }, {}, 400],
    ['If-Match on GET', 'GET', 'things/a', { 'if-match': '*' }, undefined, 412],
    ['If-Match on a query', 'GET', filter, { 'if-match': '*' }, undefined, 412],
    ['If-Match on POST', 'POST', 'things', { 'if-match': '*' }, {}, 412],
    ['If-None-Match on DELETE', 'DELETE', 'things/a', { 'if-none-match': '*' }, undefined, 412],
    ['If-None-Match on PATCH', 'PATCH', 'things/a', { 'if-none-match': '"1"' }, patch, 412],
    ['If-None-Match on POST', 'POST', 'things', { 'if-none-match': '*' }, {}, 412],
    ['If-None-Match on a query', 'GET', filter, { 'if-none-match': '"1"' }, undefined, 412],
    ['If-None-Match: * on GET', 'GET', 'things/a', { 'if-none-match': '*' }, undefined, 412],
    [
      'If-Modified-Since',
      'GET',
      'things/a',
      { 'if-modified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
      undefined,
      409,
    ],
    ['If-Unmodified-Since', 'PUT', 'things/a', { 'if-unmodified-since': 'x' }, {}, 409],
    ['an unreadable API version', 'GET', 'things/a', { 'accept-api-version': 'latest' }, undefined, 400],
    [
      'a higher protocol',
      'GET',
      'things/a',
      { 'accept-api-version': 'protocol=2.2,resource=1.0' },
      undefined,
      400,
    ],
    [
      'a higher resource version',
      'GET',
      'things/a',
      { 'accept-api-version': 'resource=2.0' },
      undefined,
      400,
    ],
    ['another content type', 'PUT', 'things/a', { 'content-type': 'text/plain' }, '{}', 400],
    ['another charset', 'PUT', 'things/a', { 'content-type': 'application/json; charset=latin1' }, '{}', 400],
    ['no body for a create', 'POST', 'things', {}, undefined, 400],
    ['trailing text', 'PUT', 'things/a', {}, '{} x', 400],
    ['an array for an object', 'PUT', 'things/a', {}, '[]', 400],
    ['an object for a patch', 'PATCH', 'things/a', {}, {}, 400],
    [
      'a body that is nested too deep',
      'PUT',
      'things/a',
      {},
      `{"a":${'['.repeat(300)}${']'.repeat(300)}}`,
      400,
    ],
    ['an action whose body is nested too deep', 'POST', 'things?_action=go', {}, '['.repeat(400), 400],
    ['too large a body', 'PUT', 'things/a', {}, { a: 'x'.repeat(2_000) }, 413],
    ['a verb that the resource lacks', 'DELETE', 'fixed/a', {}, undefined, 501],
    ['an unknown parameter of the protocol', 'GET', 'things/a?_feilds=name', {}, undefined, 400],
    ['an action of a resource without any', 'POST', 'fixed/a?_action=go', {}, undefined, 400],
    ['an unknown resource', 'GET', 'nowhere/a', {}, undefined, 404],
    ['an empty path', 'GET', '', {}, undefined, 404],
    ['a malformed escape in an id', 'PUT', 'things/%zz', {}, {}, 400],
    ['an unknown overriding method', 'POST', 'things', { 'x-http-method-override': 'MERGE' }, {}, 501],
    ['a page of another site', 'POST', 'things', { 'sec-fetch-site': 'cross-site' }, {}, 403],
    ['a page of another origin', 'POST', 'things', { origin: 'http://evil.example' }, {}, 403],
    ['a form', 'POST', 'things?_action=go', { 'content-type': 'text/plain' }, undefined, 400],
  ])('%s', async (_name, method, path, headers, body, status) => {
    const answer = await call(method, path, { headers, body })
    expect([answer.status, answer.body?.code]).toEqual([status, status])
    expect(answer.body.reason).toEqual(expect.any(String))
    expect(answer.body.message).toEqual(expect.any(String))
  })
  it.each([
    '_queryFilter=true&_queryFilter=true',
    '_queryFilter=true&_QUERYFILTER=true',
    '_queryFilter=true&_queryId=query-all-ids',
    '_queryId=unheard-of',
    '_queryExpression=select',
    '_queryFilter=name+eq',
    '_queryFilter=name+like+"a"',
    '_queryFilter=true&_pageSize=ten',
    '_queryFilter=true&_pageSize=-1',
    '_queryFilter=true&_pageSize=1.5',
    '_queryFilter=true&_pagedResultsOffset=x',
    '_queryFilter=true&_pagedResultsOffset=1&_pagedResultsCookie=next',
    '_queryFilter=true&_totalPagedResultsPolicy=MANY',
    '_queryFilter=true&_prettyPrint=maybe',
    '_queryFilter=true&_mimeType=image/png',
    '_queryFilter=true&own=1&own=2',
  ])('the parameters %s: 400', async (parameters) => {
    expect((await call('GET', `things?${parameters}`)).status).toBe(400)
  })
})

describe('a query', () => {
  beforeEach(async () => {
    await store('a', { name: 'Ann', age: 1 })
    await store('b', { name: 'Bob', age: 2 })
  })
  it('answers the documented envelope', async () => {
    const { body } = await call('GET', 'things?_queryFilter=name+eq+"Bob"&_fields=name')
    expect(body).toEqual({
      result: [{ _id: 'b', _rev: expect.any(String), name: 'Bob' }],
      resultCount: 1,
      pagedResultsCookie: null,
      totalPagedResultsPolicy: 'NONE',
      totalPagedResults: -1,
      remainingPagedResults: -1,
    })
  })
  it('passes paging and the total policy on, whatever the case of the names', async () => {
    const { body } = await call('GET', 'things?_queryfilter=true&_PAGESIZE=1&_totalPagedResultsPolicy=EXACT')
    expect(body).toMatchObject({
      resultCount: 1,
      pagedResultsCookie: 'next',
      totalPagedResultsPolicy: 'EXACT',
      totalPagedResults: 2,
    })
  })
  it('query-all-ids answers ids', async () => {
    const { body } = await call('GET', 'things?_queryId=query-all-ids')
    expect(body.result.map(Object.keys)).toEqual([
      ['_id', '_rev'],
      ['_id', '_rev'],
    ])
  })
  it('hides what went wrong inside', async () => {
    const { status, text, body } = await call('GET', 'things?_queryFilter=true&explode=yes')
    expect([status, body.reason]).toEqual([500, 'Internal Server Error'])
    expect(text).not.toContain('hunter2')
  })
})

describe('the shape of an answer', () => {
  beforeEach(() => store('a', { name: { given: 'Ann', family: 'X' }, photo: 'raw bytes' }))
  it('has _id and _rev first, whatever the fields', async () => {
    const { text } = await call('GET', 'things/a?_fields=name/given')
    expect(text).toMatch(/^\{"_id":"a","_rev":"\d+","name":\{"given":"Ann"\}\}$/)
  })
  it('is cut to the fields on writes, too', async () => {
    const { body } = await call('DELETE', 'things/a?_fields=photo')
    expect(Object.keys(body)).toEqual(['_id', '_rev', 'photo'])
  })
  it('is indented for people', async () => {
    expect((await call('GET', 'things/a?_prettyPrint=true')).text).toContain('\n  "_id": "a"')
  })
  it('is one raw field with _mimeType', async () => {
    const { text, headers } = await call('GET', 'things/a?_fields=photo&_mimeType=image/png')
    expect([text, headers.get('content-type')]).toEqual(['raw bytes', 'image/png'])
  })
  it.each([
    'text/html',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/javascript',
    'text/css',
    'text/xml; charset=utf-8',
  ])('is bytes to be saved where a browser would run it: %s', async (type) => {
    const { headers } = await call('GET', `things/a?_fields=photo&_mimeType=${encodeURIComponent(type)}`)
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-disposition')).toBe('attachment')
    expect(headers.get('content-security-policy')).toContain('sandbox')
  })
  it.each([
    '_mimeType=image/png',
    '_mimeType=image/png&_fields=photo,name',
    '_mimeType=nonsense&_fields=photo',
  ])('is 400 for %s', async (parameters) => {
    expect((await call('GET', `things/a?${parameters}`)).status).toBe(400)
  })
  it('names the version of the interface', async () => {
    const headers = { 'accept-api-version': 'protocol=2.1,resource=1.0' }
    expect((await call('GET', 'things/a', { headers })).headers.get('content-api-version')).toBe(
      'protocol=2.1,resource=1.0',
    )
  })
})

describe('a sender that drips its bytes', () => {
  it('is cut off', async () => {
    await using slow = httpServer({
      resources: router({ things }, [authorizeExternal]),
      authentication: authenticating([passwordLogin(undefined)]),
      log: pino({ level: 'silent' }),
      requestTimeout: 200,
    })
    const { port } = await slow.listen()
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.write(
      'PUT /openidm/things/a HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    )
    const dripping = setInterval(() => socket.writable && socket.write(' '), 50)
    // The last drips may meet a closed connection.
    socket.on('error', () => {})
    await new Promise((closed) => socket.once('close', closed))
    clearInterval(dripping)
    expect(answer).toMatch(/^(HTTP\/1\.1 408|$)/)
    expect(await call('GET', 'things?_queryFilter=true')).toMatchObject({ status: 200 })
  })
})

describe('a proxy', () => {
  const opened = (trustedProxies: readonly string[]) =>
    httpServer({
      resources: router({ things, info: infoProvider(() => false, '1.2.3') }, [authorizeExternal]),
      authentication: authenticating([
        passwordLogin('secret', { userId: 'openidm-admin', roles: ['openidm-admin'] }),
      ]),
      log: pino({ level: 'silent' }),
      trustedProxies,
    })
  const forwarded = {
    ...credentials,
    'x-forwarded-host': 'idm.example.com',
    'x-forwarded-proto': 'https',
    origin: 'https://idm.example.com',
  }

  it('that is named says under which origin it was asked', async () => {
    await using server = opened(['127.0.0.1'])
    const { url } = await server.listen()
    expect((await fetch(`${url}/info/ping`, { headers: forwarded })).status).toBe(200)
  })
  it('that is not named is not believed', async () => {
    await using server = opened([])
    const { url } = await server.listen()
    expect((await fetch(`${url}/info/ping`, { headers: forwarded })).status).toBe(403)
  })
  it('that is not named does not make its users share their failures', async () => {
    await using server = opened([])
    const { url } = await server.listen()
    const login = async (password: string, client: string) => {
      const headers = { ...credentials, 'x-openidm-password': password, 'x-forwarded-for': client }
      return (await fetch(`${url}/info/login`, { headers })).status
    }
    for (let guess = 0; guess < 6; guess++) await login('wrong', '192.0.2.1')
    expect(await login('secret', '192.0.2.1')).toBe(429)
    expect(await login('secret', '192.0.2.2')).toBe(200)
  })
})

describe('browsers', () => {
  it.each(['things?_queryFilter=true', 'nowhere'])('are told to be careful with %s', async (path) => {
    const { headers } = await call('GET', path)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'self'")
  })
})

describe('an action', () => {
  it('gets body and parameters', async () => {
    const { body } = await call('POST', 'things?_action=greet&who=Ann&_queryFilter=true&_prettyPrint=true', {
      body: [1],
    })
    expect(body).toEqual({ name: 'greet', content: [1], parameters: { who: 'Ann', _queryFilter: 'true' } })
  })
  it('needs no body', async () => {
    expect((await call('POST', 'things?_action=greet')).body.content).toBe(null)
  })
  it('without result answers null', async () => {
    expect((await call('POST', 'things?_action=nothing')).text).toBe('null')
  })
})

describe('methods', () => {
  it.each(['PUT', 'PATCH', 'DELETE'])('POST with X-HTTP-Method-Override: %s is that', async (method) => {
    await store('a', { name: 'a' })
    const body = method === 'PATCH' ? [{ operation: 'replace', field: 'name', value: 'b' }] : { name: 'b' }
    const headers = { 'x-http-method-override': method }
    const answer = await call('POST', 'things/a', { headers, body })
    expect([answer.status, answer.body.name]).toEqual([200, method === 'DELETE' ? 'a' : 'b'])
  })
  it('HEAD answers as GET does, without a body', async () => {
    await store('a', {})
    const { status, text, headers } = await call('HEAD', 'things/a')
    expect([status, text, headers.get('etag')]).toEqual([200, '', expect.any(String)])
  })
  it('OPTIONS lists them', async () => {
    const { status, headers } = await call('OPTIONS', 'things/a')
    expect([status, headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'])
  })
  it('others are not implemented', async () => {
    expect((await call('PROPFIND', 'things/a')).status).toBe(501)
  })
  it('outside the context path there is nothing', async () => {
    const response = await fetch(new URL('/elsewhere', base), { headers: credentials })
    expect([response.status, ((await response.json()) as { code: number }).code]).toEqual([404, 404])
  })
})

describe('the context path', () => {
  it.each([
    ['idm', '/idm'],
    ['/idm/', '/idm'],
    ['/a/b', '/a/b'],
    ['/', ''],
  ])('may be %s', async (given, path) => {
    await using elsewhere = open(given)
    const { url } = await elsewhere.listen()
    expect(new URL(url).pathname).toBe(path || '/')
    const created = await fetch(`${url}/things`, {
      method: 'POST',
      headers: { ...credentials, 'content-type': 'application/json' },
      body: '{"_id":"a"}',
    })
    const location = created.headers.get('location') as string
    expect([created.status, location]).toEqual([201, `${url}/things/generated`])
    expect((await fetch(location, { headers: credentials })).status).toBe(200)
  })
})

describe('authentication', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  const statusOf = async (headers: Record<string, string>, path = 'info/version') =>
    (await fetch(`${base}/${path}`, { headers })).status
  it.each<[string, Record<string, string>, number]>([
    ['no credentials', {}, 401],
    ['the two headers', credentials, 200],
    [
      'headers encoded as RFC 5987 describes',
      { ...credentials, 'x-openidm-password': "UTF-8''%73ecret" },
      200,
    ],
    ['HTTP Basic', { authorization: basic('openidm-admin:secret') }, 200],
    ['a wrong password', { ...credentials, 'x-openidm-password': 'wrong' }, 401],
    ['an unknown user', { ...credentials, 'x-openidm-username': 'root' }, 401],
    ['a name without password', { 'x-openidm-username': 'openidm-admin' }, 401],
    ['an unknown scheme', { authorization: 'Bearer x' }, 401],
  ])('%s', async (_name, headers, status) => {
    expect(await statusOf(headers)).toBe(status)
  })
  it('lets anybody ping', async () => {
    expect(await statusOf({}, 'info/ping')).toBe(200)
  })
  it('says who one is', async () => {
    expect((await call('GET', 'info/login')).body).toMatchObject({
      authenticationId: 'openidm-admin',
      authorization: { id: 'openidm-admin', roles: ['openidm-admin'], ipAddress: '127.0.0.1' },
    })
  })
  it('is looked at before anything else is told', async () => {
    expect(await statusOf({}, 'things?_pageSize=x')).toBe(401)
    expect(await statusOf({}, 'nowhere')).toBe(401)
  })
})

describe('closing', () => {
  it('answers what is under way', async () => {
    let release: (() => void) | undefined
    const slow: ResourceProvider = {
      read: () => new Promise((resolve) => (release = () => resolve({ _id: 'slow' }))),
    }
    const closing = httpServer({
      resources: router({ slow }),
      authentication: authenticating([passwordLogin(undefined)]),
      log: pino({ level: 'silent' }),
    })
    const { port } = await closing.listen()
    const answer = new Promise<number | undefined>((resolve, reject) => {
      const path = '/openidm/slow/a'
      nodeRequest(
        { port, host: '127.0.0.1', path, headers: { ...credentials, connection: 'close' } },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
        .on('error', reject)
        .end()
    })
    while (!release) await new Promise((resolve) => setTimeout(resolve, 5))
    const closed = closing[Symbol.asyncDispose]()
    release()
    expect(await answer).toBe(200)
    await closed
  })
})
