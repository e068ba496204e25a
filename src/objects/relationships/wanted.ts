import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { applyPatch, type PatchOperation } from '../../model/patch.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { parseReference, printReference, type Target } from '../../model/reference.ts'
import type { ObjectWrite, StoredObject } from '../../repository/objects.ts'
import type { SeenRelationship } from '../../repository/relationships.ts'
import { failure, staleness } from '../write/changes.ts'
import { requireCondition } from './conditions.ts'
import { requireConstraints } from './constraints.ts'
import { constraintsProperty, type Related, type RelatedType, type RelationshipProperty } from './model.ts'

/** One write of a page, together with the relationships of its object. */
export interface RelatedWrite {
  /** The content has relationships as the caller mentions them. */
  readonly write: ObjectWrite
  /** What is stored, if it has been read; the page is taken back if it has changed since. */
  readonly stored?: StoredObject | undefined
  /** In place of, or besides, what the content mentions. */
  readonly edits?: Edits | undefined
  readonly force?: Force | undefined
}

/** The object is changed even if nothing of its own is: `bump` gives it a new revision, `notify` synchronizes it, too. */
export type Force = 'bump' | 'notify'

/** A write, taken apart: what is the object's own, and what it asks for relationships. */
export interface WantedObject extends RelatedWrite {
  readonly kind: 'wanted'
  /** Without relationships, and without values that are computed from them. */
  readonly own: JsonObject
  readonly edits: Edits
}

export interface RefusedObject {
  readonly kind: 'refused'
  readonly write: ObjectWrite
  readonly error: Error
}

/** What a step throws refuses this object, and no other. */
export function unlessRefused<T>(write: ObjectWrite, step: () => T): T | RefusedObject {
  try {
    return step()
  } catch (error) {
    return { kind: 'refused', write, error: asProblem(error) }
  }
}

export type Wanted = WantedObject | RefusedObject

/** `taken`: there is an object of the id already. Conditions, constraints and references that are none are refused. */
export function wantedObject(
  related: Related,
  { write, stored, edits = new Map(), force }: RelatedWrite,
  taken: boolean,
): Wanted {
  const { model, type } = related
  return unlessRefused(write, () => {
    const reason = write.operation === 'create' ? (taken ? 'exists' : undefined) : staleness(write, stored)
    if (reason) throw failure(`${type.collection}/${write.id}`, reason)
    const content = write.operation === 'delete' ? {} : write.content
    for (const field of conditionFields(related))
      requireCondition(content[field], `${type.collection}: ${field}`)
    if (model.dependents.has(type.collection))
      requireConstraints(content[constraintsProperty], type.collection)
    const all = new Map([...editsIn(type, content), ...edits])
    return { kind: 'wanted', write, stored, own: ownPart(type, content), edits: all, force }
  })
}

/** Properties that say to which objects those of this type are granted by a condition. */
export function conditionFields({ model, type: { collection } }: Related): readonly string[] {
  const dependents = model.dependents.get(collection) ?? []
  return dependents.flatMap(({ byCondition, properties }) => (byCondition ? [...(properties ?? [])] : []))
}

function ownPart({ properties, collected }: RelatedType, content: JsonObject): JsonObject {
  const { _id, _rev, ...own } = content
  for (const name of properties.keys()) delete own[name]
  for (const { name } of collected) delete own[name]
  return own
}

/** A wanted reference; with the id of the relationship where the caller knows it. */
export interface WantedReference {
  readonly target: Target
  readonly id: string | undefined
  readonly properties: JsonObject
}

/** What is to become of the relationships of one property. */
export type Edit =
  | { readonly kind: 'set'; readonly references: readonly WantedReference[] }
  | { readonly kind: 'add'; readonly reference: WantedReference }
  | { readonly kind: 'remove'; readonly reference: Pick<WantedReference, 'target' | 'id'> }
  | {
      readonly kind: 'replace'
      readonly from: Pick<WantedReference, 'target'> & { readonly id: string }
      readonly reference: WantedReference
    }

export type Edits = ReadonlyMap<string, readonly Edit[]>

/** Who made a grant: `conditional` ones come and go with the role's condition. */
export const grantType = '_grantType'

export function isConditional(properties: JsonObject): boolean {
  return properties[grantType] === 'conditional'
}

/** What the content of a write says about relationships: what it does not mention stays as it is. BAD_REQUEST. */
function editsIn({ properties }: RelatedType, content: JsonObject): Edits {
  const edits = new Map<string, readonly Edit[]>()
  for (const [name, property] of properties) {
    const value = content[name]
    if (value !== undefined) edits.set(name, [{ kind: 'set', references: wantedReferences(property, value) }])
  }
  return edits
}

function wantedReferences(property: RelationshipProperty, value: Json): readonly WantedReference[] {
  const where = `${property.collection}: ${property.name}`
  if (value === null) return []
  if (!property.many) return [wantedReference(property, value)]
  if (!Array.isArray(value)) throw new Problem('BAD_REQUEST', `${where} is a list of references`)
  const wanted: WantedReference[] = []
  for (const one of value.map((element) => wantedReference(property, element)))
    if (!wanted.some((other) => equal(asJson(other), asJson(one)))) wanted.push(one)
  return wanted
}

const asJson = ({ target, id, properties }: WantedReference): JsonObject => ({
  ...{ target: { ...target }, id: id ?? null, properties },
})

/** BAD_REQUEST for what is no reference, or one that may not be here. */
export function wantedReference(property: RelationshipProperty, value: Json | undefined): WantedReference {
  const where = `${property.collection}: ${property.name}`
  const target =
    isJsonObject(value) && typeof value._ref === 'string' ? parseReference(value._ref) : undefined
  if (!isJsonObject(value) || !target)
    throw new Problem(
      'BAD_REQUEST',
      `${where} needs {"_ref": "set/type/id"}, not ${JSON.stringify(value ?? null)}`,
    )
  if (
    property.collections.length > 0 &&
    !property.collections.some((one) => isSameSet(one, target.collection))
  ) {
    const allowed = property.collections.join(', ')
    throw new Problem('BAD_REQUEST', `${where} may refer to ${allowed}, not to ${printReference(target)}`)
  }
  const { _refProperties = {} } = value
  if (_refProperties !== null && !isJsonObject(_refProperties))
    throw new Problem('BAD_REQUEST', `${where}: "_refProperties" is an object`)
  const { _id, _rev, ...properties } = _refProperties ?? {}
  requireConstraints(properties.temporalConstraints, where)
  return { target, properties, id: typeof _id === 'string' ? _id : undefined }
}

/** Older configurations write roles for access below `repo`. */
function isSameSet(allowed: string, collection: string): boolean {
  return allowed === collection || withoutRepo(allowed) === withoutRepo(collection)
}

function withoutRepo(path: string): string {
  return path.replace(/^repo\/(?=internal\/)/, '')
}

/**
 * What the operations of a patch do to relationships. Appending and removing by value touch only what they name, however many
 * there are; anything else is applied to `current`, the property as it is. BAD_PATCH, BAD_REQUEST.
 */
export async function editsByPatch(
  type: RelatedType,
  operations: readonly PatchOperation[],
  current: (property: string) => Promise<Json>,
): Promise<Edits> {
  const edits = new Map<string, readonly Edit[]>()
  for (const [name, property] of type.properties) {
    const own = operations.filter((operation) => operation.field[0] === name)
    if (own.length === 0) continue
    const single = own.map((operation) => incremental(property, operation))
    if (single.every((edit) => edit !== undefined)) edits.set(name, single)
    else {
      const patched = applyPatch({ [name]: await current(name) }, own)
      const references = wantedReferences(property, patched[name] ?? null)
      edits.set(name, [{ kind: 'set', references }])
    }
  }
  return edits
}

/** Undefined if the property has to be known as a whole. */
function incremental(property: RelationshipProperty, operation: PatchOperation): Edit | undefined {
  if (operation.field.length !== 1) return undefined
  switch (operation.operation) {
    case 'add':
    case 'replace':
      if (operation.append)
        return property.many
          ? { kind: 'add', reference: { ...wantedReference(property, operation.value), id: undefined } }
          : undefined
      return { kind: 'set', references: wantedReferences(property, operation.value) }
    case 'remove':
      if (operation.value === undefined) return { kind: 'set', references: [] }
      return { kind: 'remove', reference: wantedReference(property, withoutList(operation.value)) }
    default:
      return undefined
  }
}

const withoutList = (value: Json) => (Array.isArray(value) && value.length === 1 ? value[0] : value)

/** The other ends that edits name, if the rest of the property need not be known for them. */
export function targetsOf(edits: readonly Edit[]): readonly Target[] | undefined {
  const named = edits.filter((edit) => edit.kind !== 'set')
  if (named.length < edits.length) return undefined
  return named.flatMap((edit) =>
    edit.kind === 'replace' ? [edit.from.target, edit.reference.target] : [edit.reference.target],
  )
}

/** True for operations that are about relationships. */
export function isAbout({ properties }: RelatedType, { field }: PatchOperation): boolean {
  return properties.has(field[0] as string)
}

export function isSame(a: Target, b: Target): boolean {
  return a.id === b.id && a.collection === b.collection
}

/** A relationship as the object at its own end shows it. */
export function reference({ _id, _rev, other, properties }: SeenRelationship): JsonObject & { _ref: string } {
  return { ...referenceTo(other), _refProperties: { ...properties, _id, _rev } }
}

export function referenceTo(target: Target): JsonObject & { _ref: string } {
  return {
    _ref: printReference(target),
    _refResourceCollection: target.collection,
    _refResourceId: target.id,
  }
}

/** The value of a relationship property. */
export function relationshipValue({ many }: RelationshipProperty, seen: readonly SeenRelationship[]): Json {
  return many ? seen.map(reference) : seen[0] ? reference(seen[0]) : null
}

/** The object with the relationships that its properties show. */
export function withRelationships(
  type: RelatedType,
  object: StoredObject,
  seen: ReadonlyMap<string, readonly SeenRelationship[]>,
  names: readonly string[],
): StoredObject {
  const values: { [name: string]: Json } = {}
  for (const name of names) {
    const property = type.properties.get(name)
    if (property) values[name] = relationshipValue(property, seen.get(name) ?? [])
  }
  return { ...object, ...values }
}
