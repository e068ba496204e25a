import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filters, json } from '../testing/arbitraries.ts'
import { matches } from './evaluate.ts'
import { parseFilter } from './parse.ts'
import { pointersOf } from './walk.ts'

const user = {
  name: { first: 'Ada' },
  age: 36,
  active: true,
  note: null,
  empty: [],
  mails: ['ada@x.org', 'countess@y.org'],
  rooms: [1, 'two'],
  wide: '～',
  end: '2026-03-01T05:00:00-05:00',
  day: '2026-03-01',
}

describe('a filter matches', () => {
  it.each([
    'name/first eq "Ada"',
    'name/first co "d"',
    'name/first sw "Ad"',
    'name/first ew "da"',
    'name/first lt "B"',
    'age eq 36.0',
    'age ge 36',
    'age lt 100',
    'active eq true',
    'active pr',
    'empty pr',
    'mails eq "countess@y.org"',
    'mails sw "ada"',
    'mails/1 ew "y.org"',
    'rooms ge "tw"',
    'name/first in \'["Bob","Ada"]\'',
    'mails in \'["x","ada@x.org"]\'',
    'age in \'["36",36]\'',
    'mails ca \'["countess@y.org","ada@x.org"]\'',
    'name/first ca \'["Ada"]\'',
    'name/first ne "Bob"',
    'absent ne "x"',
    'note ne "x"',
    'age ne "36"',
    '!(absent eq "x")',
    '!(age eq "36")',
    'wide lt "😀"',
    'end le "2026-03-01T10:00:00Z"',
    'end ge "2026-03-01T11:00:00+01:00"',
    'end gt "2026-03-01T09:59:59.999Z"',
    'end gt "2026-03-01T04"',
    'day lt "2026-03-01T00:00:00+05:00"',
    'true',
    'false or age eq 36',
  ])('%s', (text) => {
    expect(matches(parseFilter(text), user)).toBe(true)
  })
})

describe('a filter does not match', () => {
  it.each([
    'name/first eq "ada"',
    'name/first ne "Ada"',
    'name/first ca \'["Ada","Bob"]\'',
    'age eq "36"',
    'age co "3"',
    'age lt "4"',
    'active ge true',
    'note pr',
    'absent pr',
    'note le "z"',
    'absent lt 1',
    "absent ca '[]'",
    'empty eq "x"',
    'mails ne "ada@x.org"',
    'mails ca \'["ada@x.org","z"]\'',
    'mails/length pr',
    'constructor pr',
    '__proto__ pr',
    'end lt "2026-03-01T09:00:00Z"',
    'end lt "2026-03-01T10:00:00Z"',
    'end eq "2026-03-01T10:00:00Z"',
    'end lt "2026-03-01"',
    'name pr and false',
    "age in '[]'",
  ])('%s', (text) => {
    expect(matches(parseFilter(text), user)).toBe(false)
  })
})

describe('ignoring case', () => {
  it.each([
    'name/first eq "ADA"',
    'name/first sw "aD"',
    'name/first ge "ADA"',
    'mails in \'["ADA@X.ORG"]\'',
    'end gt "2026-03-01t09:59:59z"',
    'mails ca \'["ADA@x.org","COUNTESS@y.org"]\'',
  ])('%s matches, which exactly it would not', (text) => {
    expect(matches(parseFilter(text), user, { ignoreCase: true })).toBe(true)
    expect(matches(parseFilter(text), { ...user, name: { first: 'aDa' } }, { ignoreCase: true })).toBe(true)
  })

  it('leaves pointers exact', () => {
    expect(matches(parseFilter('AGE pr'), user, { ignoreCase: true })).toBe(false)
  })
})

describe('evaluation', () => {
  it('obeys De Morgan', () => {
    fc.assert(
      fc.property(filters, filters, json, fc.boolean(), (p, q, root, ignoreCase) => {
        const negatedAnd = matches({ kind: 'not', filter: { kind: 'and', filters: [p, q] } }, root, {
          ignoreCase,
        })
        const orOfNegated = matches(
          {
            kind: 'or',
            filters: [
              { kind: 'not', filter: p },
              { kind: 'not', filter: q },
            ],
          },
          root,
          { ignoreCase },
        )
        expect(negatedAnd).toBe(orOfNegated)
      }),
    )
  })
})

describe('the properties of a filter', () => {
  it('are those it looks at, each once', () => {
    const filter = parseFilter('a eq 1 and (b/c pr or !(a gt 2)) and true')
    expect(pointersOf(filter)).toEqual([['a'], ['b', 'c']])
  })
})
