import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deepest, parseJson } from './json-text.ts'

const nested = (depth: number, open = '[', close = ']') => `${open.repeat(depth)}${close.repeat(depth)}`

describe('a number that a double holds is taken as it is', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['-9007199254740991', -9007199254740991],
    ['12345678901234567000', 12345678901234567000],
    ['1e3', 1000],
    ['1.5E+2', 150],
    ['1e-7', 1e-7],
    ['0.1', 0.1],
    ['0.10000000000000000000', 0.1],
    ['1000000000000000000000.0', 1e21],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['0.000000000000000000000', 0],
  ])('%s', (text, value) => {
    expect(parseJson(text)).toBe(value)
  })
})

describe('a number that would be another one is refused, with the remedy', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '1e-400',
    '3.14159265358979323846',
    '0.10000000000000000001',
    '123456789.12345678901',
  ])('%s', (text) => {
    for (const json of [text, `[${text}]`, `{"a": {"b": [1, ${text}]}}`])
      expect(() => parseJson(json)).toThrow(
        expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining('in quotes') }),
      )
  })

  it('not where it is a text or a name', () => {
    const text = '{"12345678901234567890": "9007199254740993", "a\\"9007199254740993": 1}'
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })
})

describe('what is nested too deep is refused', () => {
  it.each([
    ['lists', nested(deepest + 1)],
    ['objects', `${'{"a":'.repeat(deepest + 1)}1${'}'.repeat(deepest + 1)}`],
    ['both in turn', `${'[{"a":'.repeat(200)}1${'}]'.repeat(200)}`],
    ['a text that is not even complete', '['.repeat(100_000)],
  ])('%s', (_what, text) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ status: 400 }))
  })

  it('up to the limit it is not', () => {
    expect(() => parseJson(nested(deepest))).not.toThrow()
    expect(() => parseJson(`[${Array(1000).fill(nested(200)).join()}]`)).not.toThrow()
    expect(() => parseJson(JSON.stringify('['.repeat(1000)))).not.toThrow()
  })
})

it('too many values are refused', () => {
  expect(() => parseJson(`[${'0,'.repeat(1_000_000)}0]`)).toThrow(expect.objectContaining({ status: 413 }))
})

it('everything that JavaScript writes is read as it was', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 20 }), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text))
    }),
  )
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(parseJson(JSON.stringify(value))).toBe(JSON.parse(JSON.stringify(value)))
    }),
  )
})
