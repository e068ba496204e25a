import type { Target } from '../../model/reference.ts'
import { printReference } from '../../model/reference.ts'
import type { RelationshipEnd, SeenRelationship, Store } from '../../repository/repository.ts'
import type { Relations } from '../type/compiled-type.ts'
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

export interface ObjectFacts {
  readonly conditionals: Conditionals
  presentOf(id: string): Present
}

/** `whole`: all relationships of the objects; otherwise those that have to be known. */
export async function objectFacts(
  store: Store,
  type: RelatedType,
  wanted: readonly (WantedObject | RefusedObject)[],
  whole: boolean,
): Promise<ObjectFacts> {
  const found = new Map<string, readonly Conditional[]>()
  for (const property of type.properties.values())
    if (property.conditions.size > 0) found.set(property.name, await conditionals(store, property))
  const present = await presentRelationships(store, type, wanted, (objects) =>
    wholeProperties(type, found, objects, whole),
  )
  const byProperty = new Map(
    [...present].map(([id, seen]) => [id, Map.groupBy(seen, ({ own }) => own.property)]),
  )
  return { conditionals: found, presentOf: (id) => byProperty.get(id) ?? new Map() }
}

async function presentRelationships(
  { relationships }: Store,
  { collection }: RelatedType,
  wanted: readonly (WantedObject | RefusedObject)[],
  wholeOf: (objects: readonly WantedObject[]) => readonly string[],
): Promise<ReadonlyMap<string, readonly SeenRelationship[]>> {
  const present = new Map<string, readonly SeenRelationship[]>()
  const add = (found: ReadonlyMap<string, readonly SeenRelationship[]>) => {
    for (const [id, seen] of found) present.set(id, [...(present.get(id) ?? []), ...seen])
  }
  const going = wanted.filter((object) => object.kind === 'wanted')
  const updates = going.filter(({ write }) => write.operation === 'update')
  const deletes = going.filter(({ write }) => write.operation === 'delete')
  const whole = wholeOf(updates)
  if (updates.length > 0 && whole.length > 0)
    add(await relationships.of(collection, updates.map(idOf), { properties: whole }))
  for (const { write, edits } of updates)
    for (const [name, all] of edits) {
      if (whole.includes(name)) continue
      for (const [set, targets] of Map.groupBy(targetsOf(all) ?? [], (target) => target.collection)) {
        const to = { collection: set, ids: [...new Set(targets.map(({ id }) => id))] }
        add(await relationships.of(collection, [write.id], { properties: [name], to }))
      }
    }
  if (deletes.length > 0) add(await relationships.of(collection, deletes.map(idOf)))
  return present
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
  const targets = targetsToFind(type, objects)
  for (const [collection, asked] of Map.groupBy(targets, (target) => target.collection)) {
    const ids = [...new Set(asked.map(({ id }) => id))]
    const there = model.types.has(collection)
      ? await store.objects.existing(collection, ids)
      : await existingOutside(services.exists, collection, ids)
    for (const id of ids) if (!there.has(id)) missing.add(printReference({ collection, id }))
  }
  const occupied = await occupiedPlaces(store, placesToFill(model, type, objects))
  return {
    exists: (target) => !missing.has(printReference(target)),
    occupying: (end) => occupied.get(keyOf(end)) ?? [],
  }
}

async function existingOutside(
  exists: (target: Target) => Promise<boolean>,
  collection: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const there = new Set<string>()
  for (const id of ids) if (await exists({ collection, id })) there.add(id)
  return there
}

async function occupiedPlaces(
  { relationships }: Store,
  places: readonly RelationshipEnd[],
): Promise<ReadonlyMap<string, readonly SeenRelationship[]>> {
  const occupied: SeenRelationship[] = []
  for (const ends of Map.groupBy(
    places,
    ({ collection, property }) => `${collection} ${property}`,
  ).values()) {
    const [{ collection, property }] = ends as [RelationshipEnd]
    const ids = [...new Set(ends.map(({ id }) => id))]
    const found = await relationships.of(collection, ids, { properties: [property] })
    occupied.push(...[...found.values()].flat())
  }
  return Map.groupBy(occupied, ({ own }) => keyOf(own))
}
