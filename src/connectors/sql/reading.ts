import { chunks } from '../../kit/chunks.ts'
import { placeIn, printCookie } from '../../kit/cookies.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import { type Filter, matchesEverything } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { completeListing, type Listing, listedTwice } from '../../model/listing.ts'
import type { SortKey } from '../../model/sort.ts'
import { isUnreadable, Unreadable } from '../../model/unreadable.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ObjectPage, PageQuery } from '../kit/query.ts'
import type { Cell, Column } from './column.ts'
import type { Dialect, Session } from './dialect.ts'
import { Cells, whereOf } from './filter.ts'
import { columnOf, idOf, keyOf, type RowReader, rowReader, type Table } from './table.ts'

/** The statements that read rows. */
export interface Reading {
  readonly table: Table
  readonly dialect: Dialect
}

/** Ids of one statement: databases limit their parameters. */
const idsAtOnce = 1_000

export async function readByIds(
  session: Session,
  { table, dialect }: Reading,
  ids: readonly string[],
  fields: readonly string[] | undefined,
): Promise<ReadonlyMap<string, ConnectorEntry>> {
  const reader = rowReader(table, fields)
  const wanted = new Set(ids)
  const found = new Map<string, ConnectorEntry>()
  for (const some of chunks([...wanted], idsAtOnce)) {
    const cells = new Cells(dialect)
    const condition = idCondition(some, table, dialect, cells)
    if (condition === undefined) continue
    const sql = `SELECT ${listOf(reader.columns, dialect)} FROM ${table.sql} WHERE ${condition}`
    for (const row of await session.rows(sql, cells.list)) {
      const entry = reader.read(row)
      // Where a collation takes several texts for one, only the id that was asked for is meant.
      if (!entry || !wanted.has(entry._id)) continue
      found.set(entry._id, found.has(entry._id) ? doubled(entry._id, table) : entry)
    }
  }
  return found
}

/** Undefined if no row can have one of these ids. */
export function idCondition(
  ids: readonly string[],
  { key }: Table,
  dialect: Dialect,
  cells: Cells,
): string | undefined {
  const keys = ids.map((id) => keyOf(id, key)).filter((cell) => cell !== undefined)
  if (keys.length === 0) return undefined
  return dialect.oneOf(dialect.quote(key.name), keys, key, cells)
}

export function doubled(id: string, { settings, key }: Table): Unreadable {
  const fact = `${settings.table} has more than one row with the ${key.name} "${id}"`
  return new Unreadable(id, new ConnectorError('unreadable', fact))
}

export function namesOf(columns: readonly Column[], dialect: Dialect): string {
  return columns.map(({ name }) => dialect.quote(name)).join(', ')
}

/** What a select asks for. */
export function listOf(columns: readonly Column[], dialect: Dialect): string {
  return columns.map((column) => selected(dialect.quote(column.name), column, dialect)).join(', ')
}

export function selected(sql: string, column: Column, dialect: Dialect): string {
  return dialect.selected?.(sql, column) ?? sql
}

/** The select of a search, in the order of the keys, and what is still to be done with its rows. */
export interface Selection {
  readonly sql: (condition: string) => string
  readonly cells: Cells
  readonly reader: RowReader
  readonly accepts: (entry: ConnectorEntry) => boolean
}

export function selectionOf(
  { table, dialect }: Reading,
  filter: Filter,
  fields: readonly string[] | undefined,
): Selection {
  const cells = new Cells(dialect)
  const where = whereOf(filter, table, dialect, cells)
  const isWhole = matchesEverything(where.rest)
  // The rest may ask for attributes that are not wanted.
  const reader = rowReader(table, isWhole ? fields : undefined)
  const wanted = isWhole ? undefined : fields && new Set(['_id', ...fields])
  const matches = compileFilter(where.rest)
  const key = dialect.quote(table.key.name)
  return {
    cells,
    reader,
    accepts: (entry) => {
      if (isWhole || isUnreadable(entry)) return true
      if (!matches(jsonOf(entry))) return false
      if (wanted) for (const name of Object.keys(entry)) if (!wanted.has(name)) delete entry[name]
      return true
    },
    sql: (condition) => {
      const conditions = [where.sql, condition, table.key.nullable ? `${key} IS NOT NULL` : ''].filter(
        Boolean,
      )
      const all = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
      return `SELECT ${listOf(reader.columns, dialect)} FROM ${table.sql}${all}`
    },
  }
}

/** What a filter compares; secrets compare with nothing. */
function jsonOf(object: Readonly<Record<string, unknown>>): JsonObject {
  const result: JsonObject = {}
  for (const [name, value] of Object.entries(object)) {
    if (value instanceof Uint8Array) result[name] = Buffer.from(value).toString('base64')
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      result[name] = value
  }
  return result
}

/** The keys that several rows have, if no index forbids it. */
async function doubledIds(session: Session, { table, dialect }: Reading): Promise<ReadonlySet<string>> {
  const { key } = table
  if (key.unique) return new Set()
  const name = dialect.quote(key.name)
  const rows = await session.rows(
    `SELECT ${name} FROM ${table.sql} WHERE ${name} IS NOT NULL GROUP BY ${name} HAVING COUNT(*) > 1`,
  )
  return new Set(rows.flatMap(([cell]) => idOf(cell ?? null, key) ?? []))
}

export interface KeyFaults {
  /** Ids that several rows have. */
  readonly doubles: ReadonlySet<string>
  readonly listing: Listing
}

/** What is wrong with the keys of the table: whether a listing of it is complete. */
export async function keyFaults(session: Session, reading: Reading): Promise<KeyFaults> {
  const { key, settings } = reading.table
  const name = reading.dialect.quote(key.name)
  const lacks = key.nullable ? await countWhere(session, reading, `${name} IS NULL`) : 0
  const doubles = await doubledIds(session, reading)
  const [first] = doubles
  if (lacks > 0)
    return {
      doubles,
      listing: { state: 'partial', reason: `${lacks} rows of ${settings.table} have no ${key.name}` },
    }
  return { doubles, listing: first === undefined ? completeListing : listedTwice(settings.table, first) }
}

export async function countWhere(session: Session, { table }: Reading, condition = ''): Promise<number> {
  const [row] = await session.rows(`SELECT COUNT(*) FROM ${table.sql}${condition && ` WHERE ${condition}`}`)
  return Number(row?.[0] ?? 0)
}

/** Can the database give this order: texts by code point, absent values last? */
export function canSort(table: Table, sortKeys: readonly SortKey[]): boolean {
  return sortKeys.every(({ pointer: [name = '', ...below] }) => {
    const column = name === '_id' ? table.key : columnOf(name, table)
    if (!column || below.length > 0 || column.padded || column === table.status) return false
    if (column === table.password || column.comparison !== 'exact') return false
    return column.kind === 'text' || (column.kind === 'integer' && name !== '_id')
  })
}

interface Order {
  readonly column: Column
  readonly sql: string
  readonly descending: boolean
}

/** One page, found by the place where the one before it ended: rows may come and go between the two. */
export async function readPage(session: Session, reading: Reading, query: PageQuery): Promise<ObjectPage> {
  const { table, dialect } = reading
  const orders = ordersOf(reading, query.sortKeys)
  const { total, ...selection } = await pageSelection(session, reading, query)
  const objects: ConnectorEntry[] = []
  let after = query.cookie === undefined ? undefined : placeOf(query.cookie, orders.length)
  let skip = query.offset
  const size = query.pageSize + 1
  for (;;) {
    const cells = new Cells(dialect)
    for (const cell of selection.cells.list) cells.add(cell)
    const condition = after === undefined ? '' : afterPlace(orders, after, cells)
    const limit = dialect.limit(size, selection.isWhole ? skip : 0)
    const extra = listOf(
      orders.map(({ column }) => column),
      dialect,
    )
    const sql = selection.sql(condition).replace(/^SELECT /, `SELECT ${extra}, `)
    const order = orders.map((one) => orderOf(one, table)).join(', ')
    const rows = await session.rows(`${sql} ORDER BY ${order} ${limit}`, cells.list)
    for (const row of rows) {
      const place = row.slice(0, orders.length)
      const entry = selection.reader.read(row.slice(orders.length))
      if (!entry || !selection.accepts(entry)) continue
      if (!selection.isWhole && skip-- > 0) continue
      // One more shows that another page follows.
      if (objects.length === query.pageSize) return { objects, cookie: cookieOf(after ?? []), ...total }
      objects.push(entry)
      after = place
    }
    if (rows.length < size) return { objects, cookie: null, ...total }
    after = rows.at(-1)?.slice(0, orders.length)
    if (selection.isWhole) skip = 0
  }
}

async function pageSelection(session: Session, reading: Reading, query: PageQuery) {
  const selection = selectionOf(reading, query.filter, query.fields)
  const cells = new Cells(reading.dialect)
  const where = whereOf(query.filter, reading.table, reading.dialect, cells)
  const isWhole = matchesEverything(where.rest)
  if (!query.total || !isWhole) return { ...selection, isWhole, total: {} }
  const condition = where.sql && ` WHERE ${where.sql}`
  const [row] = await session.rows(`SELECT COUNT(*) FROM ${reading.table.sql}${condition}`, cells.list)
  return { ...selection, isWhole, total: { total: Number(row?.[0] ?? 0) } }
}

function ordersOf({ table, dialect }: Reading, sortKeys: readonly SortKey[]): readonly Order[] {
  const sorted = sortKeys.map(({ pointer, descending }): Order => {
    const column = columnOf(pointer[0] ?? '', table) ?? table.key
    const name = dialect.quote(column.name)
    return { column, descending, sql: column.kind === 'text' ? dialect.byCodePoint(name) : name }
  })
  const { key } = table
  // What is said twice says nothing more, and is an error for some.
  const orders = sorted.filter(
    ({ column }, place) => sorted.findIndex((one) => one.column === column) === place,
  )
  if (orders.some(({ column }) => column === key)) return orders
  const isText = sortKeys.length > 0 && key.kind === 'text'
  const name = dialect.quote(key.name)
  return [...orders, { column: key, descending: false, sql: isText ? dialect.byCodePoint(name) : name }]
}

function orderOf({ column, sql, descending }: Order, table: Table): string {
  const direction = descending ? ' DESC' : ''
  return column.nullable && column !== table.key
    ? `CASE WHEN ${sql} IS NULL THEN 1 ELSE 0 END, ${sql}${direction}`
    : `${sql}${direction}`
}

/** The rows after a place: equal in the first keys and beyond it in the next. Absent values come last. */
function afterPlace(orders: readonly Order[], place: readonly Cell[], cells: Cells): string {
  const parts: string[] = []
  let equal = ''
  for (const [at, { column, sql, descending }] of orders.entries()) {
    const cell = place[at] ?? null
    if (cell === null) {
      equal += `${sql} IS NULL AND `
      continue
    }
    const value = cells.add(cell, column)
    const beyond = `${sql} ${descending ? '<' : '>'} ${value}`
    parts.push(`(${equal}${column.nullable ? `(${beyond} OR ${sql} IS NULL)` : beyond})`)
    equal += `${sql} = ${value} AND `
  }
  return `(${parts.join(' OR ')})`
}

function cookieOf(place: readonly Cell[]): string {
  return printCookie(
    place.map((cell) =>
      typeof cell === 'bigint' ? { n: String(cell) } : cell instanceof Uint8Array ? null : cell,
    ),
  )
}

function placeOf(cookie: string, length: number): readonly Cell[] {
  const place = placeIn(cookie)
  if (place?.length === length)
    return place.map((one): Cell => {
      if (one === null || typeof one === 'string' || typeof one === 'number') return one
      const { n }: { readonly n?: unknown } = Object(one)
      return typeof n === 'string' && /^-?\d+$/.test(n) ? BigInt(n) : null
    })
  throw new ConnectorError('unknownCookie', 'The paging cookie is not one of this query')
}
