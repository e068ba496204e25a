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

export const noPolicies: Policies = {
  field: { includeIf: [], excludeIf: [] },
  value: { includeIf: [], excludeIf: [] },
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
  return pointers.filter(([first, ...rest]) => first === topic && rest.length > 0).map(([, ...rest]) => rest)
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
    if (key.toLowerCase() !== name.toLowerCase()) continue
    const inside = kept
      .filter(([first]) => first?.toLowerCase() === key.toLowerCase())
      .map((one) => one.slice(1))
    if (inside.some((one) => one.length === 0)) continue
    const value = object[key]
    if (rest.length > 0) {
      if (isJsonObject(value)) result[key] = without(value, rest, inside, how)
      continue
    }
    const left = inside.length > 0 ? only(value, inside) : undefined
    if (left !== undefined) result[key] = left
    else if (how === 'empty') result[key] = null
    else delete result[key]
  }
  return result
}

/** The parts of a value at the pointers. */
function only(value: Json | undefined, pointers: readonly Pointer[]): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined
  const result: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    const inside = pointers
      .filter(([first]) => first?.toLowerCase() === key.toLowerCase())
      .map((one) => one.slice(1))
    if (inside.some((one) => one.length === 0)) result[key] = member
    else if (inside.length > 0) result[key] = only(member, inside)
  }
  return result
}
