import type { Json, JsonObject } from './json.ts'
import type { Pointer } from './pointer.ts'

/** One attribute's change; `undefined` means absent. Arrays change as a whole: their order is significant. */
export interface Change {
  readonly pointer: Pointer
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/** What must change in `a` to make it `b`; nested objects are compared member by member. Sorted by pointer. */
export function diff(_a: JsonObject, _b: JsonObject): readonly Change[] {
  throw new Error('to be written')
}

/** `patch(diff(a, b), a)` equals `b`; `a` itself is untouched. */
export function patch(_changes: readonly Change[], _a: JsonObject): JsonObject {
  throw new Error('to be written')
}
