import type { Json, JsonObject } from '../../model/json.ts'
import { getAt, type Pointer, setAt } from '../../model/pointer.ts'
import { asProblem } from '../../model/problem.ts'
import { idsByCollection, isReference, parseReference } from '../../model/reference.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Asked, ManagedSet, SetServices } from '../managed-set.ts'
import type { RelatedType } from './model.ts'

const allReferences = '*_ref'

/**
 * Objects with the relationships that `_fields` asks for (platform §6.1): `manager` and `*_ref` are references,
 * `manager/mail` and `roles/*\/name` add fields of the objects referred to, `*` in that place all that these return by default. What
 * cannot be read says so in its place.
 */
export async function presented(
  services: SetServices,
  set: ManagedSet,
  objects: readonly StoredObject[],
  asked: Asked,
): Promise<readonly StoredObject[]> {
  const { relations } = set.compiled
  if (!relations || objects.length === 0) return objects
  const { type } = relations
  const { fields = [] } = asked
  const wanted = wantedProperties(type, fields)
  const seen = await set.view(objects, {
    properties: [...wanted.keys()],
    collects: needsCollected(type, fields),
  })
  const kept = fields.some(([name]) => name === allReferences)
    ? seen.map((object) => withReferences(type, object, fields))
    : seen
  for (const [name, ofTarget] of wanted) {
    if (ofTarget.length === 0) continue
    const references = kept.flatMap((object) => [object[name]].flat().filter(isReference))
    const full = await expanded(services, references, ofTarget, asked)
    const byReference = new Map<Json, Json>(references.map((one, at) => [one, full[at] ?? one]))
    const expand = (one: Json) => byReference.get(one) ?? one
    for (const object of kept) {
      const value = object[name] ?? null
      object[name] = Array.isArray(value) ? value.map(expand) : expand(value)
    }
  }
  return kept
}

/** The fields, with the relationships that `*_ref` stands for by their names. */
export function namingReferences(
  type: RelatedType | undefined,
  fields: readonly Pointer[] | undefined,
): readonly Pointer[] | undefined {
  if (!type || !fields?.some(([name]) => name === allReferences)) return fields
  return [...fields, ...[...type.properties.keys()].map((name) => [name])]
}

/** Without fields, an object is asked for as it comes by default. */
function asksForAll(fields: readonly Pointer[]): boolean {
  return fields.length === 0 || fields.some(([name]) => name === '*')
}

function needsCollected({ collected }: RelatedType, fields: readonly Pointer[]): boolean {
  return asksForAll(fields) || fields.some(([name]) => collected.some((one) => one.name === name))
}

/** Relationship properties that are asked for, each with the fields wanted of what they refer to. */
function wantedProperties(type: RelatedType, fields: readonly Pointer[]): ReadonlyMap<string, Pointer[]> {
  const { properties } = type
  const wanted = new Map<string, Pointer[]>()
  const all = [...properties.values()]
  if (asksForAll(fields))
    for (const { name, returnedByDefault } of all) if (returnedByDefault) wanted.set(name, [])
  for (const field of fields) {
    const [name = '', ...below] = field
    const named = name === allReferences ? all : all.filter((property) => property.name === name)
    const ofAny = named[0]?.many && below[0] === '*' && below.length > 1
    const ofTarget = ofAny ? below.slice(1) : below
    const isOwn = name === allReferences || ofTarget[0] === undefined || ofTarget[0].startsWith('_ref')
    for (const property of named)
      wanted.set(property.name, [...(wanted.get(property.name) ?? []), ...(isOwn ? [] : [ofTarget])])
  }
  return wanted
}

/** With `*_ref`, but without `*`: the references and whatever else is named, nothing else. */
function withReferences(type: RelatedType, object: StoredObject, fields: readonly Pointer[]): StoredObject {
  const named = new Set(fields.map(([name]) => name))
  if (named.has('*')) return object
  const kept = Object.entries(object).filter(([name]) => named.has(name) || type.properties.has(name))
  return { ...Object.fromEntries(kept), _id: object._id, _rev: object._rev }
}

/** References with the fields of what they refer to. */
export async function expanded<Reference extends JsonObject>(
  { sets, outside }: SetServices,
  references: readonly Reference[],
  fields: readonly Pointer[],
  request: RequestContext,
): Promise<readonly (Reference & JsonObject)[]> {
  const targets = references.map(({ _ref }) => parseReference(String(_ref)))
  const read = new Map<string, JsonObject>()
  for (const [collection, ids] of idsByCollection(targets.filter((target) => target !== undefined))) {
    const set = sets.get(collection)
    const found = await (set ? readManaged(set, ids, fields, request) : readOutside(outside, collection, ids))
    for (const id of ids) read.set(`${collection}/${id}`, found.get(id) ?? unreadable('does not exist'))
  }
  return references.map((one, at) => {
    const target = targets[at]
    const object = target && read.get(`${target.collection}/${target.id}`)
    if (!object) return { ...one, ...unreadable('is no reference') }
    return object._refError ? { ...one, ...object } : { ...selected(object, fields), ...one }
  })
}

function unreadable(why: string): JsonObject {
  return { _refError: true, _refErrorMessage: `The object referred to ${why}` }
}

async function readManaged(
  { compiled, path, store, view }: ManagedSet,
  ids: readonly string[],
  fields: readonly Pointer[],
  { external }: RequestContext,
): Promise<ReadonlyMap<string, JsonObject>> {
  const stored = [...(await store.objects.read(path, ids)).values()]
  const { relations } = compiled
  const named = relations
    ? fields.flatMap(([name = '']) => (relations.type.properties.has(name) ? [name] : []))
    : []
  const collects = relations && needsCollected(relations.type, fields)
  const objects = await view(stored, { properties: named, collects })
  return new Map(objects.map((object) => [object._id, compiled.visible(object, { external, fields })]))
}

async function readOutside(
  outside: SetServices['outside'],
  collection: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const found = new Map<string, JsonObject>()
  for (const id of ids) {
    try {
      const object = await outside({ collection, id })
      if (object) found.set(id, object)
    } catch (error) {
      found.set(id, unreadable(`cannot be read: ${asProblem(error).message}`))
    }
  }
  return found
}

/** `_id` and `_rev` of the object referred to come along, as the platform's answers have them. */
function selected(object: JsonObject, fields: readonly Pointer[]): JsonObject {
  if (fields.some(([name]) => name === '*')) return { ...object }
  const result: JsonObject = { _id: object._id, _rev: object._rev }
  for (const pointer of fields) {
    const value = getAt(object, pointer)
    if (value !== undefined) setAt(result, pointer, value)
  }
  return result
}
