import { isJsonObject, type Json, type JsonObject } from './json.ts'

/**
 * References to objects in relationships (platform §6.1):
 * `{ "_ref": "managed/role/r1", "_refProperties": {"_id", "_rev", …} }`. `_ref` is a resource path, its last segment
 * percent-encoded where the id needs it.
 */
export interface Target {
  readonly collection: string
  readonly id: string
}

/** RFC 3986 allows these in a segment; a dn or a mail address stays readable. */
const legible = /%(?:2C|3A|3B|3D|40)/g

/** A segment of a resource path. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(legible, decodeURIComponent)
}

export function printReference({ collection, id }: Target): string {
  return `${collection}/${encodeSegment(id)}`
}

/** The ids of each collection, each once. */
export function idsByCollection(targets: Iterable<Target>): ReadonlyMap<string, readonly string[]> {
  const byCollection = Map.groupBy(targets, ({ collection }) => collection)
  return new Map(
    [...byCollection].map(([collection, own]) => [collection, [...new Set(own.map(({ id }) => id))]]),
  )
}

/** Undefined if the text names no object, which needs a root, a set and an id. */
export function parseReference(text: string): Target | undefined {
  const path = text.replace(/^\//, '')
  const at = path.lastIndexOf('/')
  const collection = path.slice(0, at)
  if (at < 0 || !/^[^/]+(?:\/[^/]+)+$/.test(path)) return undefined
  try {
    return { collection, id: decodeURIComponent(path.slice(at + 1)) }
  } catch {
    return undefined
  }
}

export function isReference(value: Json | undefined): value is JsonObject & { _ref: string } {
  return isJsonObject(value) && typeof value._ref === 'string'
}

/** True for an array that contains only references. */
export function areReferences(value: Json | undefined): value is (JsonObject & { _ref: string })[] {
  return Array.isArray(value) && value.length > 0 && value.every(isReference)
}
