import { describe, expect, it } from 'vitest'
import { endlessPart } from './pattern.ts'

describe('a regular expression that can take for ever', () => {
  it.each([
    ['^(a+)+$', '(a+)+'],
    ['(a*)*b', '(a*)*'],
    ['^([a-zA-Z0-9]+)*$', '([a-zA-Z0-9]+)*'],
    ['^(\\w+\\s?)*$', '(\\w+\\s?)*'],
    ['(\\s*\\w+)*x', '(\\s*\\w+)*'],
    ['^(\\w|\\d)*$', '(\\w|\\d)*'],
    ['(a|a)+$', '(a|a)+'],
    ['^(([a-z])+.)+[A-Z]$', '(([a-z])+.)+'],
    ['(?:(?:x+))+y', '(?:(?:x+))+'],
    ['^(.+@)*x', '(.+@)*'],
    ['(a{2,})+b', '(a{2,})+'],
  ])('%s: the part is named', (pattern, part) => {
    expect(endlessPart(pattern)).toBe(part)
  })

  it.each([
    '^[^@]+@[^@]+$',
    '^(\\w+\\.)+\\w+$',
    '^([\\w-]+(?:\\.[\\w-]+)*)@((?:[\\w-]+\\.)*\\w[\\w-]{0,66})\\.([a-z]{2,6}(?:\\.[a-z]{2})?)$',
    '^(\\w+\\s+)*$',
    '^(?:[01]\\d|2[0-3]):[0-5]\\d$',
    '("[^"]*")*',
    '(?:\\\\.|[^"\\\\])*',
    '^(\\d{3}-)*\\d+$',
    '^(ab|cd)+$',
    '^\\+?\\d+(?: \\d+)*$',
    '(?=.*\\d)(?=.*[a-z]).{8,}',
    '^([A-Z][a-z]+,)+$',
    '[(+)+]',
    '\\(a+\\)+',
    '(a+',
  ])('%s is none', (pattern) => {
    expect(endlessPart(pattern)).toBeUndefined()
  })
})
