import { everything, type Filter, nothing } from './filter/filter.ts'
import { parseFilter } from './filter/parse.ts'
import type { Json, JsonObject } from './json.ts'
import { distance } from './nearest.ts'
import { type Pointer, parsePointer } from './pointer.ts'
import { Problem } from './problem.ts'

/**
 * The keys of a query, with the same meaning in requests, scripts and mappings (platform §1.2; engine
 * §2.2): which key selects, what a named query is, where a query expression is allowed, and the form of
 * an answer.
 */

/** The keys that select the objects of a query. A query needs exactly one of them. */
export const queryKeys = ['_queryFilter', '_queryId', '_queryExpression'] as const
export type QueryKey = (typeof queryKeys)[number]

export interface Selection {
  readonly key: QueryKey
  readonly value: Json
}

const exactlyOne = 'exactly one of _queryFilter, _queryId and _queryExpression is needed'

/** Undefined if there is none; null is treated as absent. BAD_REQUEST for several. */
export function selectionIn(words: Readonly<Partial<Record<QueryKey, Json>>>): Selection | undefined {
  const [selection, another] = queryKeys.flatMap((key) => {
    const value = words[key] ?? undefined
    return value === undefined ? [] : [{ key, value }]
  })
  if (another) throw new Problem('BAD_REQUEST', `${exactlyOne}, not several`)
  return selection
}

/** `P`: what parameters are, text or any value. */
export interface Selected<P extends Json | undefined> {
  readonly filter: Filter
  /** The fields to return if the query names none; undefined: all. */
  readonly fields: readonly Pointer[] | undefined
  /** Those that the selection itself does not use. */
  readonly parameters: Readonly<Record<string, P>>
}

/** `resource`: the path that is queried. BAD_REQUEST, or BAD_FILTER for a filter that does not parse. */
export function selected<P extends Json | undefined>(
  { key, value }: Selection,
  parameters: Readonly<Record<string, P>>,
  resource: string,
): Selected<P> {
  if (key === '_queryId') return namedQuery(value, parameters)
  if (key === '_queryExpression' && !resource.startsWith('system/')) {
    const message = `_queryExpression is understood on system/… only; use _queryFilter for ${resource}`
    throw new Problem('BAD_REQUEST', message)
  }
  return { filter: filterOf(value), fields: undefined, parameters }
}

function filterOf(value: Json): Filter {
  if (typeof value === 'boolean') return value ? everything : nothing
  if (typeof value === 'string') return parseFilter(value)
  throw new Problem('BAD_FILTER', `a query filter is a string, not ${JSON.stringify(value)}`)
}

/** The named queries of every OpenIDM repository that can be written as a filter. */
function namedQuery<P extends Json | undefined>(
  name: Json,
  parameters: Readonly<Record<string, P>>,
): Selected<P> {
  const needed = (parameter: string) => {
    const value = Object.hasOwn(parameters, parameter) ? (parameters[parameter] ?? undefined) : undefined
    if (value !== undefined) return value
    throw new Problem('BAD_REQUEST', `the query ${name} needs the parameter ${parameter}`)
  }
  switch (name) {
    case 'query-all-ids':
      return { filter: everything, fields: [['_id']], parameters }
    case 'query-all':
      return { filter: everything, fields: undefined, parameters }
    case 'for-userName': {
      const { uid, ...others } = parameters
      return { filter: equals('userName', needed('uid')), fields: undefined, parameters: others }
    }
    case 'get-by-field-value': {
      const { field, value, ...others } = parameters
      const filter = equals(String(needed('field')), needed('value'))
      return { filter, fields: undefined, parameters: others }
    }
    default:
      throw new Problem(
        'BAD_REQUEST',
        `${JSON.stringify(name)} is not a known query: repository configuration, which defines named queries, is ` +
          'not read; say it as _queryFilter. Known: query-all-ids, query-all, for-userName, get-by-field-value',
      )
  }
}

function equals(field: string, value: Json): Filter {
  return { kind: 'compare', operator: 'eq', pointer: parsePointer(field), value }
}

const totalPolicies = ['NONE', 'ESTIMATE', 'EXACT'] as const
export type TotalPolicy = (typeof totalPolicies)[number]

export function totalPolicyOf(value: Json): TotalPolicy {
  const policy = totalPolicies.find((one) => one === String(value).toUpperCase())
  if (policy) return policy
  const message = `_totalPagedResultsPolicy must be one of ${totalPolicies.join(', ')}, not "${value}"`
  throw new Problem('BAD_REQUEST', message)
}

interface Page {
  readonly result: readonly JsonObject[]
  readonly cookie: string | null
  readonly total?: number | undefined
  readonly unreadable?: readonly unknown[] | undefined
}

/** The answer to a query, as requests and scripts get it. `unreadableCount`: objects left out because they cannot be read. */
export function queryAnswer(
  { result, cookie, total, unreadable = [] }: Page,
  policy: TotalPolicy = 'NONE',
): JsonObject {
  return {
    result: [...result],
    resultCount: result.length,
    pagedResultsCookie: cookie,
    totalPagedResultsPolicy: total === undefined ? 'NONE' : policy,
    totalPagedResults: total ?? -1,
    remainingPagedResults: -1,
    // The log names them: their errors may say more than the request may see.
    ...(unreadable.length > 0 && { unreadableCount: unreadable.length }),
  }
}

/** The message for a query without any of these keys. It names a key that was probably misspelt. */
export function withoutRestriction(keys: readonly string[]): string {
  const message = `${exactlyOne}, not none`
  for (const key of keys) {
    const meant = queryKeys.find((one) => one !== key && bare(one) !== key && isNear(bare(key), bare(one)))
    if (meant) return `${message}; did you mean ${meant} instead of ${key}?`
  }
  return message
}

function bare(key: string): string {
  return key.replace(/^_+/, '')
}

/** Ignores letter case. Half of a name, such as `filter`, is near enough. */
function isNear(found: string, name: string): boolean {
  const [a, b] = [found.toLowerCase(), name.toLowerCase()]
  return a === b.replace('query', '') || distance(a, b) <= (b.length > 8 ? 3 : 1)
}
