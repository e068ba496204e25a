import { isJsonObject, type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { type ManagedType, type PropertySchema, propertiesOf } from './type.ts'

/**
 * Where properties stand in a type's schema, at any depth, and where their values stand in an object. A schema says
 * `phones` → `items` → `number`; an object has `phones/0/number`, `phones/1/number`, or none at all.
 */
export interface Place {
  readonly path: readonly Step[]
  /** From the type: `['schema', 'properties', 'phones', 'items', 'properties', 'number']`. */
  readonly pointer: readonly (string | number)[]
  readonly property: PropertySchema
}

/** A member's name, or every element of an array. */
export type Step = string | typeof eachElement
export const eachElement: unique symbol = Symbol('every element')

/** Every declared property, an outer one before those in it. */
export function placesOf({ schema }: ManagedType): readonly Place[] {
  return schema ? below(schema as PropertySchema, [], ['schema']) : []
}

function below(
  schema: PropertySchema,
  path: readonly Step[],
  pointer: readonly (string | number)[],
): readonly Place[] {
  const members = propertiesOf(schema).flatMap(([name, property]) =>
    placeAndBelow(property, [...path, name], [...pointer, 'properties', name]),
  )
  const elements = schema.items
    ? placeAndBelow(schema.items, [...path, eachElement], [...pointer, 'items'])
    : []
  return [...members, ...elements]
}

function placeAndBelow(
  property: PropertySchema,
  path: readonly Step[],
  pointer: readonly (string | number)[],
): readonly Place[] {
  if (!isJsonObject(property)) return []
  return [{ path, pointer, property }, ...below(property, path, pointer)]
}

/** How scripts and messages call a place; each element of an array is a star. */
export function nameOf(path: readonly Step[]): string {
  return path.map((step) => (step === eachElement ? '*' : step)).join('/')
}

/** A value of an object at a place. */
export interface Spot {
  readonly pointer: Pointer
  readonly value: Json | undefined
}

/**
 * The values at a place. A member that is absent is a spot without a value if the object that it would be in is there:
 * only so can it be missed.
 */
export function spotsAt(object: JsonObject, path: readonly Step[]): readonly Spot[] {
  let spots: readonly Spot[] = [{ pointer: [], value: object }]
  for (const step of path) spots = spots.flatMap((spot) => next(spot, step))
  return spots
}

function next({ pointer, value }: Spot, step: Step): readonly Spot[] {
  if (step !== eachElement)
    return isJsonObject(value) ? [{ pointer: [...pointer, step], value: member(value, step) }] : []
  if (!Array.isArray(value)) return []
  return value.map((element, index) => ({ pointer: [...pointer, String(index)], value: element }))
}

/** In place of a value: there shall be none. */
export const remove: unique symbol = Symbol('no value')

/** The object with other values at a place; what is not on the way there is shared. `undefined` leaves a value alone. */
export async function replacedAt<T extends JsonObject>(
  object: T,
  path: readonly Step[],
  replacement: (spot: Spot) => Promise<Json | undefined | typeof remove>,
): Promise<T> {
  let result: T = object
  for (const spot of spotsAt(object, path)) {
    const value = await replacement(spot)
    if (value !== undefined && value !== spot.value) result = withValueAt(result, spot.pointer, value)
  }
  return result
}

/** A copy of what is on the way; elements of arrays are emptied rather than removed, so that the others stay where they are. */
export function withValueAt<T extends JsonObject>(
  object: T,
  pointer: Pointer,
  value: Json | typeof remove,
): T {
  const changed = changedAt(object, pointer, value)
  // An object stays one: only the value at the end of the pointer is another.
  return changed as T
}

/** The object without what stands at the place. */
export function withoutAt<T extends JsonObject>(object: T, path: readonly Step[]): T {
  let result = object
  for (const { pointer, value } of spotsAt(object, path))
    if (value !== undefined) result = withValueAt(result, pointer, remove)
  return result
}

function changedAt(
  container: Json,
  [token, ...rest]: Pointer,
  value: Json | typeof remove,
): Json | typeof remove {
  if (token === undefined) return value
  if (Array.isArray(container)) {
    const element = changedAt(container[Number(token)] ?? null, rest, value)
    return container.with(Number(token), element === remove ? null : element)
  }
  if (!isJsonObject(container)) return container
  const copy = { ...container }
  const inner = changedAt(member(copy, token) ?? null, rest, value)
  if (inner === remove) delete copy[token]
  else setMember(copy, token, inner)
  return copy
}

/** True if a value at the place is, or is in, or holds, what the pointer points to. */
export function touches(path: readonly Step[], pointer: Pointer): boolean {
  const common = Math.min(path.length, pointer.length)
  for (let i = 0; i < common; i++) if (path[i] !== eachElement && path[i] !== pointer[i]) return false
  return true
}
