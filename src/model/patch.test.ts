import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copy, equal } from './equality.ts'
import type { Json, JsonObject } from './json.ts'
import { applyPatch, parsePatch } from './patch.ts'
import { json, objects } from './testing/arbitraries.ts'

const patched = (object: JsonObject, ...operations: Json[]) => applyPatch(object, parsePatch(operations))

describe('a patch', () => {
  it.each<[title: string, before: JsonObject, operation: JsonObject, after: JsonObject]>([
    ['add sets', { a: 1 }, { operation: 'add', field: 'b', value: 2 }, { a: 1, b: 2 }],
    ['add creates parents', {}, { operation: 'add', field: '/a/b/c', value: 2 }, { a: { b: { c: 2 } } }],
    ['add replaces a whole array', { a: [1, 2] }, { operation: 'add', field: 'a', value: [3] }, { a: [3] }],
    ['add appends at /-', { a: [1] }, { operation: 'add', field: '/a/-', value: 2 }, { a: [1, 2] }],
    [
      'add begins an array at /-',
      { a: null },
      { operation: 'add', field: 'a/b/-', value: 2 },
      { a: { b: [2] } },
    ],
    ['replace sets', { a: 1 }, { operation: 'replace', field: 'a', value: { b: 1 } }, { a: { b: 1 } }],
    ['replace sets what was absent', {}, { operation: 'replace', field: 'a', value: false }, { a: false }],
    ['remove takes a property away', { a: 1, b: 2 }, { operation: 'remove', field: 'a' }, { b: 2 }],
    ['remove of nothing changes nothing', { a: 1 }, { operation: 'remove', field: 'b/c' }, { a: 1 }],
    [
      'remove takes elements',
      { a: [{ b: 1 }, 2, { b: 1 }] },
      { operation: 'remove', field: 'a', value: { b: 1 } },
      { a: [2] },
    ],
    ['remove takes an equal scalar', { a: 1 }, { operation: 'remove', field: 'a', value: 1 }, {}],
    ['remove keeps another scalar', { a: 1 }, { operation: 'remove', field: 'a', value: '1' }, { a: 1 }],
    [
      'remove keeps an array without the element',
      { a: [[1]] },
      { operation: 'remove', field: 'a', value: 1 },
      { a: [[1]] },
    ],
    ['remove with null removes all', { a: [1] }, { operation: 'remove', field: 'a', value: null }, {}],
    ['increment adds', { a: 1 }, { operation: 'increment', field: 'a', value: -3 }, { a: -2 }],
    [
      'increment adds to each element',
      { a: [1, 2] },
      { operation: 'increment', field: 'a', value: 1 },
      { a: [2, 3] },
    ],
    ['copy copies', { a: [1] }, { operation: 'copy', from: 'a', field: 'b/c' }, { a: [1], b: { c: [1] } }],
    ['copy of nothing changes nothing', { b: 1 }, { operation: 'copy', from: 'a', field: 'b' }, { b: 1 }],
    ['move moves', { a: { b: 1 } }, { operation: 'move', from: 'a/b', field: 'c' }, { a: {}, c: 1 }],
    ['move moves into itself', { a: 1 }, { operation: 'move', from: 'a', field: 'a/b' }, { a: { b: 1 } }],
    ['a top-level name may be digits', {}, { operation: 'add', field: '/2024', value: 1 }, { 2024: 1 }],
  ])('%s', (_, before, operation, after) => {
    expect(patched(before, operation)).toEqual(after)
  })

  it('applies its operations in order', () => {
    const operations = [
      { operation: 'add', field: 'a', value: [1] },
      { operation: 'add', field: 'a/-', value: 2 },
      { operation: 'copy', from: 'a', field: 'b' },
      { operation: 'remove', field: 'a', value: 1 },
    ]
    expect(patched({}, ...operations)).toEqual({ a: [2], b: [1, 2] })
  })

  it('leaves the given object as it was, and shares nothing with the operations', () => {
    fc.assert(
      fc.property(objects, json, (object, value) => {
        fc.pre(value !== null)
        const before = copy(object)
        const operations = parsePatch([{ operation: 'add', field: 'x', value: { kept: value } }])
        const result = applyPatch(object, operations)
        ;(result.x as JsonObject).kept = 'changed'
        expect(equal(object, before)).toBe(true)
        expect(equal(applyPatch({}, operations).x, { kept: value })).toBe(true)
      }),
    )
  })
})

describe('a malformed operation is refused', () => {
  it.each<[fact: string, operation: Json]>([
    ['an operation is an object', 'add'],
    ['"operation" is missing', { field: 'a', value: 1 }],
    ['"operation" is "test"', { operation: 'test', field: 'a', value: 1 }],
    ['"operation" is "Add"', { operation: 'Add', field: 'a', value: 1 }],
    [
      '"transform" needs a "value" of the shape {"script": {…}}',
      { operation: 'transform', field: 'a', value: {} },
    ],
    ['"field" must be a string', { operation: 'add', value: 1 }],
    ['"field" names no property', { operation: 'replace', field: '/', value: {} }],
    ['"add" needs a "value"', { operation: 'add', field: 'a' }],
    ['"replace" needs a "value" other than null', { operation: 'replace', field: 'a', value: null }],
    ['"add" takes no "from"', { operation: 'add', field: 'a', value: 1, from: 'b' }],
    ['"remove" takes no "from"', { operation: 'remove', field: 'a', from: 'b' }],
    ['"increment" adds a number', { operation: 'increment', field: 'a', value: '1' }],
    ['"from" must be a string', { operation: 'move', field: 'a' }],
    ['"copy" takes no "value"', { operation: 'copy', from: 'a', field: 'b', value: 1 }],
    ['Position-based operation is not allowed', { operation: 'replace', field: '/mails/2', value: 1 }],
    ['Position-based operation is not allowed', { operation: 'remove', field: '/mails/12' }],
    ['Position-based operation is not allowed', { operation: 'add', field: '/mails/0/type', value: 1 }],
    ['Position-based operation is not allowed', { operation: 'copy', from: '/mails/0', field: 'mail' }],
    ['"-" may only end', { operation: 'remove', field: '/mails/-' }],
    ['"-" may only end', { operation: 'add', field: '/mails/-/type', value: 1 }],
    ['not percent-encoded', { operation: 'remove', field: '/100%' }],
  ])('%s', (fact, operation) => {
    const valid = { operation: 'remove', field: 'a' }
    expect(() => parsePatch([valid, operation])).toThrow(
      expect.objectContaining({
        code: 'BAD_PATCH',
        message: expect.stringMatching(new RegExp(`^Patch operation 1: .*${fact}`)),
        detail: { position: 1 },
      }),
    )
  })

  it('as is a body that is no array', () => {
    expect(() => parsePatch({ operation: 'remove', field: 'a' })).toThrow(
      expect.objectContaining({ code: 'BAD_PATCH' }),
    )
  })
})

describe('an operation that cannot be applied is refused', () => {
  it.each<[fact: string, operation: JsonObject]>([
    ['/n is absent, not a number', { operation: 'increment', field: 'n', value: 1 }],
    ['/text is of type string, not a number', { operation: 'increment', field: 'text', value: 1 }],
    ['/mixed is of type string, not a number', { operation: 'increment', field: 'mixed', value: 1 }],
    ['/text is of type string: nothing can be appended', { operation: 'add', field: 'text/-', value: 1 }],
    [
      '/text/a cannot be written: /text is a string, not an object',
      { operation: 'add', field: 'text/a', value: 1 },
    ],
    [
      '/mixed is an array of 2: "a" is not an index from 0 to 2',
      { operation: 'add', field: 'mixed/a', value: 1 },
    ],
  ])('%s', (fact, operation) => {
    expect(() => patched({ text: 'x', mixed: [1, 'x'] }, operation)).toThrow(
      expect.objectContaining({
        code: 'BAD_PATCH',
        message: `Patch operation 0: ${fact}`,
      }),
    )
  })
})

describe('a patch that would not end, or not fit, is refused', () => {
  it.each([
    [
      'an object copied into itself again and again',
      { a: { x: 1 } },
      Array.from({ length: 300 }, () => ({ operation: 'copy', from: '/a', field: '/a/b' })),
    ],
  ])('%s', (_what, object, operations) => {
    expect(() => applyPatch(object, parsePatch(operations))).toThrow(
      expect.objectContaining({ code: 'BAD_PATCH' }),
    )
  })

  it.each([
    ['a number beyond what a double counts', { n: 9007199254740990 }, 5],
    ['one that becomes infinite', { n: 1e308 }, 1e308],
  ])('%s', (_what, object, value) => {
    const increment = parsePatch([{ operation: 'increment', field: '/n', value }])
    expect(() => applyPatch(object, increment)).toThrow(expect.objectContaining({ code: 'BAD_PATCH' }))
  })

  it('but a long one that does little is taken', () => {
    const operations = Array.from({ length: 60_000 }, (_, n) => ({
      operation: 'add',
      field: '/a/-',
      value: n,
    }))
    expect(applyPatch({ a: [] }, parsePatch(operations)).a).toHaveLength(60_000)
  })
})
