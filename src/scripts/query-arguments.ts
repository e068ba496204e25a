import { everything, type Filter } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { ResourcePage, ResourceQuery } from '../router/resources.ts'
import { bad, fieldList, parameters, sortKeyList, texts } from './call-arguments.ts'

/** `openidm.query`: its parameters made into a query, and a page into its answer (platform §1.2, §7.2). */
export function resourceQuery(path: string, value: unknown, fields: unknown): ResourceQuery {
  if (!isJsonObject(value))
    throw bad(
      'query',
      'the parameters must be an object with one of _queryFilter, _queryId, _queryExpression',
    )
  const { _fields, _sortKeys, ...others } = value
  const given = parameters(others, 'query')
  const { _queryFilter, _queryId, _queryExpression, _pageSize, _pagedResultsCookie, ...rest } = given
  const { _pagedResultsOffset, _totalPagedResultsPolicy, ...additional } = rest
  const idsOnly = _queryId !== undefined
  const sortKeys = sortKeyList(_sortKeys, 'query')
  const pageSize = count(_pageSize, '_pageSize')
  const offset = count(_pagedResultsOffset, '_pagedResultsOffset')
  const wanted =
    fieldList(fields, 'query') ?? fieldList(_fields, 'query') ?? (idsOnly ? [['_id']] : undefined)
  return {
    filter: filterOf(path, { _queryFilter, _queryId, _queryExpression }),
    ...(wanted && { fields: wanted }),
    ...(sortKeys && { sortKeys }),
    ...(pageSize !== undefined && { pageSize }),
    ...(offset !== undefined && { offset }),
    ...(_pagedResultsCookie !== undefined && { cookie: String(_pagedResultsCookie) }),
    ...(_totalPagedResultsPolicy !== undefined && { totalPolicy: totalPolicy(_totalPagedResultsPolicy) }),
    parameters: texts(additional),
  }
}

export function queryAnswer({ result, cookie, total }: ResourcePage, query: ResourceQuery): JsonObject {
  return {
    result: result as unknown as Json[],
    resultCount: result.length,
    pagedResultsCookie: cookie,
    totalPagedResultsPolicy: query.totalPolicy ?? 'NONE',
    totalPagedResults: total ?? -1,
    remainingPagedResults: -1,
  }
}

function filterOf(path: string, keys: JsonObject): Filter {
  const given = Object.entries(keys).filter(([, value]) => value !== undefined)
  const [[key, value] = ['', '']] = given
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.map(([name]) => name).join(' and ')
    throw bad('query', `exactly one of _queryFilter, _queryId and _queryExpression is needed, not ${found}`)
  }
  if (key === '_queryFilter') return parseFilter(String(value))
  if (key === '_queryId') {
    if (value === 'query-all-ids' || value === 'query-all') return everything
    throw bad('query', `there is no named query "${value}": use _queryFilter, or query-all-ids`)
  }
  if (path.startsWith('system/')) return parseFilter(String(value))
  throw bad('query', '_queryExpression is understood by system objects only: use _queryFilter')
}

function count(value: Json | undefined, name: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0)
    throw bad('query', `${name} must be a whole number, not "${value}"`)
  return number
}

const totalPolicies = ['NONE', 'ESTIMATE', 'EXACT'] as const

function totalPolicy(value: Json): (typeof totalPolicies)[number] {
  const policy = totalPolicies.find((one) => one === value)
  if (!policy) throw bad('query', `_totalPagedResultsPolicy must be NONE, ESTIMATE or EXACT, not "${value}"`)
  return policy
}
