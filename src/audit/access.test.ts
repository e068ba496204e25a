import { describe, expect, it } from 'vitest'
import { mask } from '../model/secrecy.ts'
import type { Exchange } from '../router/exchange.ts'
import { accessEvent, authenticationEvent } from './access.ts'

const exchange = (more: Partial<Exchange> = {}): Exchange => ({
  ...{ transactionId: 't', userId: 'openidm-admin', roles: ['openidm-admin'], secure: false },
  ...{ server: { ip: '127.0.0.1', port: 8080 }, client: { ip: '10.0.0.1', port: 5000 } },
  ...{ method: 'GET', path: '/openidm/managed/user', search: '', headers: {} },
  ...{ operation: 'QUERY', action: undefined, status: 200, reason: undefined, elapsed: 12.4 },
  ...more,
})
const isSecret = (name: string) => name === 'pin'
const contentOf = (more: Partial<Exchange>) =>
  accessEvent(exchange(more), isSecret, Date.parse('2026-01-02T03:04:05Z')).content

/** `audit/access` and `audit/authentication` (platform §9). */
describe('an access entry', () => {
  it('says who asked what from where, and what came of it', () => {
    expect(contentOf({ search: '_queryFilter=true&a=1&a=2', headers: { host: 'h' } })).toEqual({
      ...{
        eventName: 'access',
        timestamp: '2026-01-02T03:04:05.000Z',
        transactionId: 't',
        trackingIds: null,
      },
      ...{ userId: 'openidm-admin', roles: ['openidm-admin'] },
      ...{ server: { ip: '127.0.0.1', port: 8080 }, client: { ip: '10.0.0.1', port: 5000 } },
      request: { protocol: 'CREST', operation: 'QUERY', detail: null },
      http: {
        request: {
          ...{ secure: false, method: 'GET', path: '/openidm/managed/user', headers: { host: ['h'] } },
          queryParameters: { _queryFilter: ['true'], a: ['1', '2'] },
        },
      },
      response: {
        ...{ status: 'SUCCESSFUL', statusCode: '200', detail: null },
        ...{ elapsedTime: 12, elapsedTimeUnits: 'MILLISECONDS' },
      },
    })
  })

  it('says why a request failed, and which action it was', () => {
    const failed = {
      operation: 'ACTION',
      action: 'recon',
      status: 409,
      reason: 'No such mapping',
      userId: undefined,
    }
    expect(contentOf(failed)).toMatchObject({
      userId: null,
      request: { operation: 'ACTION', detail: { action: 'recon' } },
      response: { status: 'FAILED', statusCode: '409', detail: { reason: 'No such mapping' } },
    })
  })

  it.each([
    ['password=x', { password: [mask] }],
    ['newPasswd=x&name=jo', { newPasswd: [mask], name: ['jo'] }],
    ['pin=1234', { pin: [mask] }],
    ['_queryFilter=pin+eq+"1234"', { _queryFilter: [mask] }],
    ['_queryFilter=/pin+sw+"12"+and+sn+pr', { _queryFilter: [mask] }],
    ['_queryFilter=userPassword+eq+"x"', { _queryFilter: [mask] }],
    ['_queryFilter=spin+eq+"1"', { _queryFilter: ['spin eq "1"'] }],
    ['_fields=pin,sn', { _fields: ['pin,sn'] }],
    ['__proto__=1', JSON.parse('{"__proto__": ["1"]}')],
  ])('shows of %s only what may be shown', (search, shown) => {
    const { http } = contentOf({ search }) as { http: { request: { queryParameters: object } } }
    expect(JSON.stringify(http.request.queryParameters)).toBe(JSON.stringify(shown))
  })

  it('has no header that carries credentials', () => {
    const headers = {
      ...{ authorization: 'Basic x', cookie: 'session-jwt=x', 'x-openidm-password': 'x' },
      ...{ 'proxy-authorization': 'x', 'x-api-key': 'x', 'x-openidm-reauth-password': 'x', accept: '*/*' },
    }
    expect(contentOf({ headers })).toMatchObject({ http: { request: { headers: { accept: ['*/*'] } } } })
    expect(JSON.stringify(contentOf({ headers }))).not.toMatch(/"x"|Basic|jwt/)
  })
})

describe('an authentication entry', () => {
  it('says who was to be whom, and whether he was', () => {
    const attempt = { transactionId: 't', username: 'jo', address: '10.0.0.1', module: 'STATIC_USER' }
    expect(authenticationEvent({ ...attempt, successful: true }, 0).content).toMatchObject({
      ...{ result: 'SUCCESSFUL', principal: ['jo'], context: { ipAddress: '10.0.0.1' } },
      entries: [{ moduleId: 'STATIC_USER', result: 'SUCCESSFUL', info: {} }],
    })
    expect(authenticationEvent({ ...attempt, successful: false, reason: 'wrong' }, 0).content).toMatchObject({
      result: 'FAILED',
      entries: [{ result: 'FAILED', info: { reason: 'wrong' } }],
    })
  })
})
