import { copy, equal } from './equality.ts'
import { isJsonObject, type Json, type JsonObject, member } from './json.ts'
import { type Pointer, removeAt, setAt } from './pointer.ts'
import { compareText } from './sort.ts'

/**
 * Changes between two states of an object: what a plan shows, stores and sends. Unlike the patch of a request, they
 * contain the old value. A reviewer sees it, and applying the plan can check that it is still the same.
 */

/** One attribute's change; `undefined` means absent. Arrays change as a whole: their order is significant. */
export interface Change {
  readonly pointer: Pointer
  readonly before: Json | undefined
  readonly after: Json | undefined
  /** Made from a secret, whatever the attribute is called. */
  readonly secret?: boolean
}

/** What must change in `a` to make it `b`; nested objects are compared member by member. Sorted by pointer. */
export function diff(a: JsonObject, b: JsonObject): readonly Change[] {
  const changes: Change[] = []
  collect([], a, b, changes)
  return changes.sort((x, y) => comparePointers(x.pointer, y.pointer))
}

/** `patch(diff(a, b), a)` equals `b`; `a` itself is not changed. */
export function patch(changes: readonly Change[], a: JsonObject): JsonObject {
  const result = copy(a)
  for (const { pointer, after } of changes) {
    if (after === undefined) removeAt(result, pointer)
    else setAt(result, pointer, copy(after))
  }
  return result
}

function collect(path: Pointer, a: JsonObject, b: JsonObject, changes: Change[]): void {
  const compare = (key: string, before: Json | undefined, after: Json | undefined) => {
    if (before === after) return
    if (isJsonObject(before) && isJsonObject(after)) collect([...path, key], before, after, changes)
    else if (!equal(before, after)) changes.push({ pointer: [...path, key], before, after })
  }
  for (const key of Object.keys(a)) compare(key, a[key], member(b, key))
  for (const key of Object.keys(b)) if (!Object.hasOwn(a, key)) compare(key, undefined, b[key])
}

function comparePointers(a: Pointer, b: Pointer): number {
  for (const [i, token] of a.entries()) {
    const other = b[i]
    if (other === undefined) break
    const order = compareText(token, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}
