import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinPath, splitLast, splitPath } from './path.ts'

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
