import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeDnValue } from '../../model/entry-name.ts'
import { hostileTexts } from '../kit/contract/hostile.ts'
import { contains, type Dn, parseDn, printDn, sameDn } from './dn.ts'

const parsed = (text: string): Dn => parseDn(text) ?? []

describe('the name of an entry', () => {
  it('comes back from its text with any characters in it', () => {
    const value = fc.oneof(fc.string({ minLength: 1, unit: 'grapheme' }), fc.constantFrom(...hostileTexts))
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
        (names) => {
          const dn = names.map((values) => values.map((one) => ({ type: 'cn', value: one })))
          expect(parseDn(printDn(dn))).toEqual(dn)
        },
      ),
    )
  })

  it('is read in every spelling of RFC 4514', () => {
    const [rdn] = parsed('CN=Steve\\, \\"Jr\\"\\+x\\20,dc=example')
    expect(rdn).toEqual([{ type: 'CN', value: 'Steve, "Jr"+x ' }])
    expect(parsed('cn="a, b" , dc = example')).toEqual([
      [{ type: 'cn', value: 'a, b' }],
      [{ type: 'dc', value: 'example' }],
    ])
    expect(parsed('cn=Lu\\C4\\8Di\\C4\\87')).toEqual([[{ type: 'cn', value: 'Lučić' }]])
    expect(parsed('cn=a\\ ')).toEqual([[{ type: 'cn', value: 'a ' }]])
    expect(parsed('cn=a\\\\,dc=b')).toEqual([[{ type: 'cn', value: 'a\\' }], [{ type: 'dc', value: 'b' }]])
    expect(parsed('ou=Sales+cn=J. Smith')).toEqual([
      [
        { type: 'ou', value: 'Sales' },
        { type: 'cn', value: 'J. Smith' },
      ],
    ])
  })

  it('is none without a type and a value', () => {
    for (const text of ['nobody', 'cn=a,,dc=b', '=a', 'cn=a,b']) expect(parseDn(text)).toBeUndefined()
  })

  it('is the same in another case, with other blanks and other escapes', () => {
    const dn = parsed('cn=Ann \\+ Co, ou=People,dc=example')
    expect(sameDn(dn, parsed('CN=ann \\2b  co,OU=people , DC=Example'))).toBe(true)
    expect(sameDn(dn, parsed('cn=Ann + Co,ou=People,dc=example'))).toBe(false)
  })

  it('lies below another by its structure, not by its text', () => {
    const base = parsed('dc=example,dc=com')
    expect(contains(base, parsed('uid=a, DC=Example,dc=com'))).toBe(true)
    expect(contains(base, parsed('uid=a,dc=myexample,dc=com'))).toBe(false)
    expect(contains(base, parsed('cn=x\\,dc=example,dc=com'))).toBe(false)
  })

  it('escapes what would end or change a value', () => {
    expect(escapeDnValue(" O'Neil, Ann + co#")).toBe("\\20O'Neil\\2c Ann \\2b co#")
    expect(escapeDnValue('#1 ')).toBe('\\231\\20')
  })
})
