import { describe, expect, it } from 'vitest'
import { redact } from './redact.ts'

const encrypted = { $crypto: { type: 'x-simple-encryption', value: {} } }

describe('an audit entry', () => {
  it.each([
    ['a password', { after: { password: 'x', sn: 'A' } }, { after: { sn: 'A' } }],
    ['a password under another name', { userPassword: 'x', __PASSWORD__: 'y' }, {}],
    ['a hashed or encrypted value', { after: { pin: encrypted } }, { after: {} }],
    ['an encrypted element', { list: [encrypted, { a: encrypted }, 1] }, { list: [{}, 1] }],
    [
      'an authorization header',
      { http: { request: { headers: { Authorization: 'Basic x' } } } },
      { http: { request: { headers: {} } } },
    ],
    [
      'cookies',
      { http: { request: { cookies: { a: 'b' }, headers: { Cookie: 'c' } } } },
      { http: { request: { headers: {} } } },
    ],
    [
      'our password header',
      { headers: { 'X-OpenIDM-Password': 'x', host: 'h' } },
      { headers: { host: 'h' } },
    ],
  ])('loses %s', (_what, content, expected) => {
    expect(redact(content)).toEqual(expected)
  })
  it('keeps statements about passwords', () => {
    const content = { passwordChanged: true, changedFields: ['/password'], message: 'password changed' }
    expect(redact(content)).toBe(content)
  })
  it('leaves the given content as it is', () => {
    const content = { after: { password: 'x' }, before: { sn: 'A' } }
    const redacted = redact(content)
    expect(content.after.password).toBe('x')
    expect(redacted.before).toBe(content.before)
  })
})
