import { matches } from '../../model/filter/evaluate.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RunRecord } from '../../repository/runs.ts'
import { queryCollection } from '../../router/collection.ts'
import type {
  Resource,
  ResourcePage,
  ResourceProvider,
  ResourceQuery,
  Resources,
} from '../../router/resources.ts'
import { asResource, storePage, storeQuery } from '../../router/store-query.ts'

/**
 * `recon/assoc` (engine §7.9): which source object a run found associated with which target object, if asked to keep that. A
 * header a run, and an entry an operation; both go when newer runs take their place.
 */
export function associationsProvider(repository: Repository, resources: () => Resources): ResourceProvider {
  const { runs } = repository

  async function headers(records: readonly RunRecord[]): Promise<readonly Resource[]> {
    const kept = await runs.withEntries()
    return records.filter(({ id }) => kept.has(id)).flatMap((record) => headerOf(record) ?? [])
  }

  async function header(id: string): Promise<Resource> {
    const record = await runs.read(id)
    const [found] = await headers(record ? [record] : [])
    if (!found) throw new Problem('NOT_FOUND', `There are no associations of a run ${id}`)
    return found
  }

  return {
    async read(path) {
      const [id, ...deeper] = splitPath(path)
      if (id === undefined)
        throw new Problem('BAD_REQUEST', 'recon/assoc is a set: query it with _queryFilter')
      if (deeper.length > 0) throw new Problem('NOT_IMPLEMENTED', `recon/assoc/${path} is a set: query it`)
      return header(id)
    },
    async query(path, query) {
      const [id, entry, ...deeper] = splitPath(path)
      if (id === undefined) return queryCollection(await headers(await runs.list()), query)
      if (entry !== 'entry' || deeper.length > 0)
        throw new Problem(
          'NOT_IMPLEMENTED',
          `recon/assoc/${path} cannot be queried; recon/assoc/${id}/entry can`,
        )
      await header(id)
      return entryPage(repository, resources(), id, query)
    },
  }
}

function headerOf({ id, mapping, analysis, content }: RunRecord): Resource | undefined {
  const kept = content.keeps as { associations?: boolean; source?: string; target?: string } | undefined
  if (!kept?.associations) return undefined
  return {
    _id: id,
    reconId: id,
    mapping,
    sourceResourceCollection: kept.source ?? null,
    targetResourceCollection: kept.target ?? null,
    isAnalysis: String(analysis),
    finishTime: content.ended ?? null,
  }
}

async function entryPage(
  { runs }: Repository,
  resources: Resources,
  runId: string,
  query: ResourceQuery,
): Promise<ResourcePage> {
  const page = storePage(await runs.queryEntries(runId, storeQuery(query)), asResource)
  const { queryMissingSide, sourceQueryFilter, targetQueryFilter } = query.parameters ?? {}
  // Any of the three parameters asks for the objects themselves (engine §7.9, [D]).
  if (queryMissingSide !== 'true' && sourceQueryFilter === undefined && targetQueryFilter === undefined)
    return page
  const filterIn = (text: string | undefined) => (text === undefined ? undefined : parseFilter(text))
  const filters = { source: filterIn(sourceQueryFilter), target: filterIn(targetQueryFilter) }
  return { ...page, result: await expanded(resources, page.result, filters) }
}

/** With the objects as they are now, `null` where there is none; without the entries whose objects do not match. */
async function expanded(
  resources: Resources,
  entries: readonly Resource[],
  { source, target }: { readonly [side in 'source' | 'target']: Filter | undefined },
): Promise<readonly Resource[]> {
  const sources = await objectsOf(resources, entries, 'source')
  const targets = await objectsOf(resources, entries, 'target')
  const accepts = (filter: Filter | undefined, object: Json) =>
    filter === undefined || (object !== null && matches(filter, object as JsonObject))
  return entries
    .map((entry) => ({
      ...entry,
      source: sources.get(String(entry.sourceObjectId)) ?? null,
      target: targets.get(String(entry.targetObjectId)) ?? null,
    }))
    .filter((entry) => accepts(source, entry.source) && accepts(target, entry.target))
}

/** One read a collection. */
async function objectsOf(
  resources: Resources,
  entries: readonly Resource[],
  side: 'source' | 'target',
): Promise<ReadonlyMap<string, Resource>> {
  const objects = new Map<string, Resource>()
  const collections = Map.groupBy(entries, (entry) => String(entry[`${side}ResourceCollection`]))
  for (const [collection, group] of collections) {
    const ids = group.map((entry) => entry[`${side}ObjectId`]).filter((id) => typeof id === 'string')
    if (ids.length === 0) continue
    for (const [id, entry] of await resources.objectSet(collection).readMany([...new Set(ids)]))
      if (!isUnreadable(entry)) objects.set(id, entry)
  }
  return objects
}
