import { everything, type Filter, nothing } from '../model/filter.ts'
import { parseFilter } from '../model/filter-parse.ts'
import type { JsonObject } from '../model/json.ts'
import { parsePointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import type { QuerySettings } from './mapping.ts'

/**
 * Reads a query object of a mapping, a request or a correlation script (engine specification §2.2, §6.1): names
 * with or without underscore; keys that are no query keys become parameters.
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
  const filter = queryFilterOf(take('queryFilter'), queryId, take('queryExpression'), resourceName)
  const fields = fieldsOf(take('fields')) ?? (queryId === 'query-all-ids' ? ['_id'] : undefined)
  return {
    resourceName,
    filter,
    stated: { resourceName, ...(stated && hasQuery(stated) ? stated : { ...stated, _queryFilter: 'true' }) },
    fields: fields?.map(parsePointer),
    parameters: Object.fromEntries([...keys].map(([key, value]) => [key, String(value)])),
  }
}

function hasQuery(stated: JsonObject): boolean {
  return Object.keys(stated).some((key) => /^_?query(Filter|Id|Expression)$/.test(key))
}

function queryFilterOf(filter: unknown, queryId: unknown, expression: unknown, resource: string): Filter {
  const given = [filter, queryId, expression].filter((value) => value !== undefined)
  if (given.length > 1) {
    throw new Problem(
      'BAD_REQUEST',
      'a query states one of _queryFilter, _queryId and _queryExpression, not several',
    )
  }
  if (queryId !== undefined) return namedQuery(queryId)
  if (expression !== undefined && !resource.startsWith('system/')) {
    throw new Problem(
      'BAD_REQUEST',
      `_queryExpression is understood on system/… only; use _queryFilter for ${resource}`,
    )
  }
  const text = filter ?? expression
  if (text === undefined) return everything
  if (text === true || text === false) return text ? everything : nothing
  if (typeof text !== 'string')
    throw new Problem('BAD_FILTER', `a query filter is a string, not ${JSON.stringify(text)}`)
  return parseFilter(text)
}

function namedQuery(queryId: unknown): Filter {
  if (queryId === 'query-all-ids' || queryId === 'query-all') return everything
  throw new Problem(
    'BAD_REQUEST',
    `unknown query ${JSON.stringify(queryId)}: query-all-ids is the only named query`,
  )
}

function fieldsOf(fields: unknown): string[] | undefined {
  if (fields === undefined || fields === '*' || fields === '') return undefined
  if (typeof fields === 'string') return fields.split(',').map((field) => field.trim())
  if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return fields
  throw new Problem('BAD_REQUEST', '_fields is a comma list or an array of pointers')
}
