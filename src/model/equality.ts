import { isJsonObject, type Json, type JsonObject, setMember } from './json.ts'

/**
 * Comparing and copying JSON. Key order never matters; a member that is undefined is treated as absent.
 */

/** Deep equality: key order ignored, array order significant, absent and null differ. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  return same(a, b, false)
}

/** Like `equal`, but a null member equals an absent one (engine §4.3, [D]). */
export function equalIgnoringNull(a: Json | undefined, b: Json | undefined): boolean {
  return same(a, b, true)
}

/** The same elements, each as often, in any order. */
export function equalInAnyOrder(a: readonly Json[], b: readonly Json[]): boolean {
  if (a.length !== b.length) return false
  const left = new Map<string, number>()
  for (const element of a) {
    const text = canonical(element)
    left.set(text, (left.get(text) ?? 0) + 1)
  }
  return b.every((element) => {
    const text = canonical(element)
    const count = left.get(text) ?? 0
    left.set(text, count - 1)
    return count > 0
  })
}

/** A text that is equal only for equal values. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).flatMap(([name, one]) =>
    one === undefined ? [] : [`${JSON.stringify(name)}:${canonical(one)}`],
  )
  return `{${members.toSorted().join()}}`
}

/** A deep copy: mapped values must never be shared between source and target (engine §12.11). */
export function copy(value: JsonObject): JsonObject
export function copy(value: Json): Json
export function copy(value: Json | undefined): Json | undefined
export function copy(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((element) => copy(element))
  // Spreading keeps the object's hidden class, which is several times faster than adding key after key.
  const result: JsonObject = { ...value }
  for (const key of Object.keys(result)) {
    const member = result[key]
    if (typeof member === 'object' && member !== null) setMember(result, key, copy(member))
    else if (member === undefined) delete result[key]
  }
  return result
}

function same(a: Json | undefined, b: Json | undefined, ignoreNull: boolean): boolean {
  if (a === b) return true
  if (isVoid(a, ignoreNull)) return isVoid(b, ignoreNull)
  if (Array.isArray(a)) return Array.isArray(b) && sameElements(a, b, ignoreNull)
  return isJsonObject(a) && isJsonObject(b) && sameMembers(a, b, ignoreNull)
}

function sameElements(a: readonly Json[], b: readonly Json[], ignoreNull: boolean): boolean {
  return a.length === b.length && a.every((element, i) => same(element, b[i], ignoreNull))
}

function sameMembers(a: JsonObject, b: JsonObject, ignoreNull: boolean): boolean {
  let inA = 0
  for (const key of Object.keys(a)) {
    const value = a[key]
    if (isVoid(value, ignoreNull)) continue
    inA++
    if (!Object.hasOwn(b, key) || !same(value, b[key], ignoreNull)) return false
  }
  let inB = 0
  for (const key of Object.keys(b)) if (!isVoid(b[key], ignoreNull)) inB++
  return inA === inB
}

function isVoid(value: Json | undefined, ignoreNull: boolean): boolean {
  return value === undefined || (ignoreNull && value === null)
}
