import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { password as adminPassword, type Server, serve } from './support/server.ts'

/** People who log in to a server: with what they have in `managed/user`, or where a system checks their password (platform §10). */
let project: TestProject
let server: Server

const authentication = {
  serverAuthContext: {
    sessionModule: {
      name: 'JWT_SESSION',
      properties: { maxTokenLifeMinutes: 120, tokenIdleTimeMinutes: 30 },
    },
    authModules: [
      {
        name: 'MANAGED_USER',
        properties: {
          queryOnResource: 'managed/user',
          queryId: 'credential-query',
          propertyMapping: {
            authenticationId: 'username',
            userCredential: 'password',
            userRoles: 'authzRoles',
          },
          defaultUserRoles: ['internal/role/openidm-authorized'],
        },
      },
      {
        name: 'PASSTHROUGH',
        properties: {
          passThroughAuth: 'system/staff/account',
          propertyMapping: { authenticationId: 'login', groupMembership: 'team' },
          groupRoleMapping: { 'openidm-admin': ['Operations'] },
          defaultUserRoles: ['openidm-authorized'],
        },
      },
    ],
  },
}
const access = {
  configs: [
    { pattern: '*', roles: 'openidm-admin' },
    { pattern: 'info/*', roles: '*', methods: 'read' },
    { pattern: 'authentication', roles: '*', methods: 'action' },
    { pattern: 'managed/user/*', roles: 'openidm-authorized', customAuthz: 'ownDataOnly()' },
  ],
}
const hidden = { type: 'string', scope: 'private' }

beforeAll(async () => {
  project = new TestProject()
  project.write('conf/managed.json', {
    objects: [
      {
        name: 'user',
        schema: {
          properties: {
            ...{ userName: { type: 'string' }, mail: { type: 'string' }, accountStatus: { type: 'string' } },
            password: { ...hidden, secureHash: { algorithm: 'SHA-256' } },
            authzRoles: { type: 'array', items: { type: 'object' } },
          },
        },
      },
    ],
  })
  project.write('conf/authentication.json', authentication)
  project.write('conf/access.json', access)
  project.write('data/staff.csv', 'login,password,team\ncem,Cem-pass1,Operations\ndia,Dia-pass1,Kitchen\n')
  project.write(
    'conf/provisioner.openicf-staff.json',
    csvConnector('staff', ['login', 'team'], { headerPassword: 'password' }),
  )
  server = await serve(project)
  await add('ann', { password: 'Ann-pass1' })
  await add('ben', { password: 'Ben-pass1', accountStatus: 'inactive' })
  await add('eva', { password: 'Eva-pass1', authzRoles: [{ _ref: 'internal/role/openidm-admin' }] })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

async function add(userName: string, more: object) {
  const answer = await server.call('PUT', `managed/user/id-${userName}`, { body: { userName, ...more } })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
}

interface Said {
  readonly as?: readonly [name: string, password: string]
  readonly cookie?: string | undefined
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

async function ask(method: string, path: string, { as, cookie, headers = {}, body }: Said = {}) {
  const [name, secret] = as ?? []
  const response = await fetch(`${server.url}/${path}`, {
    method,
    headers: {
      ...(as && { 'X-OpenIDM-Username': String(name), 'X-OpenIDM-Password': String(secret) }),
      ...(cookie !== undefined && { Cookie: cookie }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const set = response.headers.get('set-cookie')
  return { status: response.status, set, cookie: set?.split(';')[0], body: JSON.parse(await response.text()) }
}
const ann = ['ann', 'Ann-pass1'] as const
const own = { 'X-Requested-With': 'XMLHttpRequest' }
const logIn = (as: readonly [string, string] = ann) => ask('POST', 'authentication?_action=login', { as })

describe('a login', () => {
  it.each<[string, readonly [string, string], object]>([
    [
      'a managed user, by what is in the object',
      ann,
      {
        authenticationId: 'ann',
        authorization: { id: 'id-ann', component: 'managed/user', roles: ['openidm-authorized'] },
      },
    ],
    [
      'a managed user with roles of its own',
      ['eva', 'Eva-pass1'],
      { authorization: { id: 'id-eva', roles: ['openidm-authorized', 'openidm-admin'] } },
    ],
    [
      'an account of a system, with the roles of its groups',
      ['cem', 'Cem-pass1'],
      {
        authenticationId: 'cem',
        authorization: {
          id: 'cem',
          component: 'system/staff/account',
          roles: ['openidm-authorized', 'openidm-admin'],
        },
      },
    ],
    [
      'an account of a system in no such group',
      ['dia', 'Dia-pass1'],
      { authorization: { id: 'dia', roles: ['openidm-authorized'] } },
    ],
    [
      'the administrator',
      ['openidm-admin', adminPassword],
      { authorization: { component: 'internal/user' } },
    ],
  ])('is one of %s', async (_who, as, described) => {
    expect(await ask('GET', 'info/login', { as })).toMatchObject({ status: 200, body: described })
  })
  it.each<[string, readonly [string, string]]>([
    ['a wrong password', ['ann', 'Ann-pass2']],
    ['no password', ['ann', '']],
    ['an unknown name', ['zoe', 'Ann-pass1']],
    ['an account that is not active', ['ben', 'Ben-pass1']],
    ['a wrong password of a system', ['cem', 'x']],
    ['no password of a system', ['cem', '']],
  ])('is refused with %s, and all of them alike', async (_which, as) => {
    expect(await ask('GET', 'info/login', { as, headers: { 'X-Forwarded-For': as.join() } })).toMatchObject({
      ...{ status: 401, set: null },
      body: { message: 'The user name or the password is wrong' },
    })
  })
  it('opens what is the own, and nothing of others', async () => {
    expect(await ask('GET', 'managed/user/id-ann', { as: ann })).toMatchObject({ status: 200 })
    expect(await ask('GET', 'managed/user/id-eva', { as: ann })).toMatchObject({ status: 403 })
  })
})

describe('a session', () => {
  it('begins with a login, in a cookie that no script reads and no other site sends', async () => {
    const { set } = await logIn()
    expect(set).toMatch(/^session-jwt=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict$/)
  })
  it('goes on without the password', async () => {
    const { cookie } = await logIn()
    expect(await ask('GET', 'managed/user/id-ann', { cookie })).toMatchObject({ status: 200, set: null })
    const change = { body: [{ operation: 'replace', field: 'mail', value: 'ann@example.com' }] }
    expect(await ask('PATCH', 'managed/user/id-ann', { cookie, ...change, headers: own })).toMatchObject({
      status: 200,
    })
    expect(await ask('PATCH', 'managed/user/id-ann', { cookie, ...change })).toMatchObject({
      ...{ status: 403, body: { message: expect.stringContaining('X-Requested-With') } },
    })
  })
  it('does not begin where the client wants none', async () => {
    const headers = { 'X-OpenIDM-NoSession': 'true' }
    expect(await ask('GET', 'info/login', { as: ann, headers })).toMatchObject({ status: 200, set: null })
  })
  it('cannot be given to somebody: each login has a new one', async () => {
    const { cookie } = await logIn(['cem', 'Cem-pass1'])
    const other = await ask('GET', 'info/login', { as: ann, cookie })
    expect(other).toMatchObject({ body: { authenticationId: 'ann' } })
    expect(other.cookie).not.toBe(cookie)
    expect(await ask('GET', 'info/login', { cookie })).toMatchObject({ body: { authenticationId: 'cem' } })
  })
  it.each([
    ['that is forged', 'session-jwt=eyJhbGciOiJub25lIn0.eyJzdWIiOiJvcGVuaWRtLWFkbWluIn0.'],
    ['of nothing', 'session-jwt='],
  ])('%s is none', async (_which, cookie) => {
    expect(await ask('GET', 'managed/user/id-ann', { cookie })).toMatchObject({ status: 401 })
  })
  it('ends with a logout, also for who has kept the cookie', async () => {
    const { cookie } = await logIn()
    expect(await ask('POST', 'authentication?_action=logout', { cookie })).toMatchObject({ status: 403 })
    const left = await ask('POST', 'authentication?_action=logout', { cookie, headers: own })
    expect(left).toMatchObject({ status: 200, set: expect.stringMatching(/^session-jwt=;.*Max-Age=0/) })
    expect(await ask('GET', 'info/login', { cookie })).toMatchObject({
      ...{ status: 401, body: { message: 'The session has ended' } },
    })
    // A second time there is nothing to leave.
    expect(await ask('POST', 'authentication?_action=logout', { cookie })).toMatchObject({ status: 200 })
  })
  it('survives a restart of the server', async () => {
    const { cookie } = await logIn()
    await server.stop('SIGKILL')
    server = await serve(project)
    expect(await ask('GET', 'info/login', { cookie })).toMatchObject({ body: { authenticationId: 'ann' } })
  })
  it('ends when the password, the account or the way to log in is another', async () => {
    await add('fay', { password: 'Fay-pass1' })
    const state = (cookie: string | undefined) =>
      ask('GET', 'info/login', { cookie }).then(({ status }) => status)
    const { cookie } = await logIn(['fay', 'Fay-pass1'])
    const set = (field: string, value: string) =>
      server.call('PATCH', 'managed/user/id-fay', { body: [{ operation: 'replace', field, value }] })
    expect(await state(cookie)).toBe(200)
    await set('password', 'Fay-pass2')
    expect(await state(cookie)).toBe(401)

    const again = (await logIn(['fay', 'Fay-pass2'])).cookie
    await set('accountStatus', 'inactive')
    expect(await state(again)).toBe(401)
    await set('accountStatus', 'active')
    expect(await state(again)).toBe(200)
    await server.call('DELETE', 'config/authentication')
    expect(await state(again)).toBe(401)
    await server.call('PUT', 'config/authentication', { body: authentication })
    expect(await state(again)).toBe(200)
  })
  it('has the roles that its user has now', async () => {
    await add('gus', { password: 'Gus-pass1' })
    const { cookie } = await logIn(['gus', 'Gus-pass1'])
    expect(await ask('GET', 'managed/user/id-ann', { cookie })).toMatchObject({ status: 403 })
    const value = [{ _ref: 'internal/role/openidm-admin' }]
    const body = [{ operation: 'add', field: 'authzRoles', value }]
    expect(await server.call('PATCH', 'managed/user/id-gus', { body })).toMatchObject({ status: 200 })
    expect(await ask('GET', 'managed/user/id-ann', { cookie })).toMatchObject({ status: 200 })
  })
})
