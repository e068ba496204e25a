import { describe, expect, it } from 'vitest'
import { everything, type Filter, nothing } from './filter.ts'
import { parseFilter } from './parse.ts'
import { printFilter } from './print.ts'

const a: Filter = { kind: 'present', pointer: ['a'] }
const b: Filter = { kind: 'present', pointer: ['b'] }
const c: Filter = { kind: 'present', pointer: ['c'] }
const not = (filter: Filter): Filter => ({ kind: 'not', filter })
const and = (...filters: Filter[]): Filter => ({ kind: 'and', filters })
const or = (...filters: Filter[]): Filter => ({ kind: 'or', filters })

describe('the structure of a filter', () => {
  it.each<[string, Filter]>([
    ['true', everything],
    ['FALSE', nothing],
    ['  a   pr  ', a],
    ['a PR', a],
    ['a pr and b pr or c pr', or(and(a, b), c)],
    ['a pr or b pr and c pr', or(a, and(b, c))],
    ['(a pr or b pr) and c pr', and(or(a, b), c)],
    ['a pr And b pr aNd c pr', and(a, b, c)],
    ['a pr and (b pr and c pr)', and(a, b, c)],
    ['((a pr))', a],
    ['(a pr)and(b pr)', and(a, b)],
    ['!(a pr)', not(a)],
    ['! a pr and b pr', and(not(a), b)],
    ['! (a pr and b pr)', not(and(a, b))],
    ['!(!(a pr))', not(not(a))],
    ['! true', not(everything)],
    ['/a/ pr', a],
    ['/true pr', { kind: 'present', pointer: ['true'] }],
  ])('%s', (text, filter) => {
    expect(parseFilter(text)).toEqual(filter)
  })
})

describe('a comparison', () => {
  it.each(['eq', 'ne', 'co', 'sw', 'ew', 'lt', 'le', 'gt', 'ge'])(
    'knows the operator %s in any case',
    (operator) => {
      const filter = { kind: 'compare', operator, pointer: ['name', 'First'], value: 'x' }
      expect(parseFilter(`name/First ${operator} "x"`)).toEqual(filter)
      expect(parseFilter(`/name/First ${operator.toUpperCase()} 'x'`)).toEqual(filter)
    },
  )

  it.each([
    ['"it\'s"', "it's"],
    ['\'say "hi"\'', 'say "hi"'],
    ['"a\\"b\\\\c\\n"', 'a"b\\cn'],
    ['""', ''],
    ['" and (b pr) "', ' and (b pr) '],
    ['True', true],
    ['false', false],
    ['42', 42],
    ['-7', -7],
    ['-0', 0],
    ['9007199254740992', 2 ** 53],
    ['12345678901234567000.0', 12345678901234567000],
    ['-1.50', -1.5],
  ])('reads the value %s', (text, value) => {
    expect(parseFilter(`a eq ${text}`)).toMatchObject({ operator: 'eq', value })
  })

  it.each(['in', 'ca', 'IN'])('reads the list of %s from a quoted JSON array', (operator) => {
    expect(parseFilter(`a ${operator} '["x", 1, true]'`)).toMatchObject({
      operator: operator.toLowerCase(),
      value: ['x', 1, true],
    })
  })

  it('decodes its pointer’s tokens', () => {
    expect(parseFilter('a%2Fb/c%20d pr')).toEqual({ kind: 'present', pointer: ['a/b', 'c d'] })
  })
})

describe('a filter that breaks the grammar', () => {
  it.each([
    ['', 1, 'found the end'],
    ['a', 2, 'expected "pr" or one of'],
    ['a eq', 5, 'expected a value, found the end'],
    ['a like "x"', 3, 'unknown operator "like"'],
    ['a eq x', 6, 'strings need quotes'],
    ['a eq null', 6, 'strings need quotes'],
    ['a eq 1e3', 6, 'no exponent'],
    ['a eq 9223372036854775808', 6, '64 bits'],
    ['a eq 9007199254740993', 6, 'in quotes'],
    ['a eq 9223372036854775807', 6, 'in quotes'],
    ['a lt 0.12345678901234567890', 6, 'in quotes'],
    ['a eq "x', 6, 'no closing "'],
    ['a eq "x\\"', 6, 'no closing "'],
    ['a eq "x"y"', 9, 'a quote inside it needs a backslash'],
    ['a pr b', 6, '"and", "or" or the end'],
    ['a pr and', 9, 'found the end'],
    ['a pr)', 5, 'found ")"'],
    ['(a pr', 6, '"and", "or" or ")"'],
    ['!a pr', 2, '"(" or a blank after "!"'],
    ['!!(a pr)', 2, '"(" or a blank after "!"'],
    ['! !(a pr)', 3, 'found "!"'],
    ['not (a pr)', 5, 'found "("'],
    ['"a" eq 1', 1, 'found "a"'],
    ['a\teq 1', 6, 'unknown operator'],
    ['a% pr', 1, 'not a pointer'],
    ['a in "x"', 6, 'quoted JSON array'],
    ['a in [1]', 6, 'quoted JSON array'],
    ["a ca '[null]'", 6, 'quoted JSON array'],
  ])('%s is refused at column %i', (text, column, fact) => {
    expect(() => parseFilter(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_FILTER',
        detail: { column },
        message: expect.stringContaining(fact),
      }),
    )
  })

  it('is one nested deeper than 256 levels', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}a pr${')'.repeat(depth)}`
    expect(printFilter(parseFilter(nested(256)))).toBe('/a pr')
    expect(() => parseFilter(nested(257))).toThrow(expect.objectContaining({ code: 'BAD_FILTER' }))
  })

  it('is not one that merely has many groups', () => {
    expect(parseFilter(Array(1000).fill('(a pr)').join(' or '))).toMatchObject({ kind: 'or' })
  })
})
