import { printCookie } from '../../kit/cookies.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { parseCookie } from '../cookie.ts'
import type { StorePage, StoreQuery } from '../query.ts'
import { number } from './column.ts'
import type { Connection, Residue, Row } from './connection.ts'
import { documentOf } from './document.ts'
import { documentField } from './field.ts'
import { type FieldOf, filterCondition } from './filter-sql.ts'
import { all, type Fragment, fragment } from './fragment.ts'
import { after, type OrderTerm, orderBy, orderTerms, placeOf } from './order-sql.ts'

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

/** Rows whose column `content` holds what is queried. `natural` and `ties`: see Queryable. */
export function documents(
  from: string,
  scope: Fragment,
  { natural = 'seq', ties = ['id'] }: { natural?: string; ties?: readonly string[] } = {},
): Queryable<JsonObject> {
  return {
    ...{ from, scope, natural: [natural], ties, fieldOf: documentField },
    ...{ json: 'content', select: 'seq, id, content' },
    objectOf: (row) => documentOf(row.content),
  }
}

/** All pages in the order of a text that no two items share: each is read from the last item of the one before. */
export async function* pages<T>(
  pageSize: number,
  keyOf: (item: T) => string,
  read: (after: string) => Promise<readonly T[]>,
): AsyncIterable<readonly T[]> {
  for (let last: T | undefined; ; ) {
    const page = await read(last === undefined ? '' : keyOf(last))
    if (page.length > 0) yield page
    if (page.length < pageSize) return
    last = page.at(-1)
  }
}

/** One page of what matches (platform §1.1): one statement, and another one if the total is wanted. */
export function queried<T extends JsonObject>(
  connection: Connection,
  table: Queryable<T>,
  query: StoreQuery,
): StorePage<T> {
  const condition = conditionOf(table, query)
  return connection.withResidue(condition.accepts, () => ({
    ...page(connection, table, query, condition),
    ...(query.total && { total: total(connection, table, condition) }),
  }))
}

/** The statement that reads a page. */
export function pageStatement<T extends JsonObject>(
  table: Queryable<T>,
  query: StoreQuery,
  condition: Fragment = conditionOf(table, query),
): Fragment {
  const { pageSize, cookie, offset = 0 } = query
  const terms = termsOf(table, query)
  const { sql, parameters } =
    cookie === undefined ? condition : all([condition, after(terms, parseCookie(cookie, terms.length))])
  // One more than asked for tells whether there is a next page.
  const limit = pageSize === undefined ? -1 : pageSize + 1
  return fragment(
    `SELECT ${table.select} FROM ${table.from} WHERE ${sql} ORDER BY ${orderBy(terms)} LIMIT ? OFFSET ?`,
    ...parameters,
    limit,
    cookie === undefined ? offset : 0,
  )
}

interface PageCondition extends Fragment {
  /** Decides what SQL left undecided. */
  readonly accepts: Residue | undefined
}

function conditionOf<T extends JsonObject>(table: Queryable<T>, { filter }: StoreQuery): PageCondition {
  const { residue, ...condition } = filterCondition(filter, table.fieldOf)
  if (!residue) return { ...all([table.scope, condition]), accepts: undefined }
  const undecided = fragment(`syncline_accepts(${table.json})`)
  return { ...all([table.scope, condition, undecided]), accepts: overText(compileFilter(residue)) }
}

function termsOf<T extends JsonObject>(
  table: Queryable<T>,
  { sortKeys = [] }: StoreQuery,
): readonly OrderTerm[] {
  return orderTerms(sortKeys, sortKeys.length > 0 ? table.ties : table.natural, table.fieldOf)
}

function page<T extends JsonObject>(
  connection: Connection,
  table: Queryable<T>,
  query: StoreQuery,
  condition: Fragment,
): StorePage<T> {
  const { sql, parameters } = pageStatement(table, query, condition)
  const rows = connection.db.prepare(sql).all(...parameters)
  const kept = rows.slice(0, query.pageSize)
  const result = kept.map((row) => table.objectOf(row))
  const last = result.at(-1)
  const more = kept.length < rows.length && last !== undefined
  const columns = kept.at(-1) ?? {}
  return {
    result,
    cookie: more ? printCookie(placeOf(termsOf(table, query), { object: last, columns })) : null,
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
  return number(statement.get(...condition.parameters)?.total)
}

function overText(test: (root: Json) => boolean): Residue {
  return (json) => test(JSON.parse(json))
}
