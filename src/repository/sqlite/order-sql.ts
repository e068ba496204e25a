import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { getAt } from '../../model/pointer.ts'
import type { SortKey } from '../../model/sort.ts'
import { jsonField, rankOf } from './field.ts'
import { type FieldOf, numberParameter } from './filter-sql.ts'
import { all, any, type Fragment, fragment } from './fragment.ts'

/**
 * The order of a query and the places in it, meaning exactly what `compareBy` means (platform §1.1).
 *
 * A place is the row's values under each term. The rows after it are a condition, so that paging needs no counting
 * and survives writes between two pages.
 */
export interface OrderTerm {
  readonly orderBy: string
  /** The row's value here, of which a cookie is made. */
  valueIn(row: OrderedRow): Json | undefined
  /** Rows that come after `value` by this term, or that equal it and fulfil `further`. */
  after(value: Json, further: Fragment): Fragment
  /** A condition that all rows after `value` fulfil and that an index can use. */
  notBefore(value: Json): Fragment | undefined
}

export interface OrderedRow {
  readonly object: JsonObject
  readonly columns: Readonly<Record<string, unknown>>
}

export function orderTerms(
  sortKeys: readonly SortKey[],
  ties: readonly string[],
  fieldOf: FieldOf,
): readonly OrderTerm[] {
  const terms = sortKeys.flatMap((key) => {
    const field = fieldOf(key.pointer)
    if (field.kind === 'absent') return []
    // A column that may be null has no place for its nulls.
    if (field.kind === 'column' && !field.optional) return [columnTerm(field.column, key.descending)]
    return [jsonTerm(key, field.kind === 'json' ? field : jsonField(key.pointer))]
  })
  return [...terms, ...ties.map((name) => columnTerm(name, false))]
}

/** The rows after a place. */
export function after(terms: readonly OrderTerm[], place: readonly Json[]): Fragment {
  const rows = terms.reduceRight((further, term, i) => term.after(place[i] ?? null, further), fragment('0'))
  const bound = terms[0]?.notBefore(place[0] ?? null)
  return bound ? all([bound, rows]) : rows
}

function columnTerm(name: string, descending: boolean): OrderTerm {
  const beyond = descending ? '<' : '>'
  return {
    orderBy: descending ? `${name} DESC` : name,
    valueIn: ({ columns }) => columns[name] as Json,
    after(value, further) {
      const bound = value as string | number
      return any([fragment(`${name} ${beyond} ?`, bound), all([fragment(`${name} = ?`, bound), further])])
    },
    notBefore: (value) => fragment(`${name} ${beyond}= ?`, value as string | number),
  }
}

function jsonTerm(key: SortKey, { rank, value }: { rank: string; value: string }): OrderTerm {
  const isEmpty = `${rank} = ${rankOf.empty}`
  const beyond = key.descending ? '<' : '>'
  return {
    // Null is last in both directions, and its rank is the highest.
    orderBy: key.descending ? `(${isEmpty}), ${rank} DESC, ${value} DESC` : `${rank}, ${value}`,
    valueIn: ({ object }) => getAt(object, key.pointer),
    after(place, further) {
      const here = rankOfValue(place)
      const sameRank = fragment(`${rank} = ${here}`)
      if (here === rankOf.empty) return all([sameRank, further])
      const parameter = valueParameter(place)
      const beyondValue = fragment(`${value} ${beyond} ${parameter.sql}`, ...parameter.parameters)
      const sameValue = fragment(`${value} = ${parameter.sql}`, ...parameter.parameters)
      return any([
        fragment(key.descending ? `(${rank} < ${here} OR ${isEmpty})` : `${rank} > ${here}`),
        all([sameRank, any([beyondValue, all([sameValue, further])])]),
      ])
    },
    notBefore(place) {
      if (key.descending) return undefined
      const here = rankOfValue(place)
      if (here === rankOf.empty) return fragment(`${rank} >= ${here}`)
      const parameter = valueParameter(place)
      return fragment(`(${rank}, ${value}) >= (${here}, ${parameter.sql})`, ...parameter.parameters)
    },
  }
}

function rankOfValue(value: Json): number {
  if (value === null) return rankOf.empty
  if (Array.isArray(value)) return rankOf.array
  if (isJsonObject(value)) return rankOf.object
  return typeof value === 'string' ? rankOf.text : typeof value === 'number' ? rankOf.number : rankOf.boolean
}

function valueParameter(value: Json): Fragment {
  if (typeof value === 'string') return fragment('?', value)
  if (typeof value === 'boolean') return fragment('?', Number(value))
  const text = JSON.stringify(value)
  return typeof value === 'number' ? fragment(numberParameter, text) : fragment('?', text)
}
