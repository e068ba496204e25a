import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copy, equal, equalIgnoringNull, equalInAnyOrder } from './equality.ts'
import { isJsonObject, type Json, type JsonObject } from './json.ts'
import { json } from './testing/arbitraries.ts'

describe('equality', () => {
  it.each<[Json | undefined, Json | undefined, strictly: boolean, ignoringNull: boolean]>([
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true, true],
    [[1, 2], [2, 1], false, false],
    [{ a: null }, {}, false, true],
    [{ a: undefined }, {}, true, true],
    [{ a: { b: null } }, { a: {} }, false, true],
    [{ a: { b: null } }, {}, false, false],
    [null, undefined, false, true],
    [[null], [], false, false],
    [{ a: null }, { b: null }, false, true],
    [{ a: 1, b: null }, { a: 1, c: 2 }, false, false],
    [{}, [], false, false],
    [1, '1', false, false],
    [0, false, false, false],
    [{ toString: null }, {}, false, true],
    [JSON.parse('{"__proto__": {}}'), {}, false, false],
  ])('of %j and %j is %j, ignoring null %j', (a, b, strictly, ignoringNull) => {
    expect([equal(a, b), equal(b, a)]).toEqual([strictly, strictly])
    expect([equalIgnoringNull(a, b), equalIgnoringNull(b, a)]).toEqual([ignoringNull, ignoringNull])
  })

  it('holds exactly for values of the same canonical text', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(equal(a, b)).toBe(canonical(a) === canonical(b))
      }),
    )
  })
})

describe('lists in any order', () => {
  it('are equal if each element is there as often', () => {
    fc.assert(
      fc.property(fc.array(json), fc.array(json), (a, b) => {
        const texts = [a, b].map((list) => list.map((one) => canonical(one)).toSorted())
        expect(equalInAnyOrder(a, b)).toBe(texts[0]?.join() === texts[1]?.join())
        expect(equalInAnyOrder(a, a.toReversed())).toBe(true)
        expect(equalInAnyOrder([...a, 1], [...a, '1'])).toBe(false)
      }),
    )
    expect(equalInAnyOrder(['a', 'b', 'b'], ['b', 'a', 'b'])).toBe(true)
    expect(equalInAnyOrder(['a', 'a', 'b'], ['b', 'a', 'b'])).toBe(false)
    expect(equalInAnyOrder([{ a: 1, b: [2] }, null], [null, { b: [2], a: 1 }])).toBe(true)
  })
})

describe('a copy', () => {
  it('equals its original', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(equal(copy(value), value)).toBe(true)
      }),
    )
  })

  it('shares no object or array with it', () => {
    const original = { list: [{ a: 1 }] }
    const copied = copy(original) as typeof original
    copied.list[0] = { a: 2 }
    copied.list.push({ a: 3 })
    expect(original).toEqual({ list: [{ a: 1 }] })
  })

  it('leaves out what is undefined', () => {
    expect(Object.keys(copy({ a: undefined, b: null } as JsonObject))).toEqual(['b'])
  })
})

function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.keys(value).map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
  return `{${members.sort().join()}}`
}
