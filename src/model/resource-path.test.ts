import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinPath, normalizePath, splitLast, splitPath } from './resource-path.ts'

describe('paths', () => {
  it('keep any segments, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, unit: 'grapheme' })), (segments) => {
        expect(splitPath(joinPath(...segments))).toEqual(segments)
      }),
    )
  })
  it('stay legible', () => {
    expect(joinPath('system', 'ldap', 'account', 'uid=a@b,dc=example')).toBe(
      'system/ldap/account/uid=a@b,dc=example',
    )
  })
  it('split before the last segment', () => {
    expect(splitLast('managed/user/a%2Fb')).toEqual({ parent: 'managed/user', last: 'a/b' })
    expect(splitLast('config')).toEqual({ parent: '', last: 'config' })
  })
  it.each(['a//b', 'a/%zz', 'a/%'])('%s is refused', (path) => {
    expect(() => splitPath(path)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
  })
})

describe('the canonical text of a path', () => {
  it.each([
    ['', ''],
    ['/', ''],
    ['/managed/user/', 'managed/user'],
    ['managed/%75ser', 'managed/user'],
    ['%6danaged/%55ser', 'managed/User'],
    ['%6Danaged/user', 'managed/user'],
    ['managed/user/a%2fb', 'managed/user/a%2Fb'],
    ['managed/user/a%2Fb', 'managed/user/a%2Fb'],
    ['managed/user/%2F', 'managed/user/%2F'],
    ['managed/user%2Fx', 'managed/user%2Fx'],
    ['managed/%2575ser', 'managed/%2575ser'],
    ['managed/user/50%25', 'managed/user/50%25'],
    ['managed/user/a b+c', 'managed/user/a%20b%2Bc'],
    ['managed/user/uid%3Da%40b%2Cdc%3dx', 'managed/user/uid=a@b,dc=x'],
    ['managed/user/José', 'managed/user/Jos%C3%A9'],
    ['managed/user/Jos%c3%a9', 'managed/user/Jos%C3%A9'],
    ['managed/user/%F0%9F%99%82', 'managed/user/%F0%9F%99%82'],
    ['managed/user/%2e', 'managed/user/.'],
    ['managed/user/../role', 'managed/user/../role'],
    ['managed/%2e%2E/%73ecret', 'managed/../secret'],
    ['managed/user/a%3Fb%23c%00', 'managed/user/a%3Fb%23c%00'],
  ])('of %j is %j', (path, canonical) => {
    expect(normalizePath(path)).toBe(canonical)
    expect(normalizePath(canonical)).toBe(canonical)
  })
  it.each([
    'managed/%zz',
    'managed/%',
    'managed/%7',
    'managed/%ff',
    'managed/%C3%28',
    'managed/%c0%af',
    'managed/%ED%A0%80',
    'managed/\ud800',
    'managed//user',
    'managed/user//',
    '//managed',
  ])('%j has none', (path) => {
    expect(() => normalizePath(path)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
  })
  it('is one for all spellings', () => {
    const spelt = fc.string({ minLength: 1, unit: 'grapheme' }).map((segment) => ({
      segment,
      all: Buffer.from(segment).reduce((text, byte) => `${text}%${byte.toString(16).padStart(2, '0')}`, ''),
    }))
    fc.assert(
      fc.property(spelt, ({ segment, all }) => {
        expect(normalizePath(`managed/${all}`)).toBe(joinPath('managed', segment))
      }),
    )
  })
})
