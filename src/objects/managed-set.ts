import { Problem } from '../model/problem.ts'
import type { Repository, Store, StoredObject } from '../repository/repository.ts'
import { project } from '../router/fields.ts'
import type { ObjectSet } from '../router/resources.ts'
import { storeFilter, viewed } from './relationships/view.ts'
import type { CompiledType } from './type/compiled-type.ts'
import type { OnChange } from './write/changes.ts'
import type { Apply } from './write/entry.ts'
import { writer } from './write/pipeline.ts'

/**
 * The objects of one managed type (platform §6.2), for REST and for the engine alike. They are read and written
 * inside a transaction of the caller's if he has one, unless the type has scripts of writing.
 */
export interface ManagedSet extends ObjectSet {
  readonly compiled: CompiledType
  /** As `writeMany`; a patch names the properties it touched, and only those are validated. */
  readonly apply: Apply
  /** As it is stored, whatever the scripts of reading make of it. */
  stored(id: string): Promise<StoredObject | undefined>
}

export function managedSet(repository: Repository, compiled: CompiledType, onChange: OnChange): ManagedSet {
  const set = setOn(repository, compiled, writer(repository, compiled, onChange))
  if (compiled.oneByOne) return set
  return {
    ...set,
    joining: (transaction) =>
      setOn(transaction, compiled, writer(repository, compiled, onChange, transaction)),
  }
}

function setOn(store: Store, compiled: CompiledType, apply: Apply): ManagedSet {
  const { collection } = compiled
  const { relations, retrieval } = compiled
  const seen = async (objects: readonly StoredObject[]) =>
    relations ? viewed(store, relations, objects) : objects
  return {
    compiled,
    path: collection,
    async *pages({ filter, fields, pageSize }, signal) {
      const stored = relations ? await storeFilter(store, relations, filter) : filter
      let cookie: string | null | undefined
      while (cookie !== null) {
        signal?.throwIfAborted()
        const page = await store.objects.query(collection, {
          filter: stored,
          pageSize,
          ...(cookie !== undefined && { cookie }),
        })
        const objects = await seen(page.result)
        if (objects.length > 0) yield fields ? objects.map((object) => project(object, fields)) : objects
        cookie = page.cookie
      }
    },
    async readMany(ids) {
      const stored = await store.objects.read(collection, ids)
      const found = relations
        ? new Map((await seen([...stored.values()])).map((object) => [object._id, object]))
        : stored
      return retrieval ? new Map(await retrieval.many([...found])) : found
    },
    async writeMany(writes, request) {
      if (request.readOnly)
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to ${collection}`)
      return apply(writes, request)
    },
    apply,
    stored: async (id) => (await store.objects.read(collection, [id])).get(id),
    comparison: () => 'exact',
    idOf: ({ content }, proposed) => (typeof content._id === 'string' ? content._id : proposed),
    count: () => store.objects.count(collection),
    ...(relations && { leavesAlone: (name: string) => relations.type.properties.has(name) }),
    isSecret: (pointer) => compiled.encryption.isSecret(pointer),
  }
}
