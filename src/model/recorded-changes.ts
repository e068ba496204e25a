import type { Change } from './diff.ts'
import type { Json, JsonObject } from './json.ts'
import { maskChanges } from './masking.ts'
import { type Pointer, printPointer } from './pointer.ts'

/** Values whose JSON text is longer than this many characters are kept by their length only. */
const longest = 4096

/**
 * The attribute changes of an operation as the audit keeps them: by pointer, each with the values before and after, as far
 * as there were any. Secrets are masked, and a photograph does not fill the store.
 */
export function recordedChanges(
  changes: readonly Change[],
  isSecret: ((pointer: Pointer) => boolean) | undefined,
): JsonObject {
  const kept: JsonObject = {}
  for (const { pointer, before, after } of maskChanges(changes, isSecret)) {
    const values = { ...member('before', before), ...member('after', after) }
    if (Object.keys(values).length > 0) kept[printPointer(pointer)] = values
  }
  return kept
}

/** Null and absent are alike to a target: neither is a value. */
function member(name: string, value: Json | undefined): JsonObject {
  return value === undefined || value === null ? {} : { [name]: shortened(value) }
}

function shortened(value: Json): Json {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  const length = typeof value === 'string' ? value.length : JSON.stringify(value).length
  return length > longest ? `(${length} characters)` : value
}
