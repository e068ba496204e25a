import { equal } from './equality.ts'
import { isJsonObject, type Json, type JsonObject } from './json.ts'
import { areReferences, isReference } from './reference.ts'

/**
 * `desired` with its references in the form in which `existing` has them, where they say the same (engine §4.3):
 * whoever maps a relationship writes `{_ref}`, and the object that has it shows its id and revision as well; several have no
 * order; grants that come and go by a condition are not the mapping's. Pure.
 */
export function keepReferences(existing: JsonObject, desired: JsonObject): JsonObject {
  const kept = Object.entries(existing).filter(([name, value]) => isSaidBy(desired[name], value))
  return kept.length > 0 ? { ...desired, ...Object.fromEntries(kept) } : desired
}

function isSaidBy(wanted: Json | undefined, value: Json | undefined): boolean {
  if (isReference(value)) return isReference(wanted) && says(wanted, value)
  if (!areReferences(value) || !Array.isArray(wanted) || !wanted.every(isReference)) return false
  const left = [...value]
  for (const one of wanted) {
    const at = left.findIndex((other) => says(one, other))
    if (at < 0) return false
    left.splice(at, 1)
  }
  return left.every(isConditional)
}

/** Properties that are not mentioned are left as they are. */
function says(wanted: JsonObject, existing: JsonObject): boolean {
  if (pathOf(wanted) !== pathOf(existing)) return false
  const properties = ownProperties(wanted)
  return Object.keys(properties).length === 0 || equal(properties, ownProperties(existing))
}

const pathOf = ({ _ref }: JsonObject) => String(_ref).replace(/^\//, '')

function ownProperties({ _refProperties }: JsonObject): JsonObject {
  const { _id, _rev, ...properties } = isJsonObject(_refProperties) ? _refProperties : {}
  return properties
}

function isConditional({ _refProperties }: JsonObject): boolean {
  return isJsonObject(_refProperties) && _refProperties._grantType === 'conditional'
}
