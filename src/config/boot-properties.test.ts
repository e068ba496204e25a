import { describe, expect, it } from 'vitest'
import { parseProperties } from './boot-properties.ts'

describe('Java properties', () => {
  it.each([
    ['a=b', { a: 'b' }],
    ['a = b ', { a: 'b ' }],
    ['a:b', { a: 'b' }],
    ['a b', { a: 'b' }],
    ['a', { a: '' }],
    ['a = = b', { a: '= b' }],
    ['# a=b\n! c=d\n\n  e=f', { e: 'f' }],
    ['a=one \\\n   two', { a: 'one two' }],
    ['a=one\\\\\nb=c', { a: 'one\\', b: 'c' }],
    ['a=b\\\n# not a comment', { a: 'b# not a comment' }],
    ['with\\ blank\\:=x', { 'with blank:': 'x' }],
    ['a=\\u00e9\\t\\n\\q', { a: 'é\t\nq' }],
    ['a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
    ['a=1\na=2', { a: '2' }],
    ['\uFEFFa=1', { a: '1' }],
  ])('%j', (text, expected) => {
    expect(Object.fromEntries(parseProperties(text))).toEqual(expected)
  })
})
