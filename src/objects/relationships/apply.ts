import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ObjectWrite, ObjectWriteOutcome, StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import { failure, type ObjectChange } from '../write/changes.ts'
import { type Outcome, refused, type WrittenPage } from '../write/entry.ts'
import { collectedValues } from './collect.ts'
import { conditionIn } from './conditions.ts'
import { type Changed, noteDependents } from './dependents.ts'
import { pageFacts, plannedObjects, presentOf, type RelatedPage } from './facts.ts'
import { alwaysRead, type Related, type RelatedType } from './model.ts'
import { type OtherEnd, type Plan, planPage } from './plan.ts'
import {
  type Conditionals,
  changesRelationships,
  isChange,
  type PlannedObject,
  type Present,
  wholeProperties,
} from './plan-object.ts'
import { earliest, nextTriggerOf, noteTemporalTriggers, type TemporalTrigger } from './temporal-triggers.ts'
import { conditionFields, type Force, type RelatedWrite, withRelationships } from './wanted.ts'

const none: Present = new Map()

export interface RelatedWork extends RelatedPage {
  /** Changes of such sets are shown whole: with all relationships, not only those that had to be read anyway. */
  readonly isSynchronized: (collection: string) => boolean
}

/**
 * Writes a page of objects of one type together with their relationships, in the caller's transaction (platform
 * §6.1, §6.2, §6.4): what is wanted, and what is present, make a plan (plan.ts); it is performed here.
 * Relationships are changed first, then values collected along them are computed, then objects are written that differ
 * from what is stored. Objects at other ends whose values change with it, or whose change is to be synchronized, are written
 * in the same transaction; what depends on an object from further away is noted (dependents.ts). A fixed number of statements
 * a page.
 */
export async function writeRelated(work: RelatedWork, writes: readonly RelatedWrite[]): Promise<WrittenPage> {
  const { store, relations } = work
  const { planned, conditionals } = await plannedObjects(work, writes)
  const plan = planPage(relations, planned, await pageFacts(work, planned), timeOrderedId)
  const others = Map.groupBy(
    plan.others.filter(({ isWritten }) => isWritten),
    ({ type }) => type,
  )
  const before = await viewsOf(work, others)
  await writeRows(store, plan)
  const page = await writeObjects({ ...work, conditionals }, plan)
  return joined([page, ...(await writeOthers(work, others, before))])
}

/** True if an update would change neither the object nor its relationships; nothing is written. */
export async function isUnchanged(
  page: Omit<RelatedPage, 'whole'>,
  write: RelatedWrite & { readonly stored: StoredObject },
): Promise<boolean> {
  const { planned } = await plannedObjects({ ...page, whole: false }, [write])
  return planned.every((object) => {
    if (object.kind === 'refused') throw object.error
    const { _id, _rev, ...old } = write.stored
    for (const { name } of page.relations.type.collected) delete old[name]
    return !changesRelationships(object) && equal(object.own, old)
  })
}

async function writeRows({ relationships }: Store, { inserts, updates, deletes }: Plan): Promise<void> {
  if (deletes.length > 0) await relationships.delete(deletes)
  if (updates.length > 0) await relationships.update(updates)
  if (inserts.length > 0) await relationships.insert(inserts)
}

type Work = RelatedWork & { readonly conditionals: Conditionals }

async function writeObjects(work: Work, { objects, others }: Plan): Promise<WrittenPage> {
  const { store, relations, conditionals, whole } = work
  const { type, model, services } = relations
  const planned = objects.filter((object) => object.kind === 'planned')
  const living = planned.filter(({ write }) => write.operation !== 'delete')
  const ids = living.map(({ write }) => write.id)
  const time = services.now()
  const names = wholeProperties(type, conditionals, living, whole)
  const seen = await presentOf(store, type.collection, ids, names)
  const collected = await collectedValues(store, relations, ids, time, { properties: names, seen })
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
    const { id } = object.write
    const result = written.get(object)
    if (result) return { result, change: changeOf(work, object, result.object, seen.get(id) ?? none) }
    const { stored } = object
    const unwritten = stored ? { ok: true as const, object: stored } : refused(failure(id, 'missing'))
    return { result: unwritten, change: undefined }
  })
  const changed = [...changedBy(relations, objects, outcomes), ...others.map(changedEnd)]
  const pendingRecomputations = await noteDependents(store, model, changed)
  return { outcomes, others: [], pendingRecomputations, due: earliest(triggers.map(({ due }) => due)) }
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
  { relations: { type }, conditionals, whole }: Work,
  object: PlannedObject,
  result: StoredObject,
  seen: Present,
): ObjectChange | undefined {
  const { write, stored, force, present } = object
  const { operation, id } = write
  const isOnlyNew = !changesRelationships(object) && stored && changedNames(stored, result).length === 0
  if (force === 'bump' && isOnlyNew) return undefined
  const names =
    operation === 'delete'
      ? [...type.properties.keys()]
      : wholeProperties(type, conditionals, [object], whole)
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
  related: Related,
  objects: Plan['objects'],
  outcomes: readonly Outcome[],
): readonly Changed[] {
  const { collection } = related.type
  return objects.flatMap((object, at) => {
    const result = outcomes[at]?.result
    const { id, operation } = object.write
    if (object.kind === 'refused' || !result?.ok || operation === 'delete') return []
    // Nothing depends on a new object, save those for which its condition holds.
    if (operation === 'create') {
      const changed = conditionFields(related).filter((field) => conditionIn(object.own[field]) !== undefined)
      return [{ collection, id, changed }]
    }
    const relationships = [...object.changes].flatMap(([name, changes]) => (isChange(changes) ? [name] : []))
    const names = object.stored ? changedNames(object.stored, result.object) : []
    return [{ collection, id, changed: [...names, ...relationships] }]
  })
}

function changedEnd({ type: { collection }, id, properties }: OtherEnd): Changed {
  return { collection, id, changed: [...properties] }
}

type Others = ReadonlyMap<RelatedType, readonly OtherEnd[]>
type Views = ReadonlyMap<RelatedType, ReadonlyMap<string, Present>>

/** As they are seen before anything changes. */
async function viewsOf({ store, isSynchronized }: RelatedWork, others: Others): Promise<Views> {
  const views = new Map<RelatedType, ReadonlyMap<string, Present>>()
  for (const [type, own] of others) {
    const touched = new Set(own.flatMap(({ properties }) => [...properties]))
    const properties = isSynchronized(type.collection)
      ? [...type.properties.keys()]
      : [...touched].filter((name) => !isLarge(type, name))
    const ids = own.map(({ id }) => id)
    views.set(type, await presentOf(store, type.collection, ids, properties))
  }
  return views
}

/** Not worth reading for a change that is not synchronized: it may have any number of relationships. */
function isLarge(type: RelatedType, name: string): boolean {
  return !alwaysRead(type).includes(name) && type.properties.get(name)?.many === true
}

/** Objects at other ends: written where they change, have to be synchronized, or need a new revision. */
async function writeOthers(
  work: RelatedWork,
  others: Others,
  before: Views,
): Promise<readonly WrittenPage[]> {
  const pages: WrittenPage[] = []
  for (const [type, own] of others) {
    const forces = new Map(own.map(({ id, force }) => [id, force]))
    const page = await rewriteObjects({ ...work, relations: { ...work.relations, type } }, forces)
    const changes = page.outcomes.flatMap(({ change }) => (change ? [seenBefore(type, change, before)] : []))
    pages.push({ ...page, outcomes: [], others: [...changes, ...page.others] })
  }
  return pages
}

/** Writes objects as they are stored: what depends on others is computed anew. */
export async function rewriteObjects(
  work: Omit<RelatedWork, 'whole'>,
  forces: ReadonlyMap<string, Force | undefined>,
): Promise<WrittenPage> {
  const { collection } = work.relations.type
  const read = await work.store.objects.read(collection, [...forces.keys()])
  const writes = [...forces].flatMap(([id, force]): readonly RelatedWrite[] => {
    const stored = read.get(id)
    return stored ? [{ write: { operation: 'update', id, content: { ...stored } }, stored, force }] : []
  })
  return writeRelated({ ...work, whole: work.isSynchronized(collection) }, writes)
}

/** The relationships of an object at another end had changed already when it was read. */
function seenBefore(type: RelatedType, change: ObjectChange, views: Views): ObjectChange {
  const seen = views.get(type)?.get(change.id) ?? none
  const names = Object.keys(change.after ?? {}).filter((name) => type.properties.has(name))
  return { ...change, before: change.before && withRelationships(type, change.before, seen, names) }
}

function joined(pages: readonly WrittenPage[]): WrittenPage {
  return {
    outcomes: pages.flatMap(({ outcomes }) => outcomes),
    others: pages.flatMap(({ others }) => others),
    pendingRecomputations: pages.some((page) => page.pendingRecomputations),
    due: earliest(pages.map(({ due }) => due)),
  }
}
