import { describe, expect, it } from 'vitest'
import { type Item, patternTree, type Sequence } from '../model/pattern-tree.ts'
import { runs } from '../testing/runs.ts'
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
    ['a back reference', '^(a+)\\1+\\1+$', `${'a'.repeat(40_000)}!`],
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
    ['a?'.repeat(30), 10 * 2 ** 30],
    ['(a|aa)'.repeat(20), 10 * 2 ** 20],
    ['(a|aa){20}', 10 * 2 ** 20],
    ['(a+){3}', 10 ** 4],
    ['[^](x+)+]', Number.POSITIVE_INFINITY],
    ['[](x+)+]', Number.POSITIVE_INFINITY],
    ['(a)\\1', Number.POSITIVE_INFINITY],
    ['[(x+)+]', 10],
    ['\\(x+\\)+', 1000],
    ['(?=(\\w+)*)x', Number.POSITIVE_INFINITY],
    ['[[a]*--[b]]', 100],
  ])('%s: %d', (source, steps) => {
    expect(effortOf(source)(10)).toBe(steps)
  })

  it('are never fewer than a matcher takes', () => {
    for (let seed = 1; seed <= runs(600).numRuns; seed++) {
      const source = someSource(seed)
      const tree = patternTree(source)
      for (const text of ['aaaaaaaa', 'abababab']) {
        const most = effortOf(source)(text.length) * 16 * source.length
        expect(stepsOf(tree, text, most), source).toBeLessThanOrEqual(most)
      }
    }
  })
})

/** A pattern of a few characters, groups and repetitions, another one for each seed. */
function someSource(seed: number): string {
  let state = seed * 2654435761
  const next = (choices: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 16) % choices
  }
  const one = (depth: number): string => {
    const what = depth > 0 && next(3) === 0 ? `(${many(depth - 1)})` : ['a', 'b', '[ab]', 'c'][next(4)]
    return `${what}${['', '', '', '*', '+', '?', '{2}', '{1,3}'][next(8)]}`
  }
  const many = (depth: number): string => {
    const parts = Array.from({ length: 1 + next(3) }, () => one(depth)).join('')
    return next(4) === 0 ? `${parts}|${one(depth)}` : parts
  }
  return `${many(2)}d`
}

/** What a plain backtracking matcher tries, from each place of a text that does not match; no more than `most` and one. */
function stepsOf(tree: readonly Sequence[], text: string, most: number): number {
  let steps = 0
  type Rest = (at: number) => boolean
  const anyOf = (alternatives: readonly Sequence[], at: number, rest: Rest): boolean =>
    alternatives.some((items) => allOf(items, at, rest))
  const allOf = ([first, ...others]: Sequence, at: number, rest: Rest): boolean =>
    first ? repeated(first, 0, at, (end) => allOf(others, end, rest)) : rest(at)
  const repeated = (item: Item, times: number, at: number, rest: Rest): boolean => {
    if (++steps > most) return true
    if (item.kind !== 'group' && item.kind !== 'characters') return rest(at)
    const again: Rest = (end) =>
      (end > at || times < item.repeats.least) && repeated(item, times + 1, end, rest)
    const isMore =
      times < item.repeats.most &&
      (item.kind === 'group'
        ? anyOf(item.alternatives, at, again)
        : at < text.length && new RegExp(item.text).test(text[at] ?? '') && again(at + 1))
    return isMore || (times >= item.repeats.least && rest(at))
  }
  for (let start = 0; start <= text.length; start++) anyOf(tree, start, () => false)
  return steps
}
