import { describe, expect, it } from 'vitest'
import { effortOf, patternOf } from './pattern.ts'

describe('a pattern answers as a regular expression does', () => {
  it.each([
    ['^[a-z]+$', '', ['abc', 'ABC', '', 'a1']],
    ['^[a-z]+$', 'i', ['abc', 'ABC', '', 'a1']],
    ['^(?=.*[A-Z])(?=.*\\d).{8,}$', '', ['Password1', 'password1', 'P1', 'PASSWORD']],
    ['^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$', '', ['a@b.example', 'a@b', '@b.example', 'a b@c.example']],
    ['^(managed|system|internal)($|(/.+))', '', ['managed', 'managed/user', 'managedx', 'config']],
    ['(\\d{3}-)+\\d', 'g', ['123-456-7', '12-3', '']],
    ['^(.)\\1$', '', ['aa', 'ab']],
    ['^\\+?([0-9\\- ()])*$', '', ['+49 (221) 1-2', '+49x', '']],
    ['^(?:(?<year>\\d{4})-)*(x(?=y))*$', '', ['2024-2025-', '2024', 'x']],
    ['[)+*]{2}', 's', [')+', 'ab']],
    ['^\\p{L}+$', 'u', ['Zoë', 'a1']],
  ])('%s with "%s"', (source, flags, texts) => {
    const [pattern, expression] = [patternOf(source, flags), new RegExp(source, flags.replace('g', ''))]
    for (const text of [...texts, ...texts]) expect(pattern.test(text), text).toBe(expression.test(text))
  })

  it('for long texts, too', () => {
    expect(patternOf('^a*$').test('a'.repeat(1_000_000))).toBe(true)
    expect(patternOf('needle').test(`${'hay'.repeat(1_000_000)}needle`)).toBe(true)
  })
})

describe('a pattern that takes too long for a text', () => {
  it.each([
    ['a repeated repetition', '^(a+)+$', `${'a'.repeat(40)}!`],
    ['alternatives that overlap', '^(a|aa)+$', `${'a'.repeat(60)}!`],
    ['repeated words', '^(\\w*)*$', `${'a'.repeat(60)}!`],
    ['many repetitions side by side', '^.*.*.*.*.*.*.*.*x$', 'a'.repeat(3000)],
    ['a back reference', '^(a+)\\1+\\1+$', `${'a'.repeat(4000)}!`],
    ['within a lookahead', '^(?=(\\w+)*-)', `${'a'.repeat(60)}!`],
  ])('says so, and does so at once the next time: %s', (_what, source, text) => {
    const pattern = patternOf(source)
    const slow = expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(source) })
    expect(() => pattern.test(text)).toThrow(slow)
    const start = performance.now()
    for (let again = 0; again < 1000; again++) expect(() => pattern.test(text)).toThrow(slow)
    // Far less than a thousand limits of a tenth of a second.
    expect(performance.now() - start).toBeLessThan(50_000)
  })

  it('still answers for others', () => {
    const pattern = patternOf('^(a+)+$')
    expect(() => pattern.test(`${'a'.repeat(40)}!`)).toThrow()
    expect(pattern.test('aaa')).toBe(true)
    expect(pattern.test('aab')).toBe(false)
  })
})

describe('the most steps for a text of ten characters', () => {
  it.each([
    ['^[a-z]{3}$', 10],
    ['^\\+?([0-9 ])*$', 100],
    ['^(?:[a-f0-9]{2}:)*$', 100],
    ['^((a)(b))*$', 100],
    ['.*-.*', 1000],
    ['(a?)*', Number.POSITIVE_INFINITY],
    ['(a|b)*', Number.POSITIVE_INFINITY],
    ['(a+)+', Number.POSITIVE_INFINITY],
  ])('%s: %d', (source, steps) => {
    expect(effortOf(source)(10)).toBe(steps)
  })
})
