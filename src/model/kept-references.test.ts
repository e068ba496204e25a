import { describe, expect, it } from 'vitest'
import type { JsonObject } from './json.ts'
import { keepReferences } from './kept-references.ts'

const wanted = (id: string, properties?: JsonObject): JsonObject => ({
  _ref: `managed/role/${id}`,
  ...(properties && { _refProperties: properties }),
})
const stored = (id: string, properties: JsonObject = {}): JsonObject => ({
  ...wanted(id, { _id: `of ${id}`, _rev: '1', ...properties }),
  _refResourceId: id,
})

describe('references that say the same', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['a single one', { a: stored('x') }, { a: wanted('x') }],
    ['several, in another order', { a: [stored('x'), stored('y')] }, { a: [wanted('y'), wanted('x')] }],
    ['with their properties', { a: stored('x', { since: 1 }) }, { a: wanted('x', { since: 1 }) }],
    ['without those', { a: stored('x', { since: 1 }) }, { a: wanted('x') }],
    [
      'beside grants by condition',
      { a: [stored('x'), stored('y', { _grantType: 'conditional' })] },
      { a: [wanted('x')] },
    ],
  ])('%s, stay as they are', (_what, existing, desired) => {
    expect(keepReferences(existing, { ...desired, b: 1 })).toEqual({ ...existing, b: 1 })
  })
  it.each<[string, JsonObject, JsonObject]>([
    ['to something else', { a: stored('x') }, { a: wanted('y') }],
    ['more', { a: [stored('x')] }, { a: [wanted('x'), wanted('y')] }],
    ['fewer', { a: [stored('x'), stored('y')] }, { a: [wanted('x')] }],
    ['none', { a: [stored('x')] }, { a: [] }],
    ['with other properties', { a: stored('x', { since: 1 }) }, { a: wanted('x', { since: 2 }) }],
    ['that are none', { a: ['x'] }, { a: ['y'] }],
  ])('%s are not these', (_what, existing, desired) => {
    expect(keepReferences(existing, desired)).toEqual(desired)
  })
})
