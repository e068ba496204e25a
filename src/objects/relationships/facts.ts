import { idsByCollection, printReference } from '../../model/reference.ts'
import type { RelationshipEnd, SeenRelationship } from '../../repository/relationships.ts'
import type { Store } from '../../repository/repository.ts'
import type { Relations } from '../type/compile.ts'
import { type Conditional, conditionals } from './conditions.ts'
import { keyOf, type PageFacts, placesToFill, targetsToFind } from './plan.ts'
import { type Conditionals, type Planned, type Present, planObject, wholeProperties } from './plan-object.ts'
import { type RelatedWrite, targetsOf, type Wanted, type WantedObject, wantedObject } from './wanted.ts'

/** The work on a page of objects of one type. What a plan looks at is read here: a fixed number of statements a page. */
export interface RelatedPage {
  readonly store: Store
  readonly relations: Relations
  /** All relationships of the objects are wanted; otherwise those that have to be known. */
  readonly whole: boolean
}

export async function plannedObjects(
  page: RelatedPage,
  writes: readonly RelatedWrite[],
): Promise<{ readonly planned: readonly Planned[]; readonly conditionals: Conditionals }> {
  const { store, relations } = page
  const { type } = relations
  const all = await wantedObjects(page, writes)
  const found = new Map<string, readonly Conditional[]>()
  for (const property of type.properties.values())
    if (property.conditions.size > 0) found.set(property.name, await conditionals(store, property))
  const present = await presentRelationships(page, all, found)
  const planned = all.map((one) =>
    one.kind === 'refused'
      ? one
      : planObject(type, one, { present: present.get(one.write.id) ?? new Map(), conditionals: found }),
  )
  return { planned, conditionals: found }
}

async function wantedObjects(
  { store: { objects }, relations }: RelatedPage,
  writes: readonly RelatedWrite[],
): Promise<readonly Wanted[]> {
  const { collection } = relations.type
  const unread = writes.flatMap(({ write, stored }) =>
    write.operation === 'create' || stored ? [] : [write.id],
  )
  const created = writes.flatMap(({ write }) => (write.operation === 'create' ? [write.id] : []))
  const read = unread.length > 0 ? await objects.read(collection, unread) : new Map()
  const taken = created.length > 0 ? await objects.existing(collection, created) : new Set()
  return writes.map((one) => {
    const { id } = one.write
    return wantedObject(relations, { ...one, stored: one.stored ?? read.get(id) }, taken.has(id))
  })
}

async function presentRelationships(
  { store: { relationships }, relations: { type }, whole }: RelatedPage,
  wanted: readonly Wanted[],
  conditionals: Conditionals,
): Promise<ReadonlyMap<string, Present>> {
  const { collection } = type
  const going = wanted.filter((object) => object.kind === 'wanted')
  const updates = going.filter(({ write }) => write.operation === 'update')
  const deletes = going.filter(({ write }) => write.operation === 'delete')
  const properties = wholeProperties(type, conditionals, updates, whole)
  const found: Awaited<ReturnType<typeof relationships.of>>[] = []
  if (updates.length > 0 && properties.length > 0)
    found.push(await relationships.of(collection, updates.map(idOf), { properties }))
  for (const { write, edits } of updates)
    for (const [name, all] of edits) {
      if (properties.includes(name)) continue
      for (const to of [...idsByCollection(targetsOf(all) ?? [])].map(([set, ids]) => ({
        collection: set,
        ids,
      })))
        found.push(await relationships.of(collection, [write.id], { properties: [name], to }))
    }
  if (deletes.length > 0) found.push(await relationships.of(collection, deletes.map(idOf)))
  return byProperty(found)
}

function idOf({ write }: WantedObject): string {
  return write.id
}

/** Relationships of the objects, by property; all of them if none is named. One statement. */
export async function presentOf(
  { relationships }: Pick<Store, 'relationships'>,
  collection: string,
  ids: readonly string[],
  properties?: readonly string[],
): Promise<ReadonlyMap<string, Present>> {
  if (ids.length === 0 || properties?.length === 0) return new Map()
  return byProperty([await relationships.of(collection, ids, properties && { properties })])
}

function byProperty(
  found: readonly ReadonlyMap<string, readonly SeenRelationship[]>[],
): ReadonlyMap<string, Present> {
  const seen = found.flatMap((byId) => [...byId.values()].flat())
  const byId = Map.groupBy(seen, ({ own }) => own.id)
  return new Map([...byId].map(([id, all]) => [id, Map.groupBy(all, ({ own }) => own.property)]))
}

export async function pageFacts(
  { store, relations }: RelatedPage,
  objects: readonly Planned[],
): Promise<PageFacts> {
  const { model, type, services } = relations
  const missing = new Set<string>()
  for (const [collection, ids] of idsByCollection(targetsToFind(type, objects))) {
    const ours = model.types.has(collection) ? await store.objects.existing(collection, ids) : undefined
    for (const id of ids)
      if (!(ours ? ours.has(id) : await services.outside({ collection, id })))
        missing.add(printReference({ collection, id }))
  }
  const inPlace = await relationshipsAt(store, placesToFill(relations, objects))
  return {
    exists: (target) => !missing.has(printReference(target)),
    at: (place) => inPlace.get(keyOf(place)) ?? [],
  }
}

async function relationshipsAt(
  { relationships }: Store,
  places: readonly RelationshipEnd[],
): Promise<ReadonlyMap<string, readonly SeenRelationship[]>> {
  const found: SeenRelationship[] = []
  for (const [property, ends] of Map.groupBy(places, (end) => end.property))
    for (const [collection, ids] of idsByCollection(ends))
      found.push(
        ...[...(await relationships.of(collection, ids, { properties: [property] })).values()].flat(),
      )
  return Map.groupBy(found, ({ own }) => keyOf(own))
}
