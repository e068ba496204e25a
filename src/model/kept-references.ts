import { equal } from './equality.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from './json.ts'
import { areReferences, isReference } from './reference.ts'

/**
 * `desired`, with references in the form of `existing` where both mean the same (engine §4.3). A mapping writes only
 * `{_ref}`, but the stored object also has the id and revision of the reference. Several references have no order.
 * Grants that depend on a condition do not belong to the mapping. Pure.
 */
export function keepReferences(existing: JsonObject, desired: JsonObject): JsonObject {
  const kept = Object.entries(existing).filter(([name, value]) => isUnchanged(desired[name], value))
  return kept.length > 0 ? { ...desired, ...Object.fromEntries(kept) } : desired
}

function isUnchanged(wanted: Json | undefined, value: Json | undefined): boolean {
  if (isReference(value)) return isReference(wanted) && agrees(wanted, value)
  if (!areReferences(value) || !Array.isArray(wanted) || !wanted.every(isReference)) return false
  const left = [...value]
  for (const one of wanted) {
    const at = left.findIndex((other) => agrees(one, other))
    if (at < 0) return false
    left.splice(at, 1)
  }
  return left.every(isConditional)
}

/** Properties that `wanted` does not mention stay as they are. */
function agrees(wanted: JsonObject, existing: JsonObject): boolean {
  if (pathOf(wanted) !== pathOf(existing)) return false
  const properties = ownProperties(wanted)
  return Object.keys(properties).length === 0 || equal(properties, ownProperties(existing))
}

const pathOf = ({ _ref }: JsonObject) => String(_ref).replace(/^\//, '')

function ownProperties({ _refProperties }: JsonObject): JsonObject {
  const { _id, _rev, ...properties } = asObject(_refProperties)
  return properties
}

function isConditional({ _refProperties }: JsonObject): boolean {
  return isJsonObject(_refProperties) && _refProperties._grantType === 'conditional'
}
