import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diff, patch } from './diff.ts'
import { copy, equal } from './equality.ts'
import { objects } from './testing/arbitraries.ts'

describe('the difference of two objects', () => {
  it('names each changed member once, nested ones by their own pointer, sorted', () => {
    const a = { mail: 'a@x', name: { first: 'Ada', last: 'King' }, age: 36, roles: ['x', 'y'] }
    const b = { name: { first: 'Ada', last: 'Lovelace' }, age: 36, roles: ['y', 'x'], note: null }
    expect(diff(a, b)).toEqual([
      { pointer: ['mail'], before: 'a@x', after: undefined },
      { pointer: ['name', 'last'], before: 'King', after: 'Lovelace' },
      { pointer: ['note'], before: undefined, after: null },
      { pointer: ['roles'], before: ['x', 'y'], after: ['y', 'x'] },
    ])
  })

  it('is a single change where an object takes the place of another kind of value', () => {
    expect(diff({ a: [] }, { a: { b: 1 } })).toEqual([{ pointer: ['a'], before: [], after: { b: 1 } }])
  })

  it('is empty exactly for equal objects', () => {
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        expect(diff(a, b).length === 0).toBe(equal(a, b))
        expect(diff(a, copy(a))).toEqual([])
      }),
    )
  })

  it('makes the one into the other, and leaves the one untouched', () => {
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        const before = copy(a)
        expect(equal(patch(diff(a, b), a), b)).toBe(true)
        expect(equal(a, before)).toBe(true)
      }),
    )
  })
})
