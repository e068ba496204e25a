import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { Pointer } from '../model/pointer.ts'

/** `filterPolicies` (platform §9): pointers that begin with a topic. */
export interface Policies {
  readonly field: Policy
  readonly value: Policy
}

export interface Policy {
  /** Kept although a pointer of `excludeIf` covers it. */
  readonly includeIf: readonly Pointer[]
  readonly excludeIf: readonly Pointer[]
}

/** The function that applies the policies to events of a topic; undefined if none concerns it. */
export function policiesFor(
  topic: string,
  { field, value }: Policies,
): ((content: JsonObject) => JsonObject) | undefined {
  const steps = [stepOf(topic, field, 'remove'), stepOf(topic, value, 'empty')].filter(
    (step) => step !== undefined,
  )
  return steps.length === 0 ? undefined : (content) => steps.reduce((result, step) => step(result), content)
}

type Step = (content: JsonObject) => JsonObject

function stepOf(topic: string, { includeIf, excludeIf }: Policy, how: 'remove' | 'empty'): Step | undefined {
  const excluded = below(topic, excludeIf)
  if (excluded.length === 0) return undefined
  const included = below(topic, includeIf)
  return (content) => excluded.reduce((result, pointer) => without(result, pointer, included, how), content)
}

function below(topic: string, pointers: readonly Pointer[]): readonly Pointer[] {
  return inMember(pointers, (name) => name === topic).filter((rest) => rest.length > 0)
}

/** The pointers that lead into a member, seen from there. */
export function inMember(
  pointers: readonly Pointer[],
  isMember: (name: string) => boolean,
): readonly Pointer[] {
  return pointers.filter(([first]) => first !== undefined && isMember(first)).map(([, ...rest]) => rest)
}

/** A copy without the values at the pointers: a field is removed, a value becomes null. Names ignore case, as headers do. */
function without(
  object: JsonObject,
  [name = '', ...rest]: Pointer,
  kept: readonly Pointer[],
  how: 'remove' | 'empty',
): JsonObject {
  const result = { ...object }
  for (const key of Object.keys(object)) {
    if (!isSame(key, name)) continue
    const inside = inMember(kept, (first) => isSame(first, key))
    if (inside.some((one) => one.length === 0)) continue
    const value = object[key]
    if (rest.length > 0) {
      if (isJsonObject(value)) result[key] = without(value, rest, inside, how)
      continue
    }
    const left = only(value, inside)
    if (left !== undefined) result[key] = left
    else if (how === 'empty') result[key] = null
    else delete result[key]
  }
  return result
}

/** The parts of a value at the pointers; undefined if there are none. */
function only(value: Json | undefined, pointers: readonly Pointer[]): JsonObject | undefined {
  if (!isJsonObject(value) || pointers.length === 0) return undefined
  const result: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    const inside = inMember(pointers, (first) => isSame(first, key))
    if (inside.some((one) => one.length === 0)) result[key] = member
    else if (inside.length > 0) result[key] = only(member, inside)
  }
  return result
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
