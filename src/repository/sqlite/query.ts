import { printCookie } from '../../kit/cookies.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import type { JsonObject } from '../../model/json.ts'
import { parseCookie } from '../cookie.ts'
import type { StorePage, StoreQuery } from '../query.ts'
import { number } from './column.ts'
import type { Connection, Residue, Row } from './connection.ts'
import { documentOf } from './document.ts'
import { documentField } from './field.ts'
import { type FieldOf, filterCondition } from './filter-sql.ts'
import { all, type Fragment, fragment } from './fragment.ts'
import { after, type OrderTerm, orderTerms } from './order-sql.ts'

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
export async function* pagesByKey<T>(
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
  const fetch = ({ sql, parameters }: Fragment) => connection.db.prepare(sql).all(...parameters)
  return connection.withResidue(condition.accepts, () => {
    const rows = fetch(pageStatement(table, query, condition))
    const kept = rows.slice(0, query.pageSize)
    const result = kept.map((row) => table.objectOf(row))
    const [object, columns] = [result.at(-1), kept.at(-1)]
    const place =
      object && columns && kept.length < rows.length
        ? termsOf(table, query).map((term) => term.valueIn({ object, columns }))
        : undefined
    const count = `SELECT count(*) AS n FROM ${table.from} WHERE ${condition.sql}`
    return {
      result,
      cookie: place ? printCookie(place) : null,
      ...(query.total && { total: number(fetch({ ...condition, sql: count })[0]?.n) }),
    }
  })
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
    `SELECT ${table.select} FROM ${table.from} WHERE ${sql} ORDER BY ${terms.map((term) => term.orderBy).join(', ')} LIMIT ? OFFSET ?`,
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
  const accepts = compileFilter(residue)
  const undecided = fragment(`syncline_accepts(${table.json})`)
  return { ...all([table.scope, condition, undecided]), accepts: (json) => accepts(JSON.parse(json)) }
}

function termsOf<T extends JsonObject>(
  table: Queryable<T>,
  { sortKeys = [] }: StoreQuery,
): readonly OrderTerm[] {
  return orderTerms(sortKeys, sortKeys.length > 0 ? table.ties : table.natural, table.fieldOf)
}
