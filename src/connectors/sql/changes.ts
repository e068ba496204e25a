import { createHash } from 'node:crypto'
import type { Json } from '../../model/json.ts'
import { isJsonObject } from '../../model/json.ts'
import type { ConnectorChange } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Cell, Column, Row } from './column.ts'
import { digestOf } from './digest.ts'
import { Cells } from './filter.ts'
import type { FollowedPage, Following } from './following.ts'
import { listOf, type Reading, selected } from './reading.ts'
import type { ChangeReading } from './row-stream.ts'
import { rowReader } from './table.ts'
import { earlier } from './times.ts'

/**
 * The changes of a table by a column that grows with each change of its row (platform §5.3), in pages by (stamp, key).
 *
 * A row can be committed after another one with a later stamp, and many rows can have one stamp. So what is not far behind the newest
 * stamp (`changeLogOverlap`) is read again, and the token has digests of the rows of this window that were reported: those that are as they
 * were are not reported again. Deletions leave no trace in such a column and are not reported.
 */
interface Stamps extends ChangeReading {
  readonly change: Column
  /** Seconds, or a difference of numbers. */
  readonly overlap: number
}

/** What a token knows of the window behind the newest stamp. */
interface KnownWindow {
  readonly newest: Cell
  /** Digests of its rows, the newest ones. */
  readonly seen: readonly string[]
  /** All of its rows together, where there are more than the digests that are kept. */
  readonly sum?: string | undefined
}

const pageSize = 500
/** Digests in a token. If a window has more rows, some may be reported once more when the window changes. */
const mostSeen = 2_000

export const byColumn: Following = {
  nameIn: (reading) => requireChangeColumn(reading).name,
  latest: latestPosition,
  after: changesAfter,
}

function requireChangeColumn({ table }: Reading): Column {
  if (table.change) return table.change
  throw new ConnectorError('unsupported', 'The system has no changeLogColumn')
}

/** The position of the present; null where no row has a stamp. */
async function latestPosition(reading: ChangeReading, signal?: AbortSignal): Promise<Json> {
  const { table, dialect, connections } = reading
  const change = requireChangeColumn(reading)
  const newestStamp = selected(`MAX(${dialect.quote(change.name)})`, change, dialect)
  const [row] = await connections.use(
    (session) => session.rows(`SELECT ${newestStamp} FROM ${table.sql}`),
    signal,
  )
  const newest = row?.[0] ?? null
  const stamps = { ...reading, change, overlap: overlapOf(reading) }
  const window = new Window(stamps)
  if (newest !== null)
    for await (const rows of rowsFrom(stamps, floorOf(newest, stamps), signal))
      for (const one of rows) window.add(one)
  return window.position() ?? null
}

async function* changesAfter(
  reading: ChangeReading,
  known: Json | undefined,
  signal?: AbortSignal,
): AsyncGenerator<FollowedPage> {
  const stamps = { ...reading, change: requireChangeColumn(reading), overlap: overlapOf(reading) }
  const before = known === undefined ? undefined : windowIn(known)
  const floor = before ? floorOf(before.newest, stamps) : undefined
  if (before?.sum !== undefined && before.sum === (await sumFrom(stamps, floor, signal))) return
  const seen = new Set(before?.seen)
  const window = new Window(stamps)
  const { read } = rowReader(reading.table, undefined)
  for await (const rows of rowsFrom(stamps, floor, signal, known === undefined)) {
    const changes = rows.flatMap((row): ConnectorChange[] => {
      window.add(row)
      if (seen.has(digestOf(row))) return []
      const object = read(row.slice(1))
      return object ? [{ kind: 'CREATE_OR_UPDATE', id: object._id, object }] : []
    })
    if (changes.length > 0) yield { changes, at: window.position() ?? known ?? null }
  }
}

function overlapOf({ table }: Reading): number {
  return table.settings.changes?.overlap ?? 0
}

/** Rows from a stamp on, or all of them, in the order of (stamp, key); the stamp first, then what a reader of rows wants. */
async function* rowsFrom(
  reading: Stamps,
  floor: Cell | undefined,
  signal: AbortSignal | undefined,
  withUnstamped = false,
): AsyncGenerator<readonly Row[]> {
  if (withUnstamped && reading.change.nullable) yield* ordered(reading, undefined, true, signal)
  yield* ordered(reading, floor, false, signal)
}

async function* ordered(
  reading: Stamps,
  floor: Cell | undefined,
  isUnstamped: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Row[]> {
  const { table, dialect, change, connections } = reading
  const [stamp, key] = [change, table.key].map(({ name }) => dialect.quote(name))
  const { columns } = rowReader(table, undefined)
  for (let after: Row | undefined; ; ) {
    const cells = new Cells(dialect)
    const conditions = [`${stamp} IS ${isUnstamped ? '' : 'NOT '}NULL`, `${key} IS NOT NULL`]
    if (floor !== undefined) conditions.push(`${stamp} >= ${cells.add(floor, change)}`)
    if (after) {
      const last = cells.add(after[1] ?? null, table.key)
      if (isUnstamped) conditions.push(`${key} > ${last}`)
      else {
        const at = cells.add(after[0] ?? null, change)
        conditions.push(`(${stamp} > ${at} OR (${stamp} = ${at} AND ${key} > ${last}))`)
      }
    }
    const sql = `SELECT ${listOf([change, ...columns], dialect)} FROM ${table.sql} WHERE ${conditions.join(' AND ')} ORDER BY ${stamp}, ${key} ${dialect.limit(pageSize, 0)}`
    const rows = await connections.use((session) => session.rows(sql, cells.list), signal)
    if (rows.length > 0) yield rows
    if (rows.length < pageSize) return
    after = rows.at(-1)
  }
}

/** The rows that were read so far and are not far behind the newest of them. */
class Window {
  readonly #reading: Stamps
  #rows: { readonly stamp: Cell; readonly digest: string }[] = []
  #newest: Cell = null

  constructor(reading: Stamps) {
    this.#reading = reading
  }

  add(row: Row): void {
    const [stamp = null] = row
    if (stamp === null) return
    this.#newest = stamp
    this.#rows.push({ stamp, digest: digestOf(row) })
    if (this.#rows.length > 20 * mostSeen) this.#forget()
  }

  /** Undefined before the first row that has a stamp. */
  position(): Json | undefined {
    if (this.#newest === null) return undefined
    this.#forget()
    const digests = this.#rows.map(({ digest }) => digest)
    const isFull = digests.length > mostSeen
    return {
      newest: String(this.#newest),
      seen: digests.slice(-mostSeen),
      ...(isFull && { sum: sumOf(digests) }),
    }
  }

  #forget(): void {
    const floor = floorOf(this.#newest, this.#reading)
    const first = this.#rows.findIndex(({ stamp }) => isAtLeast(stamp, floor, this.#reading.change))
    if (first > 0) this.#rows = this.#rows.slice(first)
  }
}

async function sumFrom(reading: Stamps, floor: Cell | undefined, signal?: AbortSignal): Promise<string> {
  const digests: string[] = []
  for await (const rows of rowsFrom(reading, floor, signal)) {
    for (const row of rows) digests.push(digestOf(row))
  }
  return sumOf(digests)
}

/** Whatever their order. */
function sumOf(digests: readonly string[]): string {
  const hash = createHash('sha256')
  for (const digest of digests.toSorted()) hash.update(digest)
  return hash.digest('base64url').slice(0, 22)
}

/** Undefined: the table had no stamp then. */
function windowIn(position: Json): KnownWindow | undefined {
  if (position === null) return undefined
  const { newest, seen, sum } = isJsonObject(position) ? position : {}
  if (typeof newest === 'string' && Array.isArray(seen))
    return {
      newest,
      seen: seen.filter((one) => typeof one === 'string'),
      sum: typeof sum === 'string' ? sum : undefined,
    }
  throw new ConnectorError('staleToken', `${JSON.stringify(position)} is no position in a table`)
}

/** How far back is read again. */
function floorOf(newest: Cell, { change, overlap }: Stamps): Cell {
  const text = String(newest)
  if (change.kind === 'integer' || change.kind === 'decimal') {
    const whole = /^-?\d+/.exec(text)?.[0]
    return whole === undefined ? text : BigInt(whole) - BigInt(overlap)
  }
  return earlier(text, overlap) ?? text
}

function isAtLeast(stamp: Cell, floor: Cell, { kind }: Column): boolean {
  return kind === 'integer' || kind === 'decimal'
    ? Number(stamp) >= Number(floor)
    : String(stamp) >= String(floor)
}
