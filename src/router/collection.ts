import { matches } from '../model/filter/evaluate.ts'
import { Problem } from '../model/problem.ts'
import { compareBy } from '../model/sort.ts'
import type { Resource, ResourcePage, ResourceQuery } from './resources.ts'

/**
 * Answers a query from resources in memory, for providers that have few (configuration, mappings, runs).
 * Without sort keys, the given order is kept. A cookie is a position in that order.
 */
export function queryCollection(resources: readonly Resource[], query: ResourceQuery): ResourcePage {
  const matching = resources.filter((resource) => matches(query.filter, resource))
  const found = query.sortKeys?.length ? matching.toSorted(compareBy(query.sortKeys)) : matching
  const start = query.cookie === undefined ? (query.offset ?? 0) : position(query.cookie)
  const end = query.pageSize ? start + query.pageSize : found.length
  return {
    result: found.slice(start, end),
    cookie: end < found.length ? String(end) : null,
    ...((query.totalPolicy ?? 'NONE') !== 'NONE' && { total: found.length }),
  }
}

function position(cookie: string): number {
  if (!/^\d{1,9}$/.test(cookie))
    throw new Problem('BAD_REQUEST', 'The paging cookie is not one of this resource')
  return Number(cookie)
}
