import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { dateOf, dateText, Secret, sameValue, setAttribute, type Value } from './values.ts'
import { changed, valueAfter } from './write.ts'

describe('a secret', () => {
  const secret = new Secret('open sesame')

  it.each<[what: string, shown: string]>([
    ['as text', `${secret}`],
    ['as JSON', JSON.stringify({ password: secret })],
    ['in a log', inspect({ password: secret }, { depth: 9, showHidden: true })],
    ['by its members', JSON.stringify(Object.entries(secret))],
  ])('is not to be seen %s', (_, shown) => {
    expect(shown).not.toContain('sesame')
  })

  it('is revealed to who asks for it, and compared by its text', () => {
    expect(secret.reveal()).toBe('open sesame')
    expect(secret.equals(new Secret('open sesame'))).toBe(true)
    expect(sameValue(secret, new Secret('other'))).toBe(false)
    expect(sameValue(secret, 'open sesame')).toBe(false)
  })
})

describe('values', () => {
  it.each<[a: Value, b: Value, same: boolean]>([
    ['a', 'a', true],
    ['1', 1, false],
    [Uint8Array.of(1, 2), Buffer.from([1, 2]), true],
    [Uint8Array.of(1, 2), Uint8Array.of(1), false],
    [Uint8Array.of(97), 'YQ==', false],
    [['a', 'b'], ['b', 'a'], false],
    [{ a: 1, b: [true] }, { b: [true], a: 1 }, true],
    [null, null, true],
  ])('%j and %j are the same: %s', (a, b, same) => {
    expect(sameValue(a, b)).toBe(same)
  })

  it('may have any name', () => {
    const attributes = {}
    setAttribute(attributes, '__proto__', 'x')
    expect(Object.keys(attributes)).toEqual(['__proto__'])
  })

  it('are dates if they are in the form that is agreed', () => {
    const date = new Date('2026-01-31T08:05:00Z')
    expect(dateOf(dateText(date))).toEqual(date)
    expect(dateOf('2026-01-31T08:05:00.1234567Z')?.getTime()).toBe(date.getTime() + 123)
    for (const value of ['2026-01-31', '2026-01-31T08:05:00+01:00', '2026-13-31T08:05:00Z', 5])
      expect(dateOf(value)).toBeUndefined()
  })
})

describe('a change of an attribute', () => {
  it.each<
    [
      what: string,
      before: Value | undefined,
      change: Parameters<typeof valueAfter>[1],
      after: Value | undefined,
    ]
  >([
    ['sets', 'x', { attribute: 'a', kind: 'set', value: 'y' }, 'y'],
    ['sets to nothing', ['x'], { attribute: 'a', kind: 'set', value: [] }, undefined],
    ['clears', 'x', { attribute: 'a', kind: 'clear' }, undefined],
    [
      'adds and removes',
      ['x', 'y'],
      { attribute: 'a', kind: 'delta', add: ['z'], remove: ['x'] },
      ['y', 'z'],
    ],
    ['adds what is there', ['x'], { attribute: 'a', kind: 'delta', add: ['x'], remove: [] }, ['x']],
    [
      'removes what is not there',
      undefined,
      { attribute: 'a', kind: 'delta', add: [], remove: ['x'] },
      undefined,
    ],
    ['removes the last', ['x'], { attribute: 'a', kind: 'delta', add: [], remove: ['x'] }, undefined],
  ])('%s', (_, before, change, after) => {
    expect(valueAfter(before, change)).toEqual(after)
  })

  it('leaves what it does not name', () => {
    expect(changed({ _id: '1', a: 'x', b: 'y' }, [{ attribute: 'b', kind: 'clear' }])).toEqual({
      _id: '1',
      a: 'x',
    })
  })
})
