import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equal } from './equality.ts'
import type { JsonObject } from './json.ts'
import { getAt, parsePointer, printPointer, removeAt, setAt } from './pointer.ts'
import { json, keys, objects, pointers } from './testing/arbitraries.ts'

describe('a pointer’s text', () => {
  it.each([
    ['', []],
    ['/', []],
    ['givenName', ['givenName']],
    ['/name/givenName', ['name', 'givenName']],
    ['name/givenName/', ['name', 'givenName']],
    ['name.first', ['name.first']],
    ['a%2Fb/c%25', ['a/b', 'c%']],
    ['~0/~1', ['~0', '~1']],
    ['a//b', ['a', '', 'b']],
    ['//', ['']],
  ])('%j reads as %j', (text, pointer) => {
    expect(parsePointer(text)).toEqual(pointer)
  })

  it('is refused when a percent sign begins no encoded character', () => {
    expect(() => parsePointer('/rate%')).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
  })

  it('is printed so that filters and comma lists can hold it', () => {
    expect(printPointer(['a/b', 'c d', "it's", 'x,y', 'é'])).toBe('/a%2Fb/c%20d/it%27s/x%2Cy/é')
  })

  it('reads back as the pointer that was printed', () => {
    fc.assert(
      fc.property(fc.array(keys), (pointer) => {
        expect(parsePointer(printPointer(pointer))).toEqual(pointer)
      }),
    )
  })
})

describe('reading at a pointer', () => {
  const user: JsonObject = { name: { first: 'Ada' }, mails: [{ type: 'work' }, null], age: 36, 'x.y': 1 }

  it.each([
    [[], user],
    [['name', 'first'], 'Ada'],
    [['mails', '0', 'type'], 'work'],
    [['mails', '1'], null],
    [['x.y'], 1],
    [['mails', '2'], undefined],
    [['mails', '00'], undefined],
    [['mails', '-1'], undefined],
    [['mails', 'length'], undefined],
    [['age', 'toFixed'], undefined],
    [['name', 'constructor'], undefined],
    [['__proto__', 'toString'], undefined],
  ])('%j finds %j', (pointer, value) => {
    expect(getAt(user, pointer)).toEqual(value)
  })
})

describe('writing at a pointer', () => {
  it.each<[JsonObject, string[], JsonObject]>([
    [{}, ['a', 'b'], { a: { b: 'new' } }],
    [{ a: null }, ['a', 'b'], { a: { b: 'new' } }],
    [{ a: { c: 1 } }, ['a', 'b'], { a: { c: 1, b: 'new' } }],
    [{ a: ['x'] }, ['a', '0'], { a: ['new'] }],
    [{ a: ['x'] }, ['a', '1'], { a: ['x', 'new'] }],
    [{ a: ['x'] }, ['a', '1', 'b'], { a: ['x', { b: 'new' }] }],
    [{}, ['a', '0'], { a: { 0: 'new' } }],
    [{}, ['-'], { '-': 'new' }],
  ])('to %j at %j makes %j', (root, pointer, expected) => {
    setAt(root, pointer, 'new')
    expect(root).toEqual(expected)
  })

  it.each<[string, JsonObject, string[]]>([
    ['the root is addressed', {}, []],
    ['an intermediate is a scalar', { a: 1 }, ['a', 'b']],
    ['an intermediate is a string that has indexes', { a: 'text' }, ['a', '0']],
    ['an index leaves a gap', { a: ['x'] }, ['a', '2']],
    ['an array is given a name', { a: ['x'] }, ['a', 'b']],
    ['`-` addresses an array', { a: ['x'] }, ['a', '-']],
    ['`-` addresses an array that does not exist', { b: 1 }, ['a', '-']],
  ])('is refused, and changes nothing, when %s', (_, root, pointer) => {
    const before = JSON.stringify(root)
    expect(() => setAt(root, pointer, 'new')).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
    expect(JSON.stringify(root)).toBe(before)
  })

  it('treats __proto__ as a key like any other', () => {
    const root: JsonObject = {}
    setAt(root, ['__proto__', 'admin'], true)
    expect(JSON.stringify(root)).toBe('{"__proto__":{"admin":true}}')
    expect(({} as JsonObject).admin).toBeUndefined()
    expect(Object.getPrototypeOf(root)).toBe(Object.prototype)
  })

  it('can be read back, wherever it succeeds', () => {
    fc.assert(
      fc.property(objects, pointers, json, (root, pointer, value) => {
        fc.pre(succeeds(() => setAt(root, pointer, value)))
        expect(equal(getAt(root, pointer), value)).toBe(true)
      }),
    )
  })
})

describe('removing at a pointer', () => {
  it.each<[JsonObject, string[], boolean, JsonObject]>([
    [{ a: { b: 1, c: 2 } }, ['a', 'b'], true, { a: { c: 2 } }],
    [{ a: ['x', 'y'] }, ['a', '0'], true, { a: ['y'] }],
    [{ a: null }, ['a'], true, {}],
    [{ a: ['x'] }, ['a', '1'], false, { a: ['x'] }],
    [{ a: ['x'] }, ['a', 'length'], false, { a: ['x'] }],
    [{ a: 1 }, ['a', 'b'], false, { a: 1 }],
    [{ a: 1 }, ['toString'], false, { a: 1 }],
    [{ a: 1 }, [], false, { a: 1 }],
  ])('from %j at %j says %j and leaves %j', (root, pointer, removed, expected) => {
    expect(removeAt(root, pointer)).toBe(removed)
    expect(root).toEqual(expected)
  })
})

function succeeds(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
