import { compileFilter } from '../../model/filter-evaluate.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { parseCookie, printCookie } from '../cookie.ts'
import type { StorePage, StoreQuery } from '../repository.ts'
import type { Connection, Residue } from './connection.ts'
import { type FieldOf, filterCondition } from './filter-sql.ts'
import { all, type Fragment, fragment } from './fragment.ts'
import { after, orderBy, orderTerms, placeOf } from './order-sql.ts'

/** A table that can be queried, and how its rows are seen from outside. */
export interface Queryable<T extends JsonObject> {
  readonly from: string
  /** Which rows there are at all, e.g. those of one topic. */
  readonly scope: Fragment
  readonly fieldOf: FieldOf
  /** An expression for the row's JSON text. */
  readonly json: string
  readonly select: string
  /** Columns that order a query without sort keys, the last of them unique. */
  readonly natural: readonly string[]
  /** Columns that decide between rows of equal sort keys, the last of them unique. */
  readonly ties: readonly string[]
  objectOf(row: Row): T
}

export type Row = Readonly<Record<string, unknown>>

/** One page of what matches (platform specification §1.1): one statement, and another one if the total is wanted. */
export function queried<T extends JsonObject>(
  connection: Connection,
  table: Queryable<T>,
  query: StoreQuery,
): StorePage<T> {
  const { residue, ...condition } = filterCondition(query.filter, table.fieldOf)
  const parts = [table.scope, condition, ...(residue ? [fragment(`syncline_accepts(${table.json})`)] : [])]
  const accepts: Residue | undefined = residue && overText(compileFilter(residue))
  return connection.withResidue(accepts, () => ({
    ...page(connection, table, query, parts),
    ...(query.total && { total: total(connection, table, all(parts)) }),
  }))
}

function page<T extends JsonObject>(
  connection: Connection,
  table: Queryable<T>,
  { sortKeys = [], pageSize, cookie, offset = 0 }: StoreQuery,
  conditions: readonly Fragment[],
): StorePage<T> {
  const terms = orderTerms(sortKeys, sortKeys.length > 0 ? table.ties : table.natural, table.fieldOf)
  const further = cookie === undefined ? [] : [after(terms, parseCookie(cookie, terms.length))]
  const { sql, parameters } = all([...conditions, ...further])
  const statement = connection.db.prepare(
    `SELECT ${table.select} FROM ${table.from} WHERE ${sql} ORDER BY ${orderBy(terms)} LIMIT ? OFFSET ?`,
  )
  // One more than asked for tells whether there is a next page.
  const limit = pageSize === undefined ? -1 : pageSize + 1
  const rows = statement.all(...parameters, limit, cookie === undefined ? offset : 0)
  const kept = pageSize === undefined ? rows : rows.slice(0, pageSize)
  const result = kept.map((row) => table.objectOf(row))
  const last = result.at(-1)
  const more = kept.length < rows.length && last !== undefined
  return {
    result,
    cookie: more ? printCookie(placeOf(terms, { object: last, columns: kept.at(-1) ?? {} })) : null,
  }
}

function total<T extends JsonObject>(
  connection: Connection,
  table: Queryable<T>,
  condition: Fragment,
): number {
  const statement = connection.db.prepare(
    `SELECT count(*) AS total FROM ${table.from} WHERE ${condition.sql}`,
  )
  return statement.get(...condition.parameters)?.total as number
}

function overText(test: (root: Json) => boolean): Residue {
  return (json) => test(JSON.parse(json) as Json)
}
