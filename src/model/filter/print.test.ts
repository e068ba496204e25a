import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filters, numbers } from '../testing/arbitraries.ts'
import { everything, type Filter, nothing } from './filter.ts'
import { parseFilter } from './parse.ts'
import { printFilter } from './print.ts'

describe('a printed filter', () => {
  it.each([
    ['a eq "x" or (b pr)', '/a eq "x" or /b pr'],
    ['(a pr or b pr) and ! c pr', '(/a pr or /b pr) and !(/c pr)'],
    ["a eq 'say \"hi\" \\\\ it\\'s'", '/a eq "say \\"hi\\" \\\\ it\'s"'],
    ["a in '[\"it\\'s\",2]'", "/a in '[\"it\\'s\",2]'"],
    ['a%20b gt -1.5', '/a%20b gt -1.5'],
    ['true', 'true'],
  ])('%s is %s', (text, printed) => {
    expect(printFilter(parseFilter(text))).toBe(printed)
  })

  it('parses as the same filter, nested and/or flattened', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(parseFilter(printFilter(filter))).toEqual(flat(filter))
      }),
    )
  })

  it('writes every number without exponent and without loss', () => {
    fc.assert(
      fc.property(numbers, (value) => {
        const text = printFilter({ kind: 'compare', operator: 'eq', pointer: ['n'], value })
        expect(text).toMatch(/^\/n eq -?\d+(\.\d+)?$/)
        expect(parseFilter(text)).toMatchObject({ value })
      }),
    )
  })

  it('cannot hold null, which the grammar has no literal for', () => {
    expect(() => printFilter({ kind: 'compare', operator: 'eq', pointer: ['a'], value: null })).toThrow(
      expect.objectContaining({ code: 'BAD_FILTER' }),
    )
  })
})

/** The form that parsing gives: no and/or directly inside its own kind, none with fewer than two parts. */
function flat(filter: Filter): Filter {
  if (filter.kind === 'not') return { kind: 'not', filter: flat(filter.filter) }
  if (filter.kind !== 'and' && filter.kind !== 'or') return filter
  const { kind } = filter
  const [first = kind === 'and' ? everything : nothing, ...others] = filter.filters
    .map(flat)
    .flatMap((part) => (part.kind === kind ? part.filters : [part]))
  return others.length === 0 ? first : { kind, filters: [first, ...others] }
}
