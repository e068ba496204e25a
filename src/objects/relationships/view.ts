import { everything, type Filter } from '../../model/filter/filter.ts'
import { type FilterLeaf, leavesOf, mapLeaves } from '../../model/filter/walk.ts'
import type { JsonObject } from '../../model/json.ts'
import { parseReference } from '../../model/reference.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import type { Relations } from '../type/compile.ts'
import type { ManagedWrite } from '../write/entry.ts'
import { collectedValues } from './collect.ts'
import { presentOf } from './facts.ts'
import { type RelationshipProperty, throughRelationship } from './model.ts'
import { relationshipValue, withRelationships } from './wanted.ts'

export interface View {
  /** Relationships to be seen; absent: all. */
  readonly properties?: readonly string[]
  /** False: values that are collected along relationships are not asked for. */
  readonly collects?: boolean
}

/**
 * Stored objects as they are seen: with the relationships named, and with the values that are collected along relationships as they
 * are at this moment. One statement for all relationships of a page.
 */
export async function viewed(
  store: Store,
  relations: Relations,
  objects: readonly StoredObject[],
  { properties, collects = true }: View = {},
): Promise<readonly StoredObject[]> {
  if (objects.length === 0) return objects
  const { type, services } = relations
  const names = properties ?? [...type.properties.keys()]
  const ids = objects.map(({ _id }) => _id)
  const seen = await presentOf(store, type.collection, ids, names)
  const collected = collects
    ? await collectedValues(store, relations, ids, services.now(), { properties: names, seen })
    : undefined
  return objects.map((object): StoredObject => {
    const shown = withRelationships(type, object, seen.get(object._id) ?? new Map(), names)
    return Object.assign(shown, collected?.get(object._id))
  })
}

/**
 * A filter that the repository understands: conditions on relationships become the ids of the objects that fulfil them. A
 * relationship matches by its own members (`_ref`, `_refResourceId`, `_refProperties/…`) or by the fields of the object
 * referred to; of several, one is enough.
 */
export async function storeFilter(store: Store, { type }: Relations, filter: Filter): Promise<Filter> {
  const found = leavesOf(filter).map(async (leaf) => {
    const [property, pointer] = throughRelationship(type, leaf.pointer)
    return [leaf, property ? await whoMatches(store, property, { ...leaf, pointer }) : leaf] as const
  })
  const answers = new Map<FilterLeaf, Filter>(await Promise.all(found))
  return mapLeaves(filter, (leaf) => answers.get(leaf) ?? leaf)
}

async function whoMatches(store: Store, property: RelationshipProperty, leaf: FilterLeaf): Promise<Filter> {
  if (leaf.kind === 'compare' && leaf.operator === 'ne')
    return { kind: 'not', filter: await whoMatches(store, property, { ...leaf, operator: 'eq' }) }
  if (leaf.kind === 'compare' && leaf.operator === 'ca' && Array.isArray(leaf.value)) {
    const each = leaf.value.map((value) => whoMatches(store, property, { ...leaf, operator: 'eq', value }))
    return { kind: 'and', filters: await Promise.all(each) }
  }
  const value = [...(await owners(store, property, leaf))]
  return { kind: 'compare', operator: 'in', pointer: ['_id'], value }
}

async function owners(
  store: Store,
  { collection, name, collections }: RelationshipProperty,
  leaf: FilterLeaf,
): Promise<readonly string[]> {
  const [member] = leaf.pointer
  const isReference = leaf.kind === 'compare' && leaf.operator === 'eq' && member === '_ref'
  const to = isReference && typeof leaf.value === 'string' ? parseReference(leaf.value) : undefined
  const from = { collection, property: name }
  if (to) return store.relationships.reaching(from, { collection: to.collection, ids: [to.id] })
  const filter = member === undefined && leaf.kind === 'present' ? everything : leaf
  return store.relationships.owners({ ...from, others: collections }, filter)
}

/** Policies look at relationships that an object must have, mentioned or not: updates of a page, with these in their content. */
export async function withRequired(
  store: Store,
  { type }: Relations,
  page: readonly ManagedWrite[],
): Promise<readonly ManagedWrite[]> {
  if (type.required.length === 0) return page
  const ids = page.flatMap((write) => (write.operation === 'update' ? [write.id] : []))
  const found = await presentOf(store, type.collection, ids, type.required)
  return page.map((write) => {
    if (write.operation !== 'update') return write
    const content: JsonObject = { ...write.content }
    for (const name of type.required) {
      const property = type.properties.get(name)
      const seen = found.get(write.id)?.get(name) ?? []
      if (property && content[name] === undefined && seen.length > 0)
        content[name] = relationshipValue(property, seen)
    }
    return { ...write, content }
  })
}
