import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { eachElement, type Step, withoutAt } from '../type/places.ts'

/**
 * A caller who cannot see a value does not mean to delete it (platform §6.1, [D]). So private values of the stored object
 * are added to the caller's object where it has none. Elements of a list are matched by their visible content: an
 * unchanged element keeps its hidden values at any position. Other elements are matched by position, as long as the list
 * has the same length.
 */
export function withHiddenValues(
  wanted: JsonObject,
  stored: JsonObject,
  hidden: readonly (readonly Step[])[],
): JsonObject {
  return hidden.length === 0 ? wanted : (kept(wanted, stored, hidden) as JsonObject)
}

type Paths = readonly (readonly Step[])[]

function kept(wanted: Json | undefined, stored: Json | undefined, hidden: Paths): Json | undefined {
  if (isJsonObject(wanted) && isJsonObject(stored)) return inObject(wanted, stored, hidden)
  if (Array.isArray(wanted) && Array.isArray(stored))
    return inArray(wanted, stored, below(eachElement, hidden))
  return wanted
}

function inObject(wanted: JsonObject, stored: JsonObject, hidden: Paths): JsonObject {
  const result = { ...wanted }
  for (const step of new Set(hidden.map(([first]) => first))) {
    if (typeof step !== 'string') continue
    const paths = below(step, hidden)
    const before = member(stored, step)
    const now = member(wanted, step)
    const value = now === undefined && paths.some(isHere) ? before : kept(now, before, paths)
    if (value !== undefined) setMember(result, step, value)
  }
  return result
}

function inArray(wanted: readonly Json[], stored: readonly Json[], hidden: Paths): Json[] {
  if (hidden.length === 0) return [...wanted]
  const seen = stored.map((element) => visiblePart(element, hidden))
  const free = new Set(stored.keys())
  const take = (index: number | undefined) => {
    if (index !== undefined) free.delete(index)
    return index
  }
  const unchanged = wanted.map((element, place) =>
    take([place, ...free].find((index) => free.has(index) && equal(seen[index], element))),
  )
  return wanted.map((element, place) => {
    const byPlace = wanted.length === stored.length && free.has(place) ? place : undefined
    const index = unchanged[place] ?? take(byPlace)
    if (index === undefined) return element
    if (hidden.some(isHere) && element === null) return stored[index] ?? null
    return kept(element, stored[index], hidden) ?? null
  })
}

function visiblePart(element: Json, hidden: Paths): Json {
  const visible: JsonObject = { it: element }
  return hidden.reduce((object, path) => withoutAt(object, ['it', ...path]), visible).it ?? null
}

function below(step: Step, hidden: Paths): Paths {
  return hidden.filter(([first]) => first === step).map(([, ...rest]) => rest)
}

function isHere(path: readonly Step[]): boolean {
  return path.length === 0
}

/** The places that a patch does not name itself: what it names it means. */
export function notNamed(hidden: Paths, fields: readonly Pointer[]): Paths {
  return hidden.filter(
    (path) =>
      !fields.some(
        (field) =>
          field.length >= path.length &&
          path.every((step, index) => step === eachElement || step === field[index]),
      ),
  )
}
