import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administratorLogin, ensureAdministrator } from '../authentication/administrator.ts'
import { authenticating } from '../authentication/testing/logins.ts'
import { managedObjects } from '../objects/resource.ts'
import type { Repository } from '../repository/repository.ts'
import { authorizeExternal } from '../router/authorization.ts'
import { router } from '../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../testing/store.ts'
import { type HttpServer, httpServer } from './server.ts'

/** From the socket to the file and back: nothing here is a stand-in. */
let store: TemporaryStore
let repository: Repository
let server: HttpServer
let base: string

beforeAll(async () => {
  store = await temporaryStore()
  repository = store.repository
  await ensureAdministrator({
    settings: repository.settings,
    environment: { SYNCLINE_ADMIN_PASSWORD: 'chosen' },
    announce: () => expect.unreachable('a chosen password is not announced'),
  })
  const schema = {
    required: ['userName'],
    properties: { userName: { type: 'string', searchable: true }, sn: { type: 'string', minLength: 2 } },
  }
  server = httpServer({
    resources: router({ managed: await managedObjects({ repository, types: [{ name: 'user', schema }] }) }, [
      authorizeExternal,
    ]),
    authentication: authenticating([administratorLogin(repository.settings)]),
    log: pino({ level: 'silent' }),
  })
  base = (await server.listen()).url
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
})

const authorization = `Basic ${Buffer.from('openidm-admin:chosen').toString('base64')}`

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${base}/${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown }
}

describe('a managed object over HTTP', () => {
  it('lives: created, read, patched, replaced, deleted', async () => {
    const path = 'managed/user/a%2Fda'
    const created = await call('PUT', path, { userName: 'ada' }, { 'if-none-match': '*' })
    expect([created.status, created.headers.get('location')]).toEqual([201, `${base}/${path}`])
    const etag = created.headers.get('etag') as string
    expect((await call('GET', path)).body).toEqual(created.body)

    const operations = [{ operation: 'add', field: '/sn', value: 'Lovelace' }]
    const patched = await call('PATCH', path, operations, { 'if-match': etag })
    expect(patched).toMatchObject({ status: 200, body: { _id: 'a/da', sn: 'Lovelace' } })
    expect((await call('PATCH', path, operations, { 'if-match': etag })).status).toBe(412)

    const replaced = await call('PUT', path, { userName: 'ada2' })
    expect(replaced).toMatchObject({ status: 200, body: { _id: 'a/da', userName: 'ada2' } })
    expect(replaced.body).not.toHaveProperty('sn')
    expect((await call('DELETE', path)).body).toEqual(replaced.body)
    expect((await call('GET', path)).status).toBe(404)
  })
  it('that violates a policy is answered with the documented body', async () => {
    expect(await call('POST', 'managed/user', { sn: 'x' })).toMatchObject({
      status: 403,
      body: {
        code: 403,
        reason: 'Forbidden',
        message: 'Policy validation failed',
        detail: {
          result: false,
          failedPolicyRequirements: [
            { property: 'userName', policyRequirements: [{ policyRequirement: 'REQUIRED' }] },
            {
              property: 'sn',
              policyRequirements: [{ policyRequirement: 'MIN_LENGTH', params: { minLength: 2 } }],
            },
          ],
        },
      },
    })
  })
  it('is found page by page', async () => {
    for (const userName of ['p1', 'p2', 'p3']) await call('POST', 'managed/user', { userName })
    const query = 'managed/user?_queryFilter=userName+sw+"p"&_sortKeys=-userName&_pageSize=2&_fields=userName'
    const first = (await call('GET', `${query}&_totalPagedResultsPolicy=EXACT`)).body as {
      pagedResultsCookie: string
    }
    expect(first).toMatchObject({
      result: [{ userName: 'p3' }, { userName: 'p2' }],
      resultCount: 2,
      totalPagedResults: 3,
    })
    const cookie = encodeURIComponent(first.pagedResultsCookie)
    expect((await call('GET', `${query}&_pagedResultsCookie=${cookie}`)).body).toMatchObject({
      result: [{ userName: 'p1' }],
      pagedResultsCookie: null,
    })
  })
  it('is hidden from strangers', async () => {
    const stranger = { authorization: `Basic ${Buffer.from('openidm-admin:guess').toString('base64')}` }
    expect((await call('GET', 'managed/user?_queryFilter=true', undefined, stranger)).status).toBe(401)
  })
})
