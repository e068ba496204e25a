import type { Json, JsonObject } from '../model/json.ts'
import { getAt, type Pointer, setAt } from '../model/pointer.ts'
import { areReferences, isReference } from '../model/reference.ts'
import type { Resource } from './resources.ts'

/**
 * Reduces a resource to the `_fields` of the request (platform §1.1, §1.2). `_id` and `_rev` come first and are always
 * present. `*` and an empty list mean everything, and so does `*_ref`, for which providers add references. Providers may
 * return more than was requested: the rest is removed here.
 */
export function project(resource: Resource, fields: readonly Pointer[] | undefined): Resource {
  if (fields === undefined || fields.length === 0 || fields.some(isEverything)) return identityFirst(resource)
  const result = identity(resource)
  for (const pointer of fields) {
    const [name = ''] = pointer
    if (name === '_ref' && isReference(resource)) {
      Object.assign(result, referencePart(resource))
      continue
    }
    const whole = resource[name]
    if (isCutAlready(whole, pointer)) {
      result[name] = whole
      continue
    }
    const value = getAt(resource, pointer)
    if (value !== undefined && !isIdentity(pointer)) setAt(result, pointer, value)
  }
  return result
}

/** `_ref`, or `_ref/*`, of a relationship means all members of the reference. */
function referencePart(reference: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(reference).filter(([name]) => name.startsWith('_ref')))
}

/** References with the requested fields of their objects: the provider that followed them has already reduced them. */
function isCutAlready(value: Json | undefined, pointer: Pointer): value is Json {
  return isReference(value) || areReferences(value) || (Array.isArray(value) && pointer[1] === '*')
}

/** The same members with `_id` and `_rev` first; the object itself if they already are. */
function identityFirst(resource: Resource): Resource {
  const [first, second] = Object.keys(resource)
  const inOrder = first === '_id' && (second === '_rev' || resource._rev === undefined)
  return inOrder ? resource : { ...identity(resource), ...resource }
}

function identity(resource: Resource): Resource & JsonObject {
  return resource._rev === undefined ? { _id: resource._id } : { _id: resource._id, _rev: resource._rev }
}

function isEverything(pointer: Pointer): boolean {
  return pointer.length === 0 || (pointer.length === 1 && (pointer[0] === '*' || pointer[0] === '*_ref'))
}

function isIdentity(pointer: Pointer): boolean {
  return pointer.length === 1 && (pointer[0] === '_id' || pointer[0] === '_rev')
}
