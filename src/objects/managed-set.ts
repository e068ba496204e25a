import { Problem } from '../model/problem.ts'
import type { StoredObject } from '../repository/objects.ts'
import type { Repository, Store } from '../repository/repository.ts'
import { project } from '../router/fields.ts'
import type { ObjectSet } from '../router/resources.ts'
import { type Reader, reader } from './read/reader.ts'
import type { CompiledType } from './type/compile.ts'
import type { OnChange } from './write/changes.ts'
import type { Apply } from './write/entry.ts'
import { writer } from './write/pipeline.ts'

/**
 * The objects of one managed type (platform §6.2), for REST and for the engine. They are read and written in the caller's
 * transaction, if there is one, unless the type has scripts for writes.
 */
export interface ManagedSet extends ObjectSet {
  readonly compiled: CompiledType
  readonly reader: Reader
  /** As `writeMany`; a patch names the properties it touched, and only those are validated. */
  readonly apply: Apply
  /** The stored object, without the scripts for reads. */
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
  const { collection, relations, encryption } = compiled
  const read = reader(store, compiled)
  return {
    ...{ compiled, apply, reader: read, path: collection },
    async *pages({ filter, fields, pageSize }, signal) {
      for await (const objects of read.pages({ filter, pageSize }, signal))
        yield fields ? objects.map((object) => project(object, fields)) : objects
    },
    readMany: (ids) => read.many(ids),
    async writeMany(writes, request) {
      if (request.readOnly)
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to ${collection}`)
      return apply(writes, request)
    },
    stored: async (id) => (await read.stored([id])).get(id),
    comparison: () => 'exact',
    idOf: ({ content }, proposed) => (typeof content._id === 'string' ? content._id : proposed),
    count: () => store.objects.count(collection),
    ...(relations && { leavesAlone: (name: string) => relations.type.properties.has(name) }),
    isSecret: (pointer) => encryption.isSecret(pointer),
  }
}
