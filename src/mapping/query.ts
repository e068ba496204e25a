import type { Json, JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { selected, selectionIn, withoutRestriction } from '../model/query-words.ts'
import type { QuerySettings } from './mapping.ts'

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
  const words = {
    _queryFilter: take('queryFilter'),
    _queryId: take('queryId'),
    _queryExpression: take('queryExpression'),
  }
  const selection = stated ? selectionIn(words) : { key: '_queryFilter' as const, value: true }
  if (!selection) throw new Problem('BAD_REQUEST', withoutRestriction(Object.keys(stated ?? {})))
  const fields = fieldsOf(take('fields'))
  const others = Object.fromEntries([...keys].filter(([key]) => !isPagingKey(key)))
  const found = selected(selection, others, resourceName)
  return {
    resourceName,
    filter: found.filter,
    stated: { resourceName, ...(stated ?? { _queryFilter: 'true' }) },
    fields: fields?.map(parsePointer) ?? found.fields,
    parameters: Object.fromEntries(
      Object.entries(found.parameters).map(([key, value]) => [key, textOf(value)]),
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

function fieldsOf(fields: unknown): string[] | undefined {
  if (fields === undefined || fields === '*' || fields === '') return undefined
  if (typeof fields === 'string') return fields.split(',').map((field) => field.trim())
  if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return fields
  throw new Problem('BAD_REQUEST', '_fields is a comma list or an array of pointers')
}
