import { everything, type Filter, nothing } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import type { QuerySettings } from './mapping.ts'
import { withoutRestriction } from './query-key.ts'

/**
 * Reads a query object of a mapping, a request or a correlation script (engine §2.2, §6.1): names
 * with or without underscore; keys that are no query keys become parameters. Without a query, everything is meant;
 * BAD_REQUEST for a query that does not say which objects it is about: "no restriction" is never read as "all".
 */
export function readQuery(stated: JsonObject | undefined, defaultResource: string): QuerySettings {
  const keys = new Map(Object.entries(stated ?? {}).map(([key, value]) => [key.replace(/^_/, ''), value]))
  const take = (key: string) => {
    const value = keys.get(key)
    keys.delete(key)
    return value ?? undefined
  }
  const resourceName = take('resourceName') ?? defaultResource
  if (typeof resourceName !== 'string') throw new Problem('BAD_REQUEST', 'resourceName must be a string')
  const queryId = take('queryId')
  const filter = stated
    ? queryFilterOf(
        take('queryFilter'),
        queryId,
        take('queryExpression'),
        resourceName,
        take,
        Object.keys(stated),
      )
    : everything
  const fields = fieldsOf(take('fields')) ?? (queryId === 'query-all-ids' ? ['_id'] : undefined)
  return {
    resourceName,
    filter,
    stated: { resourceName, ...(stated ?? { _queryFilter: 'true' }) },
    fields: fields?.map(parsePointer),
    parameters: Object.fromEntries(
      [...keys].filter(([key]) => !isPagingKey(key)).map(([key, value]) => [key, textOf(value)]),
    ),
  }
}

/** A run reads all that matches, in pages and an order of its own: these keys say nothing to it. */
export function isPagingKey(key: string): boolean {
  return /^_?(pageSize|sortKeys|pagedResults(Offset|Cookie)|totalPagedResultsPolicy)$/.test(key)
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

/** True if a field list asks for no less than everything. */
export function isEverything(fields: readonly Pointer[] | undefined): boolean {
  return fields === undefined || fields.length === 0 || fields.some((field) => field.join('/') === '*')
}

type Take = (key: string) => Json | undefined

function queryFilterOf(
  filter: unknown,
  queryId: unknown,
  expression: unknown,
  resource: string,
  take: Take,
  keys: readonly string[],
): Filter {
  const given = [filter, queryId, expression].filter((value) => value !== undefined)
  if (given.length > 1) {
    throw new Problem(
      'BAD_REQUEST',
      'a query states one of _queryFilter, _queryId and _queryExpression, not several',
    )
  }
  if (queryId !== undefined) return namedQuery(queryId, take)
  if (expression !== undefined && !resource.startsWith('system/')) {
    throw new Problem(
      'BAD_REQUEST',
      `_queryExpression is understood on system/… only; use _queryFilter for ${resource}`,
    )
  }
  const text = filter ?? expression
  if (text === undefined) throw new Problem('BAD_REQUEST', withoutRestriction(keys))
  if (text === true || text === false) return text ? everything : nothing
  if (typeof text !== 'string')
    throw new Problem('BAD_FILTER', `a query filter is a string, not ${JSON.stringify(text)}`)
  return parseFilter(text)
}

/** The queries that every OpenIDM repository knows and that a filter can say. Its others are written by hand. */
function namedQuery(queryId: unknown, take: Take): Filter {
  switch (queryId) {
    case 'query-all-ids':
    case 'query-all':
      return everything
    case 'for-userName':
      return equals('userName', parameter(queryId, 'uid', take))
    case 'get-by-field-value':
      return equals(String(parameter(queryId, 'field', take)), parameter(queryId, 'value', take))
    default:
      throw new Problem(
        'BAD_REQUEST',
        `${JSON.stringify(queryId)} is not a known query: repository configuration, which defines named queries, is ` +
          'not read; say it as _queryFilter. Known: query-all-ids, query-all, for-userName, get-by-field-value',
      )
  }
}

function parameter(queryId: string, name: string, take: Take): Json {
  const value = take(name)
  if (value !== undefined) return value
  throw new Problem('BAD_REQUEST', `the query ${queryId} needs the parameter ${name}`)
}

function equals(field: string, value: Json): Filter {
  return { kind: 'compare', operator: 'eq', pointer: parsePointer(field), value }
}

function fieldsOf(fields: unknown): string[] | undefined {
  if (fields === undefined || fields === '*' || fields === '') return undefined
  if (typeof fields === 'string') return fields.split(',').map((field) => field.trim())
  if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return fields
  throw new Problem('BAD_REQUEST', '_fields is a comma list or an array of pointers')
}
