import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { PatchOperation } from '../../model/patch.ts'
import { applyPatch } from '../../model/patch.ts'
import { Problem } from '../../model/problem.ts'
import { parseReference, printReference, type Target } from '../../model/reference.ts'
import type { SeenRelationship } from '../../repository/repository.ts'
import { requireConstraints } from './constraints.ts'
import type { RelatedType, RelationshipProperty } from './model.ts'

/** A reference as somebody wants it; with the id of the relationship if he knows it. */
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
export function editsIn({ properties }: RelatedType, content: JsonObject): Edits {
  const edits = new Map<string, readonly Edit[]>()
  for (const [name, property] of properties) {
    const value = content[name]
    if (value !== undefined) edits.set(name, [{ kind: 'set', references: wantedReferences(property, value) }])
  }
  return edits
}

export function wantedReferences(property: RelationshipProperty, value: Json): readonly WantedReference[] {
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
  ...{ collection: target.collection, id: target.id, properties },
  ...(id !== undefined && { relationship: id }),
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
  if (property.collections.length > 0 && !property.collections.includes(target.collection)) {
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
  if (edits.some(({ kind }) => kind === 'set')) return undefined
  return edits.flatMap((edit) => {
    if (edit.kind === 'set') return []
    return edit.kind === 'replace' ? [edit.from.target, edit.reference.target] : [edit.reference.target]
  })
}

/** True for operations that are about relationships. */
export function isAbout({ properties }: RelatedType, { field }: PatchOperation): boolean {
  return properties.has(field[0] as string)
}

/** What changes at one object. */
export interface PropertyChanges {
  readonly inserts: readonly WantedReference[]
  readonly updates: readonly { readonly before: SeenRelationship; readonly properties: JsonObject }[]
  readonly deletes: readonly SeenRelationship[]
}

/** NOT_FOUND for an edit of a relationship that is not there. `governed`: grants by condition are nobody's to edit. */
export function changesBy(
  { collection, name }: RelationshipProperty,
  existing: readonly SeenRelationship[],
  edits: readonly Edit[],
  governed = false,
): PropertyChanges {
  const state = new Map(existing.map((one) => [one._id, { seen: one, properties: one.properties }]))
  let inserts: WantedReference[] = []
  const ownOnes = () => [...state.values()].filter(({ seen }) => !governed || !isConditional(seen.properties))
  const matching = ({ target, id }: Pick<WantedReference, 'target' | 'id'>) =>
    ownOnes().filter(({ seen }) => (id === undefined || seen._id === id) && isSame(seen.other, target))
  for (const edit of edits) {
    switch (edit.kind) {
      case 'set': {
        const kept = new Set<string>()
        inserts = []
        const wanted = edit.references.filter((one) => !governed || !isConditional(one.properties))
        for (const one of wanted) {
          const found =
            matching(one).find(({ seen }) => !kept.has(seen._id)) ??
            matching({ ...one, id: undefined }).find(({ seen }) => !kept.has(seen._id))
          if (!found) inserts.push({ ...one, id: undefined })
          else {
            kept.add(found.seen._id)
            found.properties = mentioned(one, found.properties)
          }
        }
        for (const { seen } of ownOnes()) if (!kept.has(seen._id)) state.delete(seen._id)
        break
      }
      case 'add': {
        const { reference } = edit
        const known = matching({ ...reference, id: undefined })
        const same = known.some(({ properties }) => equal(properties, reference.properties))
        const plain = Object.keys(reference.properties).length === 0
        if (!same && !(plain && known.length > 0)) inserts.push(reference)
        break
      }
      case 'remove':
        for (const { seen } of matching(edit.reference)) state.delete(seen._id)
        inserts = inserts.filter((one) => !isSame(one.target, edit.reference.target))
        break
      case 'replace': {
        const { id } = edit.from
        const found = state.get(id)
        if (!found) throw new Problem('NOT_FOUND', `${collection}: ${name} has no relationship ${id}`)
        if (isSame(found.seen.other, edit.reference.target)) found.properties = edit.reference.properties
        else {
          state.delete(id)
          inserts.push({ ...edit.reference, id })
        }
      }
    }
  }
  return {
    inserts,
    updates: [...state.values()].flatMap(({ seen, properties }) =>
      equal(seen.properties, properties) ? [] : [{ before: seen, properties }],
    ),
    deletes: existing.filter(({ _id }) => !state.has(_id)),
  }
}

/** A bare `{_ref}` names a relationship that is there; one with properties says what they are. */
function mentioned({ properties }: WantedReference, existing: JsonObject): JsonObject {
  return Object.keys(properties).length === 0 ? existing : properties
}

export function isSame(a: Target, b: Target): boolean {
  return a.id === b.id && a.collection === b.collection
}

/** A relationship as the object at its own end shows it. */
export function reference({ _id, _rev, other, properties }: SeenRelationship): JsonObject & { _ref: string } {
  return {
    _ref: printReference(other),
    _refResourceCollection: other.collection,
    _refResourceId: other.id,
    _refProperties: { ...properties, _id, _rev },
  }
}

/** The value of a relationship property. */
export function shown({ many }: RelationshipProperty, seen: readonly SeenRelationship[]): Json {
  return many ? seen.map(reference) : seen[0] ? reference(seen[0]) : null
}
