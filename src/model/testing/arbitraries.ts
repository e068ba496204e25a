import fc from 'fast-check'
import { comparisonOperators, type Filter } from '../filter/filter.ts'
import { type Json, type JsonObject, setMember } from '../json.ts'
import type { Pointer } from '../pointer.ts'

/** Generators for tests of laws about identity data: few keys, so that objects collide, and the dangerous keys. */
const awkwardKeys = [
  'a',
  'b',
  'c',
  '__proto__',
  'constructor',
  'length',
  '',
  '0',
  '-',
  'a/b',
  '%25',
  'é 😀',
  'and',
]

export const keys: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...awkwardKeys),
  fc.string({ unit: 'grapheme' }),
)

export const pointers: fc.Arbitrary<Pointer> = fc.array(keys, { minLength: 1, maxLength: 4 })

/** JSON cannot distinguish -0 from 0, so -0 is not generated. */
export const numbers: fc.Arbitrary<number> = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((n) => n + 0)

/** Texts that name instants near to each other, in zones all over the world. */
export const dateTimes: fc.Arbitrary<string> = fc
  .tuple(
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: -47, max: 47 }),
    fc.constantFrom('', ':00', ':00.000', ':00.5', ':00.0001'),
    fc.boolean(),
  )
  .map(([minutes, halfHours, seconds, isZulu]) => {
    const offset = isZulu ? 0 : halfHours * 30
    const local = new Date(Date.UTC(2026, 1, 28, 23, 58) + (minutes + offset) * 60_000)
      .toISOString()
      .slice(0, 16)
    const [hours, rest] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map((n) =>
      String(n).padStart(2, '0'),
    )
    return `${local}${seconds}${isZulu ? 'Z' : `${offset < 0 ? '-' : '+'}${hours}:${rest}`}`
  })

export const scalars = fc.oneof(fc.string({ unit: 'binary' }), dateTimes, numbers, fc.boolean())

export const json: fc.Arbitrary<Json> = fc.letrec<{ json: Json; object: JsonObject }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    scalars,
    fc.array(tie('json'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.array(fc.tuple(keys, tie('json')), { maxLength: 5 }).map(objectOf),
})).json

export const objects: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(keys, json), { maxLength: 5 })
  .map(objectOf)

const comparisons: fc.Arbitrary<Filter> = fc.constantFrom(...comparisonOperators).chain((operator) =>
  fc.record({
    kind: fc.constant('compare' as const),
    operator: fc.constant(operator),
    pointer: pointers,
    value: operator === 'in' || operator === 'ca' ? fc.array(scalars, { maxLength: 3 }) : scalars,
  }),
)

export const filters: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    fc.record({ kind: fc.constant('present' as const), pointer: pointers }),
    comparisons,
    fc.record({ kind: fc.constant('literal' as const), value: fc.boolean() }),
    fc.record({ kind: fc.constant('not' as const), filter: tie('filter') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(tie('filter'), { maxLength: 3 }),
    }),
  ),
})).filter

function objectOf(entries: readonly (readonly [string, Json])[]): JsonObject {
  const object: JsonObject = {}
  for (const [key, value] of entries) setMember(object, key, value)
  return object
}
