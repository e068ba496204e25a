import { idsByCollection, printReference } from '../../model/reference.ts'
import type { RelationshipEnd, SeenRelationship } from '../../repository/relationships.ts'
import type { Store } from '../../repository/repository.ts'
import type { Relations } from '../type/compile.ts'
import { type Conditional, conditionals } from './conditions.ts'
import type { RelatedType } from './model.ts'
import { keyOf, type PageFacts, placesToFill, targetsToFind } from './plan.ts'
import { type Conditionals, type PlannedObject, type Present, wholeProperties } from './plan-object.ts'
import {
  type RefusedObject,
  type RelatedWrite,
  targetsOf,
  type WantedObject,
  wantedObject,
} from './wanted.ts'

/** What a plan looks at, read from the store: a fixed number of statements a page. */
export async function wantedObjects(
  store: Store,
  { model, type }: Relations,
  writes: readonly RelatedWrite[],
): Promise<readonly (WantedObject | RefusedObject)[]> {
  const { objects } = store
  const unread = writes.flatMap(({ write, stored }) =>
    write.operation === 'create' || stored ? [] : [write.id],
  )
  const created = writes.flatMap(({ write }) => (write.operation === 'create' ? [write.id] : []))
  const read = unread.length > 0 ? await objects.read(type.collection, unread) : new Map()
  const taken = created.length > 0 ? await objects.existing(type.collection, created) : new Set()
  return writes.map((write) => {
    const { id } = write.write
    return wantedObject(model, type, { ...write, stored: write.stored ?? read.get(id) }, taken.has(id))
  })
}

/** Relationships of the objects, by property; all of them if none is named. One statement. */
export async function presentOf(
  { relationships }: Pick<Store, 'relationships'>,
  collection: string,
  ids: readonly string[],
  properties?: readonly string[],
): Promise<ReadonlyMap<string, Present>> {
  if (ids.length === 0 || properties?.length === 0) return new Map()
  return byProperty(await relationships.of(collection, ids, properties && { properties }))
}

function byProperty(seen: ReadonlyMap<string, readonly SeenRelationship[]>): ReadonlyMap<string, Present> {
  return new Map([...seen].map(([id, own]) => [id, Map.groupBy(own, (one) => one.own.property)]))
}

/** `whole`: all relationships of the objects; otherwise those that have to be known. */
export async function objectFacts(
  store: Store,
  type: RelatedType,
  wanted: readonly (WantedObject | RefusedObject)[],
  whole: boolean,
): Promise<{ readonly conditionals: Conditionals; readonly present: ReadonlyMap<string, Present> }> {
  const found = new Map<string, readonly Conditional[]>()
  for (const property of type.properties.values())
    if (property.conditions.size > 0) found.set(property.name, await conditionals(store, property))
  const present = await presentRelationships(store, type, wanted, (objects) =>
    wholeProperties(type, found, objects, whole),
  )
  return { conditionals: found, present }
}

async function presentRelationships(
  { relationships }: Store,
  { collection }: RelatedType,
  wanted: readonly (WantedObject | RefusedObject)[],
  wholeOf: (objects: readonly WantedObject[]) => readonly string[],
): Promise<ReadonlyMap<string, Present>> {
  const present: SeenRelationship[] = []
  const add: typeof relationships.of = async (...asked) => {
    const found = await relationships.of(...asked)
    for (const seen of found.values()) present.push(...seen)
    return found
  }
  const going = wanted.filter((object) => object.kind === 'wanted')
  const updates = going.filter(({ write }) => write.operation === 'update')
  const deletes = going.filter(({ write }) => write.operation === 'delete')
  const whole = wholeOf(updates)
  if (updates.length > 0 && whole.length > 0) await add(collection, updates.map(idOf), { properties: whole })
  for (const { write, edits } of updates)
    for (const [name, all] of edits) {
      if (whole.includes(name)) continue
      for (const [set, ids] of idsByCollection(targetsOf(all) ?? []))
        await add(collection, [write.id], { properties: [name], to: { collection: set, ids } })
    }
  if (deletes.length > 0) await add(collection, deletes.map(idOf))
  return byProperty(Map.groupBy(present, ({ own }) => own.id))
}

function idOf({ write }: WantedObject): string {
  return write.id
}

export async function pageFacts(
  store: Store,
  { model, type, services }: Relations,
  objects: readonly (PlannedObject | RefusedObject)[],
): Promise<PageFacts> {
  const missing = new Set<string>()
  for (const [collection, ids] of idsByCollection(targetsToFind(type, objects))) {
    const ours = model.types.has(collection) ? await store.objects.existing(collection, ids) : undefined
    for (const id of ids)
      if (!(ours ? ours.has(id) : await services.exists({ collection, id })))
        missing.add(printReference({ collection, id }))
  }
  const occupied = await occupiedPlaces(store, placesToFill(model, type, objects))
  return {
    exists: (target) => !missing.has(printReference(target)),
    occupying: (end) => occupied.get(keyOf(end)) ?? [],
  }
}

async function occupiedPlaces(
  { relationships }: Store,
  places: readonly RelationshipEnd[],
): Promise<ReadonlyMap<string, readonly SeenRelationship[]>> {
  const occupied: SeenRelationship[] = []
  for (const ends of Map.groupBy(places, (end) => `${end.collection} ${end.property}`).values()) {
    const [first] = ends
    if (!first) continue
    const { collection, property } = first
    const ids = [...new Set(ends.map(({ id }) => id))]
    const found = await relationships.of(collection, ids, { properties: [property] })
    occupied.push(...[...found.values()].flat())
  }
  return Map.groupBy(occupied, ({ own }) => keyOf(own))
}
