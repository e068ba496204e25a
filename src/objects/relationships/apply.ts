import { v7 as timeOrderedId } from 'uuid'
import { equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ObjectWrite, ObjectWriteOutcome, StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import type { Relations } from '../type/compile.ts'
import type { ObjectChange } from '../write/changes.ts'
import type { Outcome, WriteResult, WrittenPage } from '../write/entry.ts'
import { failure } from '../write/failure.ts'
import { collectedValues } from './collect.ts'
import { conditionIn } from './conditions.ts'
import { noteDependents } from './dependents.ts'
import { objectFacts, pageFacts, presentOf, wantedObjects } from './facts.ts'
import { alwaysRead, type RelatedType } from './model.ts'
import { type OtherEnd, type Plan, planPage } from './plan.ts'
import {
  type Conditionals,
  changesRelationships,
  isChange,
  type PlannedObject,
  type Present,
  planObject,
  wholeProperties,
} from './plan-object.ts'
import { nextTriggerOf, noteTemporalTriggers, type TemporalTrigger } from './temporal-triggers.ts'
import { conditionFields, type RefusedObject, type RelatedWrite, withRelationships } from './wanted.ts'

const none: Present = new Map()

export interface RelatedOptions {
  /** Whole objects with all relationships are wanted in the changes; otherwise what had to be read anyway. */
  readonly whole: boolean
  /** Changes of such sets are shown whole. */
  readonly isSynchronized: (collection: string) => boolean
}

/**
 * Writes a page of objects of one type together with their relationships, in the caller's transaction (platform
 * §6.1, §6.2, §6.4): what is wanted, and what is present, make a plan (plan.ts); it is performed here.
 * Relationships are changed first, then values collected along them are computed, then objects are written that differ
 * from what is stored. Objects at other ends whose values change with it, or that are to be told, are written in the same
 * transaction; what depends on an object from further away is noted (dependents.ts). A fixed number of statements a page.
 */
export async function writeRelated(
  store: Store,
  relations: Relations,
  writes: readonly RelatedWrite[],
  options: RelatedOptions,
): Promise<WrittenPage> {
  const { model, type } = relations
  const { planned, conditionals } = await plannedObjects(store, relations, writes, options.whole)
  const facts = await pageFacts(store, relations, planned)
  const plan = planPage(model, type, planned, facts, timeOrderedId)
  const own = { store, relations, options, conditionals }
  const before = await viewsOfOthers(own, plan.others)
  await writeRows(store, plan)
  const page = await writeObjects(own, plan)
  return joined([page, ...(await writeOthers(own, plan.others, before))])
}

/** True if an update would change neither the object nor its relationships; nothing is written. */
export async function isUnchanged(
  store: Store,
  relations: Relations,
  write: RelatedWrite & { readonly stored: StoredObject },
): Promise<boolean> {
  const { planned } = await plannedObjects(store, relations, [write], false)
  return planned.every((object) => {
    if (object.kind === 'refused') throw object.error
    const { _id, _rev, ...old } = write.stored
    for (const { name } of relations.type.collected) delete old[name]
    return !changesRelationships(object) && equal(object.own, old)
  })
}

async function plannedObjects(
  store: Store,
  relations: Relations,
  writes: readonly RelatedWrite[],
  whole: boolean,
): Promise<{
  readonly planned: readonly (PlannedObject | RefusedObject)[]
  readonly conditionals: Conditionals
}> {
  const { type } = relations
  const wanted = await wantedObjects(store, relations, writes)
  const { conditionals, present } = await objectFacts(store, type, wanted, whole)
  const planned = wanted.map((object) =>
    object.kind === 'wanted'
      ? planObject(type, object, { present: present.get(object.write.id) ?? none, conditionals })
      : object,
  )
  return { planned, conditionals }
}

async function writeRows({ relationships }: Store, { inserts, updates, deletes }: Plan): Promise<void> {
  if (deletes.length > 0) await relationships.delete(deletes)
  if (updates.length > 0) await relationships.update(updates)
  if (inserts.length > 0) await relationships.insert(inserts)
}

/** The work on one page. */
interface Work {
  readonly store: Store
  readonly relations: Relations
  readonly options: RelatedOptions
  readonly conditionals: Conditionals
}

async function writeObjects(work: Work, { objects }: Plan): Promise<WrittenPage> {
  const { store, relations } = work
  const { type, model, services } = relations
  const planned = objects.filter((object) => object.kind === 'planned')
  const living = planned.filter(({ write }) => write.operation !== 'delete')
  const ids = living.map(({ write }) => write.id)
  const time = services.now()
  const names = wholeProperties(type, work.conditionals, living, work.options.whole)
  const seen = await presentOf(store, type.collection, ids, names)
  const collected = await collectedValues(store, model, type, ids, time, { properties: names, seen })
  const pending = new Map(
    planned.flatMap((object) => {
      const write = finalWrite(object, collected.get(object.write.id) ?? {})
      return write ? [[object, write] as const] : []
    }),
  )
  const written = await writeAll(store, type, pending)
  const triggers = living.flatMap(({ write }) => triggerOf(type, write, seen.get(write.id), time))
  await noteTemporalTriggers(store, triggers)
  const outcomes = objects.map((object): Outcome => {
    if (object.kind === 'refused') return { result: { ok: false, error: object.error }, change: undefined }
    const result = written.get(object)
    if (!result) return { result: unwritten(object), change: undefined }
    return { result, change: changeOf(work, object, result.object, seen.get(object.write.id) ?? none) }
  })
  const pendingRecomputations = await noteDependents(store, model, changedBy(relations, objects, outcomes))
  const due = triggers.length > 0 ? Math.min(...triggers.map((one) => one.due)) : undefined
  return { outcomes, others: [], pendingRecomputations, due }
}

function unwritten({ stored, write }: PlannedObject): WriteResult {
  return stored ? { ok: true, object: stored } : { ok: false, error: failure(write.id, 'missing') }
}

type Written = ObjectWriteOutcome & { readonly ok: true }

async function writeAll(
  { objects }: Store,
  { collection }: RelatedType,
  pending: ReadonlyMap<PlannedObject, ObjectWrite>,
): Promise<ReadonlyMap<PlannedObject, Written>> {
  if (pending.size === 0) return new Map()
  const outcomes = await objects.write(collection, [...pending.values()])
  return new Map(
    [...pending].map(([object, { id }], at) => {
      const outcome = outcomes[at]
      // Read before the transaction, and changed since: what the page did to relationships is taken back with it.
      if (!outcome?.ok) throw failure(`${collection}/${id}`, outcome?.reason ?? 'missing')
      return [object, outcome]
    }),
  )
}

/** Undefined if there is nothing to write. */
function finalWrite(object: PlannedObject, collected: JsonObject): ObjectWrite | undefined {
  const { write, own, stored, force } = object
  if (write.operation === 'delete') return write
  const content = { ...own, ...collected }
  if (write.operation === 'create') return { operation: 'create', id: write.id, content }
  const { _id, _rev, ...old } = stored ?? {}
  if (force === undefined && !changesRelationships(object) && equal(content, old)) return undefined
  return { operation: 'update', id: write.id, rev: stored?._rev, content }
}

function triggerOf(
  type: RelatedType,
  write: ObjectWrite,
  seen: Present = none,
  now: number,
): readonly TemporalTrigger[] {
  const limited = alwaysRead(type).flatMap((name) => seen.get(name) ?? [])
  const due = nextTriggerOf(write.operation === 'delete' ? {} : write.content, limited, now)
  return due === undefined ? [] : [{ collection: type.collection, id: write.id, due }]
}

function changeOf(
  work: Work,
  object: PlannedObject,
  result: StoredObject,
  seen: Present,
): ObjectChange | undefined {
  const { relations, conditionals, options } = work
  const { type } = relations
  const { write, stored, force, present } = object
  const { operation, id } = write
  if (
    force === 'bump' &&
    stored &&
    !changesRelationships(object) &&
    changedNames(stored, result).length === 0
  )
    return undefined
  const names =
    operation === 'delete'
      ? [...type.properties.keys()]
      : wholeProperties(type, conditionals, [object], options.whole)
  return {
    ...{ operation, path: type.collection, id },
    before: stored && withRelationships(type, stored, present, names),
    after: operation === 'delete' ? undefined : withRelationships(type, result, seen, names),
  }
}

function changedNames(before: JsonObject, after: JsonObject): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => name !== '_rev' && !equal(before[name], after[name]))
}

/** What others may depend on from further away. */
function changedBy(
  { model, type }: Relations,
  objects: Plan['objects'],
  outcomes: readonly Outcome[],
): Parameters<typeof noteDependents>[2] {
  const { collection } = type
  return objects.flatMap((object, at) => {
    const result = outcomes[at]?.result
    const { id, operation } = object.write
    if (object.kind === 'refused' || !result?.ok || operation === 'delete') return []
    // Nothing depends on a new object, save those for whom its condition holds.
    if (operation === 'create') {
      const changed = conditionFields(model, type).filter(
        (field) => conditionIn(object.own[field]) !== undefined,
      )
      return [{ collection, id, changed }]
    }
    const relationships = [...object.changes].flatMap(([name, changes]) => (isChange(changes) ? [name] : []))
    const names = object.stored ? changedNames(object.stored, result.object) : []
    return [{ collection, id, changed: [...names, ...relationships] }]
  })
}

type Views = ReadonlyMap<RelatedType, ReadonlyMap<string, Present>>

/** As they are seen before anything changes. */
async function viewsOfOthers({ store, options }: Work, others: readonly OtherEnd[]): Promise<Views> {
  const views = new Map<RelatedType, ReadonlyMap<string, Present>>()
  for (const [type, own] of byType(others)) {
    const touched = new Set(own.flatMap(({ properties }) => [...properties]))
    const properties = options.isSynchronized(type.collection)
      ? [...type.properties.keys()]
      : [...touched].filter((name) => !isLarge(type, name))
    const ids = own.map(({ id }) => id)
    views.set(type, await presentOf(store, type.collection, ids, properties))
  }
  return views
}

/** Those that are written. */
function byType(others: readonly OtherEnd[]): ReadonlyMap<RelatedType, readonly OtherEnd[]> {
  return Map.groupBy(
    others.filter(({ isWritten }) => isWritten),
    ({ type }) => type,
  )
}

/** Not worth reading for a change that is not synchronized: it may have any number of relationships. */
function isLarge(type: RelatedType, name: string): boolean {
  return !alwaysRead(type).includes(name) && type.properties.get(name)?.many === true
}

/** Objects at other ends: written where they change, have to be told, or need a new revision. */
async function writeOthers(
  { store, relations, options }: Work,
  others: readonly OtherEnd[],
  before: Views,
): Promise<readonly WrittenPage[]> {
  const touched = others.map(({ type: { collection }, id, properties }) => ({
    ...{ collection, id, changed: [...properties] },
  }))
  const pendingRecomputations = await noteDependents(store, relations.model, touched)
  const pages: WrittenPage[] = [{ outcomes: [], others: [], pendingRecomputations, due: undefined }]
  for (const [type, own] of byType(others)) {
    const ids = own.map(({ id }) => id)
    const stored = await store.objects.read(type.collection, ids)
    const writes = own.flatMap(({ id, force }): readonly RelatedWrite[] => {
      const object = stored.get(id)
      return object
        ? [{ write: { operation: 'update', id, content: { ...object } }, stored: object, force }]
        : []
    })
    const whole = options.isSynchronized(type.collection)
    const page = await writeRelated(store, { ...relations, type }, writes, { ...options, whole })
    const changes = page.outcomes.flatMap(({ change }) => (change ? [seenBefore(type, change, before)] : []))
    pages.push({ ...page, outcomes: [], others: [...changes, ...page.others] })
  }
  return pages
}

/** The relationships of an object at another end had changed already when it was read. */
function seenBefore(type: RelatedType, change: ObjectChange, views: Views): ObjectChange {
  const seen = views.get(type)?.get(change.id) ?? none
  const names = Object.keys(change.after ?? {}).filter((name) => type.properties.has(name))
  return { ...change, before: change.before && withRelationships(type, change.before, seen, names) }
}

function joined(pages: readonly WrittenPage[]): WrittenPage {
  const times = pages.flatMap(({ due }) => due ?? [])
  return {
    outcomes: pages.flatMap(({ outcomes }) => outcomes),
    others: pages.flatMap(({ others }) => others),
    pendingRecomputations: pages.some((page) => page.pendingRecomputations),
    due: times.length > 0 ? Math.min(...times) : undefined,
  }
}
