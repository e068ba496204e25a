import type { Filter } from '../model/filter/filter.ts'
import type { JsonObject } from '../model/json.ts'
import type { Pointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { splitPath } from '../model/resource-path.ts'
import { Unreadable } from '../model/unreadable.ts'
import type { StoredObject } from '../repository/objects.ts'
import type { Repository, Store } from '../repository/repository.ts'
import type { Entry, ObjectSet, RequestContext } from '../router/resources.ts'
import type { ScriptOutcome } from '../scripts/engine.ts'
import { asRead } from './read/as-read.ts'
import { engine, readPages } from './read/pages.ts'
import { storeFilter, type View, viewed } from './relationships/view.ts'
import type { CompiledType, RelationServices } from './type/compile.ts'
import { compensates } from './type/scripts.ts'
import { nothingSynchronized, type OnChange } from './write/changes.ts'
import type { Apply, ManagedWrite } from './write/entry.ts'
import { changesForms, heldContent } from './write/held.ts'
import { judgeOf } from './write/judge.ts'
import { writer } from './write/pipeline.ts'

/**
 * The objects of one managed type (platform §6.2), for REST and for the engine. They are read and written in the caller's
 * transaction, if there is one, unless the type has scripts for writes. There is one way to read them:
 *
 *     stored → view (relationships, collected values) → retrieval (scripts) → visible (what the caller may see)
 *
 * A type that has nothing to do in a stage passes it. The engine sees everything, so it ends before the last stage. What it
 * reads in pages has gone through the same stages as what it reads by id, a page at a time (read/pages.ts).
 */
export interface ManagedSet extends ObjectSet {
  readonly compiled: CompiledType
  readonly store: Store
  /** Without the scripts for reads. */
  stored(id: string): Promise<StoredObject | undefined>
  /** The same; NOT_FOUND if there is none. */
  required(id: string): Promise<StoredObject>
  /** A filter as the store understands it. */
  filter(filter: Filter): Promise<Filter>
  view(objects: readonly StoredObject[], view?: View): Promise<readonly StoredObject[]>
  /** With what scripts compute, at their places. Throws what the first script that fails throws. */
  retrieved(objects: readonly StoredObject[], request: RequestContext): Promise<readonly StoredObject[]>
  /** The same for the engine; an object whose scripts fail cannot be read, and the others can. */
  entries(objects: readonly StoredObject[]): Promise<readonly Entry[]>
  /** As `writeMany`; a patch names the properties it touched, and only those are validated. */
  readonly apply: Apply
  /** One write; throws why it was refused. */
  applyOne(write: ManagedWrite, request: RequestContext): Promise<StoredObject>
}

export function managedSet(repository: Repository, compiled: CompiledType, onChange: OnChange): ManagedSet {
  const set = setOn(repository, compiled, writer(repository, compiled, onChange))
  if (compiled.prepares) return set
  return {
    ...set,
    joining: (transaction) =>
      setOn(transaction, compiled, writer(repository, compiled, onChange, transaction)),
  }
}

function setOn(store: Store, compiled: CompiledType, apply: Apply): ManagedSet {
  const { collection, relations, encryption, retrieval } = compiled
  const { objects } = store
  const set: ManagedSet = {
    ...{ compiled, store, apply, path: collection },
    stored: async (id) => (await objects.read(collection, [id])).get(id),
    async required(id) {
      const object = await set.stored(id)
      if (!object) throw new Problem('NOT_FOUND', `${collection}/${id} does not exist`)
      return object
    },
    filter: async (filter) => (relations ? storeFilter(store, relations, filter) : filter),
    view: async (seen, view) => (relations ? viewed(store, relations, seen, view) : seen),
    async retrieved(seen, request) {
      if (!retrieval?.reads) return seen
      const outcomes = await retrieval.page(seen, request)
      return seen.map(({ _id, _rev }, place) => ({ ...retrievedOrThrown(outcomes[place]), _id, _rev }))
    },
    async entries(seen) {
      if (!retrieval?.reads) return seen
      const outcomes = await retrieval.page(seen, engine)
      return seen.map(({ _id, _rev }, place): Entry => {
        const outcome = outcomes[place]
        return outcome?.ok ? { ...outcome.value, _id, _rev } : unreadable(collection, _id, outcome?.error)
      })
    },
    pages: (query, signal) => readPages(set, query, signal),
    async readMany(ids) {
      const seen = await set.view([...(await objects.read(collection, ids)).values()])
      return new Map((await set.entries(seen)).map((entry) => [entry._id, entry]))
    },
    ...(retrieval?.reads && { asRead: asRead(compiled, retrieval) }),
    async writeMany(writes, request) {
      if (request.readOnly)
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to ${collection}`)
      return apply(writes, request)
    },
    async applyOne(write, request) {
      const [result] = await apply([write], request)
      if (!result?.ok)
        throw result?.error ?? new Problem('INTERNAL', `${collection}: the write had no outcome`)
      return result.object
    },
    ...(changesForms(compiled) && { asHeld: asHeldIn(store, compiled) }),
    comparison: () => 'exact',
    ...(compiled.enforced && { unique: compiled.unique }),
    judge: judgeOf(store, compiled),
    scriptsAfterWrites: ['postCreate', 'postUpdate', 'postDelete', 'onSync'].filter(
      (name) => compiled.scripts.has(name) || (name === 'onSync' && compensates(compiled.type)),
    ),
    idOf: ({ content }, proposed) => (typeof content._id === 'string' ? content._id : proposed),
    count: () => objects.count(collection),
    ...(relations && { leavesAlone: (name: string) => relations.type.properties.has(name) }),
    isSecret: (pointer) => encryption.isSecret(pointer),
  }
  return set
}

function asHeldIn(store: Store, compiled: CompiledType): NonNullable<ObjectSet['asHeld']> {
  const context = { compiled, onChange: nothingSynchronized, request: foreseeing, store }
  return async (updates) => {
    const held: JsonObject[] = []
    for (const update of updates) held.push(await heldContent(context, update))
    return held
  }
}

/** Scripts that foresee a write change nothing. */
const foreseeing: RequestContext = { ...engine, readOnly: true }

function retrievedOrThrown(outcome: ScriptOutcome<JsonObject> | undefined): JsonObject {
  if (outcome?.ok) return outcome.value
  throw outcome?.error ?? new Problem('INTERNAL', 'an object was not retrieved')
}

function unreadable(collection: string, id: string, cause: Problem | undefined): Unreadable {
  const message = `${collection}/${id} cannot be read: ${cause?.message ?? 'it was not retrieved'}`
  const hint = 'Correct the script, or the object. Other objects are not affected.'
  return new Unreadable(id, new Problem('UNREADABLE', message, { cause, hint }))
}

/** The managed types of a project, by collection, e.g. `managed/user`. */
export type Sets = ReadonlyMap<string, ManagedSet>

/** What resources of managed objects work with. */
export interface SetServices extends Pick<RelationServices, 'outside' | 'recomputation'> {
  readonly sets: Sets
}

/** Asked by a client, or by a script: with the fields that it names. */
export type Asked = RequestContext & { readonly fields?: readonly Pointer[] | undefined }

/** An object that a path names; it need not be there. */
export interface ObjectAt {
  readonly set: ManagedSet
  readonly id: string
}

function placeAt(sets: Sets, path: string): { readonly set: ManagedSet; readonly others: readonly string[] } {
  const [type, ...others] = splitPath(path)
  const set = sets.get(`managed/${type}`)
  if (!set) throw new Problem('NOT_FOUND', `There is no object type managed/${path}`)
  return { set, others }
}

/** The set that a path below `managed/` names. */
export function setAt(sets: Sets, path: string): ManagedSet {
  const { set, others } = placeAt(sets, path)
  if (others.length > 0) throw new Problem('NOT_IMPLEMENTED', `managed/${path} is an object, not a set`)
  return set
}

/** The object that a path below `managed/` names. */
export function objectAt(sets: Sets, path: string): ObjectAt {
  const { set, others } = placeAt(sets, path)
  const [id, ...more] = others
  if (id === undefined)
    throw new Problem('BAD_REQUEST', `${set.path} is a set: query it with _queryFilter, or name an object`)
  if (more.length > 0) throw new Problem('NOT_FOUND', `There is no resource managed/${path}`)
  return { set, id }
}
