import { everything, type Filter, nothing } from './filter/filter.ts'
import { parseFilter } from './filter/parse.ts'
import type { Json, JsonObject } from './json.ts'
import { distance } from './nearest.ts'
import { type Pointer, parsePointer } from './pointer.ts'
import { Problem } from './problem.ts'
import type { SortKey } from './sort.ts'

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
  /** The order if the query names none. */
  readonly sortKeys?: readonly SortKey[]
  /** It asks how many there are: the answer is one object with `total`. */
  readonly counts?: true
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

/** What a named query needs, and the filter that it stands for. */
interface NamedQuery {
  readonly parameters: readonly string[]
  readonly filter: (value: (parameter: string) => Json) => Filter
  readonly fields?: readonly Pointer[]
  readonly sortKeys?: readonly SortKey[]
  readonly counts?: true
  /** What a parameter is that is not given; absent: it must be. */
  readonly defaults?: Readonly<Record<string, string>>
}

const everyObject: NamedQuery = { parameters: [], filter: () => everything }
const usersOfRole: NamedQuery = {
  parameters: ['role'],
  filter: (value) =>
    equals('roles/_ref', `managed/role/${String(value('role')).replace(/^managed\/role\//, '')}`),
}

/** The named queries of every OpenIDM repository that can be written as a filter. */
const namedQueries: Readonly<Record<string, NamedQuery>> = {
  'query-all-ids': { ...everyObject, fields: [['_id']] },
  'query-all': everyObject,
  'query-all-ids-count': { ...everyObject, counts: true },
  'query-all-count': { ...everyObject, counts: true },
  'for-userName': { parameters: ['uid'], filter: (value) => equals('userName', value('uid')) },
  'get-by-field-value': {
    parameters: ['field', 'value'],
    filter: (value) => equals(String(value('field')), value('value')),
  },
  'get-users-of-role': usersOfRole,
  'get-users-of-direct-role': usersOfRole,
  'links-for-linkType': {
    parameters: ['linkType'],
    filter: (value) => equals('linkType', value('linkType')),
  },
  'links-for-firstId': {
    parameters: ['linkType', 'firstId'],
    filter: (value) => all(equals('linkType', value('linkType')), equals('firstId', value('firstId'))),
  },
  'credential-query': {
    parameters: ['username'],
    filter: (value) =>
      all(equals('userName', value('username')), {
        kind: 'not',
        filter: equals('accountStatus', 'inactive'),
      }),
  },
  'credential-internaluser-query': {
    parameters: ['username'],
    filter: (value) => equals('_id', value('username')),
  },
  'for-internalcredentials': { parameters: ['uid'], filter: (value) => equals('_id', value('uid')) },
  // Of audit/recon: the runs on record.
  'get-recons': {
    parameters: ['includeMapping', 'excludeMapping'],
    defaults: { includeMapping: '%', excludeMapping: '' },
    filter: (value) =>
      all(equals('entryType', 'summary'), like('mapping', value('includeMapping')), {
        kind: 'not',
        filter: like('mapping', value('excludeMapping')),
      }),
    fields: [['reconId'], ['timestamp'], ['mapping']],
    sortKeys: [{ pointer: ['timestamp'], descending: true }],
  },
}

function namedQuery<P extends Json | undefined>(
  name: Json,
  parameters: Readonly<Record<string, P>>,
): Selected<P> {
  const query = typeof name === 'string' && Object.hasOwn(namedQueries, name) ? namedQueries[name] : undefined
  if (!query)
    throw new Problem(
      'BAD_REQUEST',
      `${JSON.stringify(name)} is not a known query: repository configuration, which defines named queries, is ` +
        `not read; say it as _queryFilter. Known: ${Object.keys(namedQueries).join(', ')}`,
    )
  const filter = query.filter((parameter) => {
    const given = Object.hasOwn(parameters, parameter) ? (parameters[parameter] ?? undefined) : undefined
    const value: Json | undefined = given ?? query.defaults?.[parameter]
    if (value !== undefined) return value
    throw new Problem('BAD_REQUEST', `the query ${name} needs the parameter ${parameter}`)
  })
  const others = Object.entries(parameters).filter(([one]) => !query.parameters.includes(one))
  const { fields, sortKeys, counts } = query
  return {
    ...{ filter, fields, parameters: Object.fromEntries(others) as Record<string, P> },
    ...(sortKeys && { sortKeys }),
    ...(counts && { counts }),
  }
}

function all(...filters: Filter[]): Filter {
  return { kind: 'and', filters }
}

function equals(field: string, value: Json): Filter {
  return { kind: 'compare', operator: 'eq', pointer: parsePointer(field), value }
}

/** A pattern of SQL: `%` stands for any text, at its ends. */
function like(field: string, value: Json): Filter {
  const [, before = '', text = '', after = ''] = /^(%?)(.*?)(%?)$/s.exec(String(value)) ?? []
  if (text.includes('%'))
    throw new Problem('BAD_REQUEST', `${JSON.stringify(value)}: a % stands at the beginning or the end only`)
  const pointer = parsePointer(field)
  if (text === '' && before === '%') return { kind: 'present', pointer }
  const operator = before === '' ? (after === '' ? 'eq' : 'sw') : after === '' ? 'ew' : 'co'
  return { kind: 'compare', operator, pointer, value: text }
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
