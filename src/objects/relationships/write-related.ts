import { v7 as timeOrderedId } from 'uuid'
import { equal } from '../../model/equality.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { printReference, type Target } from '../../model/reference.ts'
import type {
  ObjectWrite,
  Relationship,
  RelationshipEnd,
  SeenRelationship,
  Store,
  StoredObject,
} from '../../repository/repository.ts'
import type { ObjectWriteResult } from '../../router/resources.ts'
import type { Relations } from '../type/compiled-type.ts'
import type { ObjectChange } from '../write/changes.ts'
import { failure } from '../write/failure.ts'
import { collectedValues } from './collect.ts'
import {
  type Conditional,
  conditionals,
  conditionIn,
  requireCondition,
  withConditional,
} from './conditional.ts'
import { requireConstraints } from './constraints.ts'
import { noteDependents } from './dependents.ts'
import { alwaysRead, constraintsProperty, type RelatedType, type RelationshipProperty } from './model.ts'
import { type Boundary, boundaryOf, noteBoundaries } from './temporal-triggers.ts'
import {
  changesBy,
  type Edits,
  editsIn,
  type PropertyChanges,
  shown,
  targetsOf,
  type WantedReference,
} from './wanted.ts'

/**
 * Writes a page of objects of one type together with their relationships, in the caller's transaction
 * (platform §6.1, §6.2, §6.4): relationships are changed first, then values collected along them are computed, then
 * objects are written that differ from what is stored. Objects at other ends whose values change with it, or that are to be told,
 * are written in the same transaction; what depends on an object from further away is noted (dependents.ts). A
 * fixed number of statements a page, whatever its size.
 */
export interface RelatedWrite {
  /** The content has relationships as the caller mentions them. */
  readonly write: ObjectWrite
  /** What is stored, if it has been read; the write is refused with all that belongs to it if it has changed since. */
  readonly stored?: StoredObject | undefined
  /** In place of, or besides, what the content mentions. */
  readonly edits?: Edits | undefined
  /** The object is changed even if nothing of its own is: `bump` gives it a new revision, `tell` tells of it, too. */
  readonly force?: 'bump' | 'tell' | undefined
}

export interface RelatedPage {
  /** At the places of the writes; no change where nothing changed. */
  readonly outcomes: readonly {
    readonly result: ObjectWriteResult
    readonly change: ObjectChange | undefined
  }[]
  /** What happened to objects at other ends. */
  readonly others: readonly ObjectChange[]
  /** Something depends on these objects from further away. */
  readonly pendingRecomputations: boolean
  /** When access changes next by time alone, as far as it was noted here; ms since 1970. */
  readonly due: number | undefined
}

export interface RelatedOptions {
  /** Whole objects with all relationships are wanted in the changes; otherwise what had to be read anyway. */
  readonly whole: boolean
  /** Who listens: changes of other sets are shown whole where somebody does. */
  readonly listens: (collection: string) => boolean
}

export async function writeRelated(
  store: Store,
  relations: Relations,
  writes: readonly RelatedWrite[],
  options: RelatedOptions,
): Promise<RelatedPage> {
  return new RelatedPageWrite(store, relations, options).write(writes)
}

/** True if an update would change neither the object nor its relationships; nothing is written. */
export async function isUnchanged(
  store: Store,
  relations: Relations,
  write: RelatedWrite,
  stored: StoredObject,
): Promise<boolean> {
  const options = { whole: false, listens: () => false }
  return new RelatedPageWrite(store, relations, options).isUnchanged(write, stored)
}

/** One object of the page, from what is stored to what is to be. */
interface Entry {
  readonly write: ObjectWrite
  readonly edits: Edits
  readonly stored: StoredObject | undefined
  readonly own: JsonObject
  readonly changes: Map<string, PropertyChanges>
  force: 'bump' | 'tell' | undefined
  refusal: Error | undefined
  before: ReadonlyMap<string, readonly SeenRelationship[]>
}

/** An end that is touched by a change at the other one. */
interface Touch {
  readonly end: RelationshipEnd
  /** The property at the end where the change was made. */
  readonly by: RelationshipProperty | undefined
}

class RelatedPageWrite {
  readonly #store: Store
  readonly #relations: Relations
  readonly #options: RelatedOptions
  readonly #type: RelatedType
  readonly #inserts: (Relationship & { readonly by: RelationshipProperty })[] = []
  readonly #deletes = new Map<string, SeenRelationship>()
  readonly #updates: { readonly _id: string; readonly properties: JsonObject }[] = []
  readonly #touched: Touch[] = []
  readonly #conditionals = new Map<string, readonly Conditional[]>()
  #noted = false
  #due: number | undefined

  constructor(store: Store, relations: Relations, options: RelatedOptions) {
    this.#store = store
    this.#relations = relations
    this.#options = options
    this.#type = relations.type
  }

  async write(writes: readonly RelatedWrite[]): Promise<RelatedPage> {
    const entries = await this.#entries(writes)
    await this.#plan(entries)
    await this.#requireTargets(entries)
    await this.#refuseGranted(entries)
    this.#collectChanges(entries)
    await this.#displace()
    const touched = this.#otherEnds(entries)
    const before = await this.#viewsOfOthers(touched)
    await this.#applyRelationships()
    const outcomes = await this.#writeObjects(entries)
    const others = await this.#writeOthers(touched, before)
    return { outcomes, others, pendingRecomputations: this.#noted, due: this.#due }
  }

  async isUnchanged(write: RelatedWrite, stored: StoredObject): Promise<boolean> {
    const [entry] = (await this.#entries([write], new Map([[stored._id, stored]]))) as [Entry]
    await this.#plan([entry])
    if (entry.refusal) throw entry.refusal
    const { _id, _rev, ...old } = stored
    for (const { name } of this.#type.collected) delete old[name]
    return !hasChanges(entry) && equal(entry.own, old)
  }

  async #entries(
    writes: readonly RelatedWrite[],
    known?: ReadonlyMap<string, StoredObject>,
  ): Promise<readonly Entry[]> {
    const { objects } = this.#store
    const { collection } = this.#type
    const idsOf = (...operations: string[]) =>
      writes.flatMap(({ write }) => (operations.includes(write.operation) ? [write.id] : []))
    const needed = writes.flatMap(({ write, stored }) =>
      write.operation === 'create' || stored ? [] : [write.id],
    )
    const read = known ?? (needed.length > 0 ? await objects.read(collection, needed) : new Map())
    const created = idsOf('create')
    const taken = created.length > 0 ? await objects.existing(collection, created) : new Set()
    return writes.map(({ write, stored, edits, force }) => {
      const before = stored ?? read.get(write.id)
      const path = `${collection}/${write.id}`
      const reason = write.operation === 'create' ? taken.has(write.id) && 'exists' : staleness(write, before)
      const content = write.operation === 'delete' ? {} : write.content
      const entry: Entry = {
        ...{ write, stored: before, force, before: new Map(), changes: new Map() },
        ...{ own: this.#ownPart(content), edits: edits ?? new Map() },
        refusal: reason ? failure(path, reason) : undefined,
      }
      return reason ? entry : attempted(entry, () => ({ ...entry, edits: this.#editsOf(content, edits) }))
    })
  }

  #editsOf(content: JsonObject, edits: Edits = new Map()): Edits {
    for (const field of this.#conditionFields())
      requireCondition(content[field], `${this.#type.collection}: ${field}`)
    if (this.#relations.model.dependents.has(this.#type.collection))
      requireConstraints(content[constraintsProperty], this.#type.collection)
    return new Map([...editsIn(this.#type, content), ...edits])
  }

  /** Properties that say to whom objects of this type are granted by themselves. */
  #conditionFields(): readonly string[] {
    const dependents = this.#relations.model.dependents.get(this.#type.collection) ?? []
    return dependents.flatMap(({ byCondition, properties }) => (byCondition ? [...(properties ?? [])] : []))
  }

  #conditionsOf({ own }: Entry): readonly string[] {
    return this.#conditionFields().filter((field) => conditionIn(own[field]) !== undefined)
  }

  /** Without relationships, and without values that are computed from them. */
  #ownPart(content: JsonObject): JsonObject {
    const { _id, _rev, ...own } = content
    for (const name of this.#type.properties.keys()) delete own[name]
    for (const { name } of this.#type.collected) delete own[name]
    return own
  }

  /** What becomes of the relationships of each object. */
  async #plan(entries: readonly Entry[]): Promise<void> {
    for (const property of this.#type.properties.values())
      if (property.conditions.size > 0)
        this.#conditionals.set(property.name, await conditionals(this.#store, property))
    await this.#readRelationships(entries)
    for (const entry of entries) if (!entry.refusal) attempt(entry, () => this.#planOne(entry))
  }

  #planOne(entry: Entry): void {
    if (entry.write.operation === 'delete') return
    for (const property of this.#type.properties.values()) {
      const edits = entry.edits.get(property.name) ?? []
      const governed = property.conditions.size > 0
      if (edits.length === 0 && !governed) continue
      const existing = entry.before.get(property.name) ?? []
      const changes = changesBy(property, existing, edits, governed)
      entry.changes.set(property.name, changes)
    }
    for (const [name, all] of this.#conditionals) {
      const object = this.#foreseen(entry, all)
      const holding = all.filter((one) => one.holdsFor(object)).map(({ target }) => target)
      const changes = entry.changes.get(name) ?? { inserts: [], updates: [], deletes: [] }
      entry.changes.set(name, withConditional(changes, entry.before.get(name) ?? [], holding))
    }
  }

  /** The object as conditions see it: with the relationships that they look at, as they will be. */
  #foreseen({ write, own, before, changes }: Entry, all: readonly Conditional[]): JsonObject {
    const object: JsonObject = { ...own, _id: write.id }
    for (const name of new Set(all.flatMap(({ properties }) => properties))) {
      const property = this.#type.properties.get(name)
      if (!property) continue
      const { inserts = [], deletes = [] } = changes.get(name) ?? {}
      const kept = (before.get(name) ?? []).filter(({ _id }) => !deletes.some((gone) => gone._id === _id))
      const references = [...kept.map(({ other }) => other), ...inserts.map(({ target }) => target)].map(
        (target) => ({
          ...{
            _ref: printReference(target),
            _refResourceCollection: target.collection,
            _refResourceId: target.id,
          },
        }),
      )
      object[name] = property.many ? references : (references[0] ?? null)
    }
    return object
  }

  async #readRelationships(entries: readonly Entry[]): Promise<void> {
    const { relationships } = this.#store
    const { collection } = this.#type
    const updates = entries.filter(({ write, refusal }) => write.operation === 'update' && !refusal)
    const deletes = entries.filter(({ write, refusal }) => write.operation === 'delete' && !refusal)
    const idsOf = (some: readonly Entry[]) => some.map(({ write }) => write.id)
    const byEntry = new Map<string, SeenRelationship[]>()
    const note = (found: ReadonlyMap<string, readonly SeenRelationship[]>) => {
      for (const [id, seen] of found) byEntry.set(id, [...(byEntry.get(id) ?? []), ...seen])
    }
    const whole = this.#wholeProperties(updates)
    if (updates.length > 0 && whole.size > 0)
      note(await relationships.of(collection, idsOf(updates), { properties: [...whole] }))
    for (const entry of updates) {
      for (const [name, edits] of entry.edits) {
        if (whole.has(name)) continue
        for (const [set, targets] of Map.groupBy(targetsOf(edits) ?? [], (target) => target.collection)) {
          const to = { collection: set, ids: [...new Set(targets.map(({ id }) => id))] }
          note(await relationships.of(collection, [entry.write.id], { properties: [name], to }))
        }
      }
    }
    if (deletes.length > 0) note(await relationships.of(collection, idsOf(deletes)))
    for (const entry of entries)
      entry.before = Map.groupBy(byEntry.get(entry.write.id) ?? [], ({ own }) => own.property)
  }

  /** Properties of which all relationships have to be known. */
  #wholeProperties(entries: readonly Entry[]): ReadonlySet<string> {
    if (this.#options.whole) return new Set(this.#type.properties.keys())
    const looked = [...this.#conditionals.values()].flat().flatMap(({ properties }) => properties)
    const mentioned = entries.flatMap(({ edits }) =>
      [...edits].flatMap(([name, all]) => (targetsOf(all) ? [] : [name])),
    )
    const names = [...alwaysRead(this.#type), ...looked, ...mentioned]
    return new Set(names.filter((name) => this.#type.properties.has(name)))
  }

  /** Refuses objects that refer to what is not there, where the relationship demands that it is. */
  async #requireTargets(entries: readonly Entry[]): Promise<void> {
    const wanted = entries.flatMap((entry) =>
      entry.refusal ? [] : this.#validated(entry).map((target) => ({ entry, target })),
    )
    for (const [collection, asked] of Map.groupBy(wanted, ({ target }) => target.collection)) {
      const ids = [...new Set(asked.map(({ target }) => target.id))]
      const there = await this.#existing(collection, ids)
      if (collection === this.#type.collection)
        for (const { write, refusal } of entries)
          if (write.operation === 'create' && !refusal) there.add(write.id)
      for (const { entry, target } of asked) {
        if (there.has(target.id)) continue
        const message = `${this.#type.collection}/${entry.write.id}: ${printReference(target)} does not exist`
        entry.refusal = new Problem('BAD_REQUEST', message, {
          hint: 'Create the object first, or correct the reference.',
        })
      }
    }
  }

  #validated({ changes }: Entry): readonly Target[] {
    return [...changes].flatMap(([name, { inserts }]) =>
      this.#type.properties.get(name)?.validate ? inserts.map(({ target }) => target) : [],
    )
  }

  async #existing(collection: string, ids: readonly string[]): Promise<Set<string>> {
    if (this.#relations.model.types.has(collection))
      return new Set(await this.#store.objects.existing(collection, ids))
    const there = new Set<string>()
    for (const id of ids) if (await this.#relations.services.exists({ collection, id })) there.add(id)
    return there
  }

  /** A role that somebody has is not deleted (platform §6.4). */
  async #refuseGranted(entries: readonly Entry[]): Promise<void> {
    if (!this.#type.isRole) return
    for (const entry of entries) {
      if (entry.write.operation !== 'delete' || entry.refusal) continue
      const granted = [...entry.before.values()].flat().filter((seen) => this.#isGrant(seen))
      if (granted.length === 0) continue
      const message = `${this.#type.collection}/${entry.write.id} cannot be deleted: it is granted to ${granted.length} object${granted.length === 1 ? '' : 's'}`
      entry.refusal = new Problem('CONFLICT', message, { hint: 'Take it away from everybody first.' })
    }
  }

  /** Seen from the role. */
  #isGrant({ own, other }: SeenRelationship): boolean {
    if (own.property === 'members') return true
    const holder = this.#relations.model.types.get(other.collection)
    return holder?.collected.some(({ paths }) => paths.some(([first]) => first === other.property)) ?? false
  }

  #collectChanges(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.refusal) continue
      if (entry.write.operation === 'delete') {
        for (const [property, all] of entry.before)
          for (const seen of all) this.#remove(seen, this.#type.properties.get(property))
        continue
      }
      for (const [name, { inserts, updates, deletes }] of entry.changes) {
        const property = this.#type.properties.get(name) as RelationshipProperty
        for (const seen of deletes) this.#remove(seen, property)
        for (const { before, properties } of updates) {
          this.#updates.push({ _id: before._id, properties })
          this.#touched.push({ end: before.other, by: property })
        }
        for (const wanted of inserts) this.#insert(entry.write.id, property, wanted)
      }
    }
  }

  #remove(seen: SeenRelationship, by: RelationshipProperty | undefined): void {
    if (this.#deletes.has(seen._id)) return
    this.#deletes.set(seen._id, seen)
    this.#touched.push({ end: seen.other, by })
  }

  #insert(
    id: string,
    property: RelationshipProperty,
    { target, id: own, properties }: WantedReference,
  ): void {
    // Where the other set is not ours, or has no such property, the relationship is seen at this end only.
    const reverse = this.#relations.model.types.get(target.collection)?.properties.has(property.reverse)
    const second = { ...target, property: reverse ? property.reverse : '' }
    const first = { collection: property.collection, id, property: property.name }
    this.#inserts.push({ _id: own ?? timeOrderedId(), first, second, properties, by: property })
    this.#touched.push({ end: second, by: property })
  }

  /** An end that has room for one relationship gives up the one that it had. */
  async #displace(): Promise<void> {
    this.#keepLastOfSingles()
    const single = this.#inserts.filter(({ second }) => this.#propertyAt(second)?.many === false)
    const places = Map.groupBy(single, ({ second }) => `${second.collection} ${second.property}`)
    for (const inserts of places.values()) {
      const { collection, property } = (inserts[0] as Relationship).second
      const ids = [...new Set(inserts.map(({ second }) => second.id))]
      const found = await this.#store.relationships.of(collection, ids, { properties: [property] })
      for (const seen of [...found.values()].flat()) {
        if (this.#deletes.has(seen._id)) continue
        this.#remove(seen, this.#propertyAt(seen.own))
        this.#touched.push({ end: seen.own, by: this.#propertyAt(seen.other) })
      }
    }
  }

  /** Of several in one page for the same place the last one stays. */
  #keepLastOfSingles(): void {
    const last = new Map<string, Relationship>()
    for (const insert of this.#inserts)
      for (const end of [insert.first, insert.second])
        if (this.#propertyAt(end)?.many === false) last.set(keyOf(end), insert)
    const kept = this.#inserts.filter((insert) =>
      [insert.first, insert.second].every((end) => (last.get(keyOf(end)) ?? insert) === insert),
    )
    this.#inserts.splice(0, this.#inserts.length, ...kept)
  }

  #propertyAt({ collection, property }: RelationshipEnd): RelationshipProperty | undefined {
    return this.#relations.model.types.get(collection)?.properties.get(property)
  }

  /** What the touched ends come to; those of this page only make their entries change. */
  #otherEnds(entries: readonly Entry[]): ReadonlyMap<string, OtherEnd> {
    const own = new Map(entries.map((entry) => [entry.write.id, entry]))
    const others = new Map<string, OtherEnd>()
    for (const { end, by } of this.#touched) {
      const type = this.#relations.model.types.get(end.collection)
      if (!type) continue
      const property = type.properties.get(end.property)
      const told = property?.notifySelf === true || by?.notifies.has(end.collection) === true
      const collects = type.collected.some(({ paths }) => paths.some(([first]) => first === end.property))
      const bumped = property !== undefined && (!property.many || property.returnedByDefault)
      const force = told ? 'tell' : bumped ? 'bump' : undefined
      const entry = end.collection === this.#type.collection ? own.get(end.id) : undefined
      if (entry) {
        entry.force = stronger(entry.force, force)
        continue
      }
      const key = `${end.collection}/${end.id}`
      const known = others.get(key)
      others.set(key, {
        type,
        id: end.id,
        force: stronger(known?.force, force),
        writes: known?.writes === true || force !== undefined || collects,
        properties: new Set([...(known?.properties ?? []), ...(end.property ? [end.property] : [])]),
      })
    }
    return others
  }

  /** As they are seen before anything changes. */
  async #viewsOfOthers(others: ReadonlyMap<string, OtherEnd>): Promise<Views> {
    const views = new Map<string, Map<string, readonly SeenRelationship[]>>()
    for (const [type, own] of Map.groupBy(written(others), (other) => other.type)) {
      const properties = this.#options.listens(type.collection)
        ? [...type.properties.keys()]
        : [...new Set(own.flatMap((other) => [...other.properties]))].filter((name) => !isLarge(type, name))
      if (properties.length === 0) continue
      const ids = own.map(({ id }) => id)
      const found = await this.#store.relationships.of(type.collection, ids, { properties })
      for (const [id, seen] of found)
        views.set(
          `${type.collection}/${id}`,
          Map.groupBy(seen, (one) => one.own.property),
        )
    }
    return views
  }

  async #applyRelationships(): Promise<void> {
    const { relationships } = this.#store
    if (this.#deletes.size > 0) await relationships.delete([...this.#deletes.keys()])
    if (this.#updates.length > 0) await relationships.update(this.#updates)
    if (this.#inserts.length > 0) await relationships.insert(this.#inserts.map(({ by, ...one }) => one))
  }

  async #writeObjects(entries: readonly Entry[]): Promise<RelatedPage['outcomes']> {
    const { collection } = this.#type
    const living = entries.filter(({ refusal, write }) => !refusal && write.operation !== 'delete')
    const { now } = this.#relations.services
    const time = now()
    const ids = living.map(({ write }) => write.id)
    const after = await this.#relationshipsAfter(living)
    const known = { properties: [...this.#wholeProperties(living)], seen: after }
    const { model } = this.#relations
    const collected = await collectedValues(this.#store, model, this.#type, ids, time, known)
    const writes: ObjectWrite[] = []
    const places = new Map<Entry, number>()
    for (const entry of entries) {
      if (entry.refusal) continue
      const write = finalWrite(entry, collected.get(entry.write.id) ?? {})
      if (write) places.set(entry, writes.push(write) - 1)
    }
    const written = writes.length > 0 ? await this.#store.objects.write(collection, writes) : []
    const boundaries: Boundary[] = []
    for (const { write } of living) {
      const relationships = [...(after.get(write.id) ?? [])].filter((seen) => isFirst(this.#type, seen))
      const due = boundaryOf('content' in write ? write.content : {}, relationships, time)
      if (due !== undefined) boundaries.push({ collection, id: write.id, due })
    }
    await noteBoundaries(this.#store, boundaries)
    this.#dueAt(...boundaries.map(({ due }) => due))
    const outcomes = entries.map((entry) => {
      if (entry.refusal) return { result: { ok: false as const, error: entry.refusal }, change: undefined }
      const place = places.get(entry)
      if (place === undefined)
        return { result: { ok: true as const, object: entry.stored as StoredObject }, change: undefined }
      const outcome = written[place]
      if (!outcome?.ok) {
        // Read before the transaction, and changed since: what the page did to relationships is taken back with it.
        throw failure(`${collection}/${entry.write.id}`, outcome?.reason ?? 'missing')
      }
      return { result: outcome, change: this.#changeOf(entry, outcome.object, after) }
    })
    await this.#note(entries, outcomes)
    return outcomes
  }

  async #relationshipsAfter(
    living: readonly Entry[],
  ): Promise<ReadonlyMap<string, readonly SeenRelationship[]>> {
    const properties = [...this.#wholeProperties(living)]
    if (properties.length === 0 || living.length === 0) return new Map()
    const ids = living.map(({ write }) => write.id)
    return this.#store.relationships.of(this.#type.collection, ids, { properties })
  }

  #changeOf(
    entry: Entry,
    object: StoredObject,
    after: ReadonlyMap<string, readonly SeenRelationship[]>,
  ): ObjectChange | undefined {
    const { operation, id } = entry.write
    const { collection } = this.#type
    const silent = entry.force === 'bump' && entry.stored !== undefined && !differs(entry, object)
    if (silent) return undefined
    const before =
      entry.stored && withRelationships(this.#type, entry.stored, entry.before, this.#properties(entry))
    const seen = Map.groupBy(after.get(id) ?? [], ({ own }) => own.property)
    return {
      ...{ operation, path: collection, id, before },
      after:
        operation === 'delete'
          ? undefined
          : withRelationships(this.#type, object, seen, this.#properties(entry)),
    }
  }

  /** Those that a change shows. */
  #properties(entry: Entry): readonly string[] {
    if (entry.write.operation === 'delete') return [...this.#type.properties.keys()]
    return [...this.#wholeProperties([entry])]
  }

  /** What depends on these objects from further away has to be looked at when they are stored. */
  async #note(entries: readonly Entry[], outcomes: RelatedPage['outcomes']): Promise<void> {
    const changed = entries.flatMap((entry, at) => {
      const result = outcomes[at]?.result
      if (!result?.ok || entry.write.operation === 'delete') return []
      // Nothing depends on a new object, save those for whom its condition holds.
      if (entry.write.operation === 'create')
        return [{ collection: this.#type.collection, id: entry.write.id, changed: this.#conditionsOf(entry) }]
      const relationships = [...entry.changes]
        .filter(([, changes]) => isChange(changes))
        .map(([name]) => name)
      const names = entry.stored ? changedNames(entry.stored, result.object as StoredObject) : []
      return [
        { collection: this.#type.collection, id: entry.write.id, changed: [...names, ...relationships] },
      ]
    })
    if (await noteDependents(this.#store, this.#relations.model, changed)) this.#noted = true
  }

  /** Objects at other ends: written where they change, have to be told, or need a new revision. */
  async #writeOthers(others: ReadonlyMap<string, OtherEnd>, before: Views): Promise<readonly ObjectChange[]> {
    const touched = [...others.values()].map(({ type: { collection }, id, properties }) => ({
      ...{ collection, id, changed: [...properties] },
    }))
    if (await noteDependents(this.#store, this.#relations.model, touched)) this.#noted = true
    const changes: ObjectChange[] = []
    for (const [type, own] of Map.groupBy(written(others), (other) => other.type)) {
      const relations = { ...this.#relations, type }
      const ids = own.map(({ id }) => id)
      const stored = await this.#store.objects.read(type.collection, ids)
      const writes = own.flatMap(({ id, force }) => {
        const object = stored.get(id)
        return object ? [{ write: { operation: 'update' as const, id, content: { ...object } }, force }] : []
      })
      const options = { ...this.#options, whole: this.#options.listens(type.collection) }
      const page = await writeRelated(this.#store, relations, writes, options)
      for (const { change } of page.outcomes) {
        if (!change) continue
        const seen = before.get(`${type.collection}/${change.id}`)
        const shownThere = Object.keys(change.after ?? {}).filter((name) => type.properties.has(name))
        changes.push({
          ...change,
          before: change.before && withRelationships(type, change.before, seen ?? new Map(), shownThere),
        })
      }
      changes.push(...page.others)
      this.#noted ||= page.pendingRecomputations
      if (page.due !== undefined) this.#dueAt(page.due)
    }
    return changes
  }

  #dueAt(...times: readonly number[]): void {
    for (const time of times) this.#due = Math.min(this.#due ?? time, time)
  }
}

/** What a touched object at another end comes to. */
interface OtherEnd {
  readonly type: RelatedType
  readonly id: string
  readonly force: 'bump' | 'tell' | undefined
  readonly writes: boolean
  readonly properties: ReadonlySet<string>
}

type Views = ReadonlyMap<string, ReadonlyMap<string, readonly SeenRelationship[]>>

function keyOf({ collection, id, property }: RelationshipEnd): string {
  return `${collection}/${id} ${property}`
}

function written(others: ReadonlyMap<string, OtherEnd>): readonly OtherEnd[] {
  return [...others.values()].filter(({ writes }) => writes)
}

function stronger(a: Entry['force'], b: Entry['force']): Entry['force'] {
  return a === 'tell' || b === 'tell' ? 'tell' : (a ?? b)
}

function staleness(
  write: ObjectWrite & { operation: 'update' | 'delete' },
  stored: StoredObject | undefined,
): 'missing' | 'changed' | undefined {
  if (!stored) return 'missing'
  return write.rev !== undefined && write.rev !== stored._rev ? 'changed' : undefined
}

function attempt(entry: Entry, work: () => void): void {
  try {
    work()
  } catch (error) {
    entry.refusal = asProblem(error)
  }
}

function attempted(entry: Entry, work: () => Entry): Entry {
  try {
    return work()
  } catch (error) {
    return { ...entry, refusal: asProblem(error) }
  }
}

function isChange({ inserts, updates, deletes }: PropertyChanges): boolean {
  return inserts.length + updates.length + deletes.length > 0
}

function hasChanges({ changes }: Entry): boolean {
  return [...changes.values()].some(isChange)
}

/** Undefined if there is nothing to write. */
function finalWrite(entry: Entry, collected: JsonObject): ObjectWrite | undefined {
  const { write, own, stored, force } = entry
  if (write.operation === 'delete') return write
  const content = { ...own, ...collected }
  if (write.operation === 'create') return { operation: 'create', id: write.id, content }
  const { _id, _rev, ...old } = stored as StoredObject
  if (force === undefined && !hasChanges(entry) && equal(content, old)) return undefined
  return { operation: 'update', id: write.id, rev: _rev, content }
}

function differs(entry: Entry, { _id, _rev, ...now }: StoredObject): boolean {
  const { _id: _, _rev: __, ...old } = entry.stored as StoredObject
  return hasChanges(entry) || !equal(now, old)
}

function changedNames(before: StoredObject, after: StoredObject): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => name !== '_rev' && !equal(before[name], after[name]))
}

/** Not worth reading for a change that nobody carries on: it may have any number of relationships. */
function isLarge(type: RelatedType, name: string): boolean {
  return !alwaysRead(type).includes(name) && type.properties.get(name)?.many === true
}

function isFirst(type: RelatedType, { own, properties }: SeenRelationship): boolean {
  return properties[constraintsProperty] !== undefined && alwaysRead(type).includes(own.property)
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
    if (property) values[name] = shown(property, seen.get(name) ?? [])
  }
  return { ...object, ...values }
}
