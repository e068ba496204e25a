import { nearest } from '../../model/nearest.ts'
import { type Pointer, parsePointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import {
  queryKeys,
  type Selection,
  selectionIn,
  type TotalPolicy,
  totalPolicyOf,
} from '../../model/query-words.ts'
import { parseSortKeys } from '../../model/sort.ts'
import type { ResourceQuery } from '../../router/resources.ts'

/**
 * The parameters of a request (platform §1.1): names ignore case, single-valued parameters must not be
 * repeated, numbers must be numbers. All other parameters are additional and passed on as text.
 */
export interface Parameters {
  readonly fields: readonly Pointer[] | undefined
  readonly prettyPrint: boolean
  readonly mimeType: string | undefined
  readonly action: string | undefined
  /** The selection of a query. If there is one, a GET is a query. */
  readonly selection: Selection | undefined
  readonly paging: Paging
  /** All others, under their names as sent. */
  readonly additional: Readonly<Record<string, string>>
  /** The reserved parameters with their values as sent, under their documented names. */
  readonly reserved: Readonly<Partial<Record<ReservedName, string>>>
}

/** As a query takes it. */
export interface Paging extends Pick<ResourceQuery, 'sortKeys' | 'pageSize' | 'cookie' | 'offset'> {
  readonly totalPolicy: TotalPolicy
}

const reservedNames = [
  '_fields',
  '_prettyPrint',
  '_mimeType',
  '_action',
  ...queryKeys,
  '_sortKeys',
  '_pageSize',
  '_pagedResultsCookie',
  '_pagedResultsOffset',
  '_totalPagedResultsPolicy',
] as const
export type ReservedName = (typeof reservedNames)[number]

const reservedByLowerCase: ReadonlyMap<string, ReservedName> = new Map(
  reservedNames.map((name) => [name.toLowerCase(), name]),
)

/** Parses the part of a URL after `?`. BAD_REQUEST names the parameter. */
export function parseParameters(search: string): Parameters {
  const { reserved, additional } = separate(new URLSearchParams(search))
  return {
    fields: fieldsOf(reserved._fields),
    prettyPrint: booleanOf(reserved, '_prettyPrint'),
    mimeType: mimeTypeOf(reserved._mimeType),
    action: reserved._action,
    selection: selectionIn(reserved),
    paging: pagingOf(reserved),
    additional,
    reserved,
  }
}

/** The parameters of an action: all except those for the form of the answer. */
export function actionParameters({ reserved, additional }: Parameters): Readonly<Record<string, string>> {
  const { _action, _fields, _prettyPrint, _mimeType, ...others } = reserved
  return { ...additional, ...others }
}

type Reserved = Partial<Record<ReservedName, string>>

function separate(pairs: URLSearchParams): { reserved: Reserved; additional: Record<string, string> } {
  const found = new Map<string, string>()
  for (const [name, value] of pairs) {
    const canonical = reservedByLowerCase.get(name.toLowerCase()) ?? name
    if (canonical.startsWith('_') && !reservedByLowerCase.has(canonical.toLowerCase())) throw unknown(name)
    if (found.has(canonical))
      throw new Problem('BAD_REQUEST', `The parameter "${canonical}" appears more than once`)
    found.set(canonical, value)
  }
  const isReserved = ([name]: readonly [string, string]) => reservedByLowerCase.has(name.toLowerCase())
  const entries = [...found]
  return {
    reserved: Object.fromEntries(entries.filter(isReserved)),
    additional: Object.fromEntries(entries.filter((entry) => !isReserved(entry))),
  }
}

const descriptors: ReadonlySet<string> = new Set(['_api', '_crestapi'])

/** Names with an underscore are the protocol's. */
function unknown(name: string): Problem {
  if (descriptors.has(name))
    return new Problem(
      'NOT_IMPLEMENTED',
      `There are no descriptions of the interface (${name}); see docs/rest.md`,
    )
  const meant = nearest(name, reservedNames)
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`
  return new Problem('BAD_REQUEST', `Unrecognized request parameter '${name}'${advice}`)
}

function fieldsOf(text: string | undefined): readonly Pointer[] | undefined {
  if (!text) return undefined
  return text.split(',').map((field) => parsePointer(field.trim()))
}

function booleanOf(reserved: Reserved, name: ReservedName): boolean {
  const text = reserved[name]?.toLowerCase()
  if (text === undefined || text === 'false') return false
  if (text === 'true') return true
  throw new Problem('BAD_REQUEST', `The parameter "${name}" must be true or false, not "${reserved[name]}"`)
}

function mimeTypeOf(text: string | undefined): string | undefined {
  if (text === undefined || /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:;\s*charset=[\w-]+)?$/i.test(text)) return text
  throw new Problem('BAD_REQUEST', `The parameter "_mimeType" is not a media type: "${text}"`)
}

function pagingOf(reserved: Reserved): Paging {
  const offset = numberOf(reserved, '_pagedResultsOffset')
  const cookie = reserved._pagedResultsCookie
  if (cookie && offset) {
    throw new Problem('BAD_REQUEST', '"_pagedResultsOffset" and "_pagedResultsCookie" exclude one another')
  }
  const pageSize = numberOf(reserved, '_pageSize')
  return {
    ...(reserved._sortKeys && { sortKeys: parseSortKeys(reserved._sortKeys) }),
    ...(pageSize && { pageSize }),
    ...(cookie && { cookie }),
    ...(offset && { offset }),
    totalPolicy: totalPolicyOf(reserved._totalPagedResultsPolicy ?? 'NONE'),
  }
}

function numberOf(reserved: Reserved, name: ReservedName): number | undefined {
  const text = reserved[name]
  if (text === undefined) return undefined
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(number)) return number
  throw new Problem(
    'BAD_REQUEST',
    `The parameter "${name}" must be a whole number of at least 0, not "${text}"`,
  )
}
