import type { Change } from './diff.ts'
import { isJsonObject, type Json, type JsonObject, setMember } from './json.ts'
import { type Pointer, printPointer } from './pointer.ts'
import { type IsSecret, isMasked, mask, maskChanges } from './secrecy.ts'

/** Of values whose JSON text has more characters than this, only the length is recorded. */
const longest = 4096

/**
 * The attribute changes of an operation as the audit records them: by pointer, each with its old and new value, if
 * there is one. Secrets are masked, and long values (such as photographs) are shortened.
 */
export function recordedChanges(changes: readonly Change[], isSecret?: IsSecret): JsonObject {
  const kept: JsonObject = {}
  for (const { pointer, before, after } of maskChanges(changes, isSecret)) {
    // Null and absent are the same to a target: neither comes or goes.
    if ((before ?? after ?? null) === null) continue
    kept[printPointer(pointer)] = { ...member('before', before), ...member('after', after) }
  }
  return kept
}

/** An object as the audit records it, masked and shortened in the same way. Null: there is none. */
export function recordedObject(object: JsonObject | undefined, isSecret?: IsSecret): JsonObject | null {
  return object ? shownBelow([], object, isSecret) : null
}

function shownBelow(path: Pointer, object: JsonObject, isSecret?: IsSecret): JsonObject {
  const shown: JsonObject = {}
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue
    const pointer = [...path, name]
    const hidden = value !== null && isMasked({ pointer, before: undefined, after: value }, isSecret)
    if (hidden) setMember(shown, name, mask)
    else if (isJsonObject(value)) setMember(shown, name, shownBelow(pointer, value, isSecret))
    else setMember(shown, name, value === null ? null : shortened(value))
  }
  return shown
}

/** What was absent has no member; null is null. */
function member(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value === null ? null : shortened(value) }
}

function shortened(value: Json): Json {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  const length = typeof value === 'string' ? value.length : JSON.stringify(value).length
  return length > longest ? `(${length} characters)` : value
}
