import { matches } from '../../model/filter/evaluate.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import { compareBy } from '../../model/sort.ts'
import type { Resource, ResourcePage, ResourceProvider, ResourceQuery } from '../../router/resources.ts'

/** A mapping as `sync/mappings` shows it: its configuration, and whether both ends are there. */
export interface ListedMapping {
  readonly name: string
  readonly configuration: JsonObject
  readonly sourceReady: boolean
  readonly targetReady: boolean
}

/** `sync/mappings` (engine §8.6): the mappings in processing order. A cookie is the name of the next mapping. */
export function mappingsProvider(list: () => readonly ListedMapping[]): ResourceProvider {
  return {
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `sync/mappings/${path} is a mapping, not a set`)
      const all = list()
        .map(asResource)
        .filter((mapping) => matches(query.filter, mapping))
      return pageOf(query.sortKeys ? all.toSorted(compareBy(query.sortKeys)) : all, query)
    },
    async read(path) {
      const [asked, ...deeper] = splitPath(path)
      const mapping = deeper.length > 0 ? undefined : list().find(({ name }) => name === asked)
      if (!mapping) throw new Problem('NOT_FOUND', `No such mapping: ${path}`)
      return asResource(mapping)
    },
  }
}

function asResource({ name, configuration, sourceReady, targetReady }: ListedMapping): Resource {
  return { _id: name, ...configuration, name, sourceRouteReady: sourceReady, targetRouteReady: targetReady }
}

function pageOf(
  all: readonly Resource[],
  { cookie, offset, pageSize, totalPolicy }: ResourceQuery,
): ResourcePage {
  const start = cookie === undefined ? (offset ?? 0) : all.findIndex(({ _id }) => _id === cookie)
  if (start < 0)
    throw new Problem('BAD_REQUEST', `the paging cookie ${JSON.stringify(cookie)} is not valid here`)
  const end = pageSize ? start + pageSize : all.length
  const total = totalPolicy === 'EXACT' || totalPolicy === 'ESTIMATE' ? all.length : undefined
  return { result: all.slice(start, end), cookie: all[end]?._id ?? null, total }
}
