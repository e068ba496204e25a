import { pages } from '../../kit/cookies.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { storeFilter, type View, viewed } from '../relationships/view.ts'
import type { CompiledType } from '../type/compile.ts'

/**
 * The one way to read managed objects, for REST, mappings and scripts alike:
 *
 *     stored → view (relationships, collected values) → retrieval (scripts) → visible (what the caller may see)
 *
 * A type that has nothing to do in a stage passes it. The engine sees everything, so it ends before the last stage.
 */
export interface Reader {
  stored(ids: readonly string[]): Promise<ReadonlyMap<string, StoredObject>>
  /** A filter as the store understands it. */
  filter(filter: Filter): Promise<Filter>
  view(objects: readonly StoredObject[], view?: View): Promise<readonly StoredObject[]>
  retrieved(object: StoredObject, request: RequestContext): Promise<StoredObject>
  /** The engine's reading: by id, all stages but the last. */
  many(ids: readonly string[]): Promise<ReadonlyMap<string, StoredObject>>
  /** Objects that match, as they are seen; without scripts, as in every query. */
  pages(
    query: { readonly filter: Filter; readonly pageSize: number },
    signal?: AbortSignal,
  ): AsyncIterable<readonly StoredObject[]>
}

export function reader(store: Store, { collection, relations, retrieval }: CompiledType): Reader {
  const stored = (ids: readonly string[]) => store.objects.read(collection, ids)
  const filter = async (stated: Filter) => (relations ? storeFilter(store, relations, stated) : stated)
  const view = async (objects: readonly StoredObject[], view?: View) =>
    relations ? viewed(store, relations, objects, view) : objects
  const retrieved = async (object: StoredObject, request: RequestContext) =>
    retrieval ? retrieval.one(object, request) : object
  return {
    ...{ stored, filter, view, retrieved },
    async many(ids) {
      const objects = await view([...(await stored(ids)).values()])
      const read = new Map<string, StoredObject>()
      for (const object of objects) read.set(object._id, await retrieved(object, engine))
      return read
    },
    async *pages(query, signal) {
      const matching = { ...query, filter: await filter(query.filter) }
      const found = pages((from) => store.objects.query(collection, { ...matching, ...from }), signal)
      for await (const { result } of found) if (result.length > 0) yield view(result)
    },
  }
}

/** Of the engine's own reading. */
const engine: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 'read' }
