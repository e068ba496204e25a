import type { Json, JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { selected, selectionIn, withoutRestriction } from '../model/query-words.ts'
import type { QuerySettings } from './mapping.ts'

/**
 * Reads a query object of a mapping, a request or a correlation script (engine §2.2, §6.1). Names may have an
 * underscore. Other keys become parameters. No query object means all objects. But a query object that selects nothing
 * is a BAD_REQUEST: a missing restriction never means "all".
 */
export function readQuery(configured: JsonObject | undefined, defaultResource: string): QuerySettings {
  const keys = new Map(Object.entries(configured ?? {}).map(([key, value]) => [key.replace(/^_/, ''), value]))
  const take = (key: string) => {
    const value = keys.get(key)
    keys.delete(key)
    return value ?? undefined
  }
  const resourceName = take('resourceName') ?? defaultResource
  if (typeof resourceName !== 'string') throw new Problem('BAD_REQUEST', 'resourceName must be a string')
  const words = {
    _queryFilter: take('queryFilter'),
    _queryId: take('queryId'),
    _queryExpression: take('queryExpression'),
  }
  const selection = configured ? selectionIn(words) : { key: '_queryFilter' as const, value: true }
  if (!selection) throw new Problem('BAD_REQUEST', withoutRestriction(Object.keys(configured ?? {})))
  const fields = fieldsOf(take('fields'))
  const others = Object.fromEntries([...keys].filter(([key]) => !isPagingKey(key)))
  const found = selected(selection, others, resourceName)
  if (found.counts)
    throw new Problem(
      'BAD_REQUEST',
      `${JSON.stringify(selection.value)} counts objects: a mapping needs them`,
    )
  return {
    resourceName,
    filter: found.filter,
    configured: { resourceName, ...(configured ?? { _queryFilter: 'true' }) },
    fields: fields?.map(parsePointer) ?? found.fields,
    parameters: Object.fromEntries(
      Object.entries(found.parameters).map(([key, value]) => [key, textOf(value)]),
    ),
  }
}

/** A run reads all that matches, in its own pages and order: it ignores these keys. */
export function isPagingKey(key: string): boolean {
  return /^_?(pageSize|sortKeys|pagedResults(Offset|Cookie)|totalPagedResultsPolicy)$/.test(key)
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

/** True if a field list means everything. */
export function isEverything(fields: readonly Pointer[] | undefined): boolean {
  return fields === undefined || fields.length === 0 || fields.some((field) => field.join('/') === '*')
}

function fieldsOf(fields: unknown): string[] | undefined {
  if (fields === undefined || fields === '*' || fields === '') return undefined
  if (typeof fields === 'string') return fields.split(',').map((field) => field.trim())
  if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return fields
  throw new Problem('BAD_REQUEST', '_fields is a comma list or an array of pointers')
}
