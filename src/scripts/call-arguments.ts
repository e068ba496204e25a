import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { selected, selectionIn, totalPolicyOf, withoutRestriction } from '../model/query-words.ts'
import { escapeStrayPercents } from '../model/resource-path.ts'
import { parseSortKeys, type SortKey } from '../model/sort.ts'
import type { ResourceQuery } from '../router/resources.ts'

/** Checks the arguments of `openidm` functions (platform §7.2). `call` is the name of the function. */
export type Parameters = Readonly<Record<string, string | number | boolean>>

/** Scalars only; nulls are dropped. */
export function parameters(value: unknown, call: string): Parameters {
  if (value === null || value === undefined) return {}
  if (!isJsonObject(value)) throw bad(call, 'the parameters must be an object')
  const result: Record<string, string | number | boolean> = Object.create(null)
  for (const [name, parameter] of Object.entries(value)) {
    if (parameter === null || parameter === undefined) continue
    if (typeof parameter === 'object')
      throw bad(call, `parameter "${name}" must be a string, a number or a boolean`)
    result[name] = parameter
  }
  return result
}

/** Like `parameters`, but for an action: an object or array, such as an inline mapping, becomes JSON text. */
export function actionParameters(value: unknown, call: string): Parameters {
  if (!isJsonObject(value)) return parameters(value, call)
  const asText = ([name, parameter]: [string, Json | undefined]) => [
    name,
    typeof parameter === 'object' && parameter !== null ? JSON.stringify(parameter) : parameter,
  ]
  return parameters(Object.fromEntries(Object.entries(value).map(asText)), call)
}

/**
 * A resource path of a script as one that the router splits and decodes. Segments stay percent-encoded, so `%2F`
 * in an id survives (platform §1.2). A script may insert an id without encoding it: a `%` that begins no escape is kept.
 */
export function resourcePath(text: unknown, call: string): string {
  if (typeof text !== 'string' || text === '') throw bad(call, 'the resource path must be a string')
  const segments = text.replace(/^\/|\/$/g, '').split('/')
  if (segments.includes('')) throw bad(call, `the path "${text}" has an empty segment`)
  return segments.map(escapeStrayPercents).join('/')
}

export function contentObject(value: unknown, call: string): JsonObject {
  if (!isJsonObject(value)) throw bad(call, 'the content must be an object')
  return value
}

/** Null and absent mean none: the server chooses the id; any revision. */
export function optionalText(value: unknown, what: string, call: string): string | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'string') throw bad(call, `${what} must be a string or null`)
  return value
}

/** `fields` as the last argument: an array of pointers, or a comma list. */
export function fieldList(value: unknown, call: string): readonly Pointer[] | undefined {
  if (value === null || value === undefined) return undefined
  const names = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(names)) throw bad(call, 'the fields must be an array of strings')
  return names.map((name: Json) => {
    if (typeof name !== 'string') throw bad(call, 'the fields must be an array of strings')
    return parsePointer(name.trim())
  })
}

function sortKeyList(value: Json | undefined, call: string): readonly SortKey[] | undefined {
  if (value === null || value === undefined) return undefined
  const text = Array.isArray(value) ? value.join(',') : value
  if (typeof text !== 'string') throw bad(call, '_sortKeys must be a string or an array of strings')
  return parseSortKeys(text)
}

export function texts(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
}

/** `openidm.query`: its parameters made into a query (platform §1.2, §7.2). */
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
  const selection = selectionIn(given)
  if (!selection) throw bad('query', withoutRestriction(Object.keys(value)))
  const found = selected(selection, additional, path)
  const sortKeys = sortKeyList(_sortKeys, 'query') ?? found.sortKeys
  const pageSize = count(_pageSize, '_pageSize')
  const offset = count(_pagedResultsOffset, '_pagedResultsOffset')
  const wanted = fieldList(fields, 'query') ?? fieldList(_fields, 'query') ?? found.fields
  return {
    filter: found.filter,
    ...(wanted && { fields: wanted }),
    ...(sortKeys && { sortKeys }),
    ...(pageSize !== undefined && { pageSize }),
    ...(offset !== undefined && { offset }),
    ...(_pagedResultsCookie !== undefined && { cookie: String(_pagedResultsCookie) }),
    ...(_totalPagedResultsPolicy !== undefined && { totalPolicy: totalPolicyOf(_totalPagedResultsPolicy) }),
    ...(found.counts && { counts: found.counts }),
    parameters: texts(found.parameters),
  }
}

function count(value: Json | undefined, name: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0)
    throw bad('query', `${name} must be a whole number, not "${value}"`)
  return number
}

export function bad(call: string, fact: string): Problem {
  return new Problem('BAD_REQUEST', `openidm.${call}: ${fact}`)
}
