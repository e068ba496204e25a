import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import type { Resource, Resources } from '../router/resources.ts'
import { bearerLogin } from './bearer.ts'
import { bearerSettings } from './bearer-settings.ts'

/** An authorization server: its keys at /jwks, answers about tokens at /introspect. */
let server: Server
let base: string
let tokens: Record<string, JsonObject>
let asked: { readonly authorization: string | undefined; readonly body: string }[]
const keys = await generateKeyPair('ES256')
const others = await generateKeyPair('ES256')

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' }
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    if (request.url === '/jwks') return response.end(JSON.stringify({ keys: [jwk] }))
    asked.push({ authorization: request.headers.authorization, body })
    const token = new URLSearchParams(body).get('token') ?? ''
    if (token === 'broken') return response.writeHead(500).end()
    return response.end(JSON.stringify(tokens[token] ?? { active: false }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((closed) => server.close(closed)))

const ann: Resource = { _id: 'a1', userName: 'ann', authzRoles: [{ _ref: 'internal/role/syncline-reader' }] }
const resources = {
  query: async (_path: string, { filter }: { filter: { value: unknown } }) => ({
    result: [ann].filter(({ _id }) => filter.value === _id),
    cookie: null,
  }),
} as unknown as Resources

const subjects = {
  subjectMapping: [
    {
      queryOnResource: 'managed/user',
      propertyMapping: { sub: '_id' },
      userRoles: 'authzRoles/*',
      defaultRoles: ['openidm-authorized'],
    },
  ],
  staticUserMapping: [
    { subject: 'amadmin', localUser: 'internal/user/openidm-admin', roles: ['internal/role/openidm-admin'] },
  ],
}

function login(more: JsonObject) {
  const { settings, findings } = bearerSettings({ ...subjects, ...more })
  if (!settings) throw new Error(findings.map(({ message }) => message).join())
  return bearerLogin(settings, () => resources)
}

describe('a signed token', () => {
  const token = (
    claims: JsonObject,
    {
      key = keys.privateKey,
      ...more
    }: {
      key?: typeof keys.privateKey
      kid?: string
      issuer?: string
      expires?: string
      audience?: string
    } = {},
  ) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: more.kid ?? 'one' })
      .setIssuer(more.issuer ?? 'https://am.example.com')
      .setAudience(more.audience ?? 'idm')
      .setExpirationTime(more.expires ?? '1 h')
      .sign(key)
  const opened = (more: JsonObject = {}) =>
    login({
      jwksUri: `${base}/jwks`,
      issuer: 'https://am.example.com',
      audience: 'idm',
      scopes: ['fr:idm:*'],
      ...more,
    })
  const good = { sub: 'a1', scope: 'openid fr:idm:*' }

  it('stands for the object of its subject, with its roles', async () => {
    expect(await opened()(await token(good))).toEqual({
      userId: 'a1',
      roles: ['openidm-authorized', 'syncline-reader'],
      account: { component: 'managed/user', id: 'a1' },
    })
  })
  it('stands for a fixed user', async () => {
    expect(await opened()(await token({ ...good, sub: 'amadmin' }))).toEqual({
      userId: 'openidm-admin',
      roles: ['openidm-admin'],
    })
  })
  it('takes scopes as a list as well', async () => {
    expect(await opened()(await token({ sub: 'a1', scp: ['fr:idm:*'] }))).toMatchObject({ userId: 'a1' })
  })
  it('of nobody gets the roles for such, if there are some', async () => {
    const roles = { anonymousUserMapping: { localUser: 'internal/user/anonymous', roles: ['openidm-reg'] } }
    expect(await opened(roles)(await token({ ...good, sub: 'zoe' }))).toEqual({
      userId: 'zoe',
      roles: ['openidm-reg'],
    })
  })
  it.each<[string, () => Promise<string>, RegExp]>([
    ['of nobody', () => token({ ...good, sub: 'zoe' }), /subject "zoe" is no user/],
    ['that has expired', () => token(good, { expires: '-1 s' }), /has expired/],
    ['of another issuer', () => token(good, { issuer: 'https://other.example.com' }), /claim "iss"/],
    ['for others', () => token(good, { audience: 'shop' }), /claim "aud"/],
    ['without the scope', () => token({ sub: 'a1', scope: 'openid' }), /lacks the scope fr:idm:\*/],
    ['that another has signed', () => token(good, { key: others.privateKey }), /signature is wrong/],
    [
      'with a key that the server does not have',
      () => token(good, { kid: 'two' }),
      /no key of the authorization server/,
    ],
    [
      'that is signed with the public key as a secret',
      async () =>
        new SignJWT(good)
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .setExpirationTime('1 h')
          .sign(Buffer.from(JSON.stringify(await exportJWK(keys.publicKey)))),
      /no token of the authorization server/,
    ],
    ['that is none', async () => 'abc', /no token of the authorization server/],
  ])('%s is refused, and the reason said', async (_which, made, message) => {
    await expect(opened()(await made())).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringMatching(message),
    })
  })
  it('cannot be judged while the server does not answer', async () => {
    const gone = opened({ jwksUri: 'http://127.0.0.1:1/jwks' })
    await expect(gone(await token(good))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:1'),
    })
  })
})

describe('a token that the server is asked about', () => {
  const client = () => ({ tokenIntrospectUrl: `${base}/introspect`, clientId: 'idm', clientSecret: 's:cret' })
  const fresh = () => {
    asked = []
    tokens = { good: { active: true, sub: 'a1', scope: 'fr:idm:*', exp: Date.now() / 1000 + 60 } }
  }

  it('stands for the object of its subject', async () => {
    fresh()
    expect(await login(client())('good')).toMatchObject({ userId: 'a1', account: { id: 'a1' } })
    expect(asked).toEqual([
      {
        authorization: `Basic ${Buffer.from('idm:s%3Acret').toString('base64')}`,
        body: 'token=good&token_type_hint=access_token',
      },
    ])
  })
  it('is asked about each time, so that one which is taken back is not valid', async () => {
    fresh()
    const bearer = login(client())
    await bearer('good')
    tokens = {}
    await expect(bearer('good')).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
  it('is asked about once in the time that "cache" gives', async () => {
    fresh()
    const bearer = login({ ...client(), cache: { maxTimeout: '300 seconds' } })
    await bearer('good')
    await bearer('good')
    expect(asked).toHaveLength(1)
  })
  it.each(['other', ''])('is refused if the server does not know it: %j', async (token) => {
    fresh()
    await expect(login(client())(token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
  it('cannot be judged while the server fails, and its secret is not in the message', async () => {
    fresh()
    await expect(login(client())('broken')).rejects.toMatchObject({
      ...{ code: 'UNAVAILABLE', message: expect.not.stringContaining('s:cret') },
    })
  })
})

describe('a configuration of half', () => {
  it.each<[string, JsonObject, RegExp]>([
    ['no server', {}, /needs "tokenIntrospectUrl", or "jwksUri" and "issuer"/],
    ['keys without an issuer', { jwksUri: 'https://am/jwks' }, /"jwksUri" needs "issuer"/],
    ['no client', { tokenIntrospectUrl: 'https://am/x' }, /needs "clientId" and "clientSecret"/],
    ['an address that is none', { jwksUri: 'am', issuer: 'am' }, /must be the address of a server/],
  ])('accepts no token: %s', (_what, filter, message) => {
    expect(bearerSettings({ ...subjects, ...filter })).toEqual({
      findings: [expect.objectContaining({ message: expect.stringMatching(message) })],
    })
  })
  it('says that no token leads to a user', () => {
    const { settings, findings } = bearerSettings({ jwksUri: 'https://am/jwks', issuer: 'am' })
    expect([settings, findings[0]?.message]).toEqual([
      undefined,
      expect.stringContaining('no token leads to a user'),
    ])
  })
})
