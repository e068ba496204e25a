import { createHash } from 'node:crypto'
import type { Json } from '../../model/json.ts'
import { isJsonObject } from '../../model/json.ts'
import { type ChangesPage, type ConnectorChange, requireEpoch, type SyncToken } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Cell, Column, Row } from './column.ts'
import type { Session } from './dialect.ts'
import { Cells } from './filter.ts'
import { listOf, type Reading } from './reading.ts'
import { rowReader } from './table.ts'
import { earlier } from './times.ts'

/**
 * The changes of a table by a column that grows with each change of its row (platform §5.3), in pages by (stamp, key).
 *
 * A row can be committed after another one with a later stamp, and many rows can have one stamp. So what is not far behind the newest
 * stamp (`changeLogOverlap`) is read again, and the token has digests of the rows of this window that were reported: those that are as they
 * were are not reported again. Deletions leave no trace in such a column and are not reported.
 */
export interface ChangeReading extends Reading {
  readonly change: Column
  /** Seconds, or a difference of numbers. */
  readonly overlap: number
  use<T>(work: (session: Session) => Promise<T>): Promise<T>
}

/** What a token knows of the window behind the newest stamp. */
interface Position {
  readonly newest: Cell
  /** Digests of its rows, the newest ones. */
  readonly seen: readonly string[]
  /** All of its rows together, where there are more than the digests that are kept. */
  readonly sum?: string | undefined
}

const pageSize = 500
/** Digests in a token. If a window has more rows, some may be reported once more when the window changes. */
const mostSeen = 2_000

export async function latestToken(reading: ChangeReading): Promise<SyncToken> {
  const { change, table, dialect } = reading
  const [row] = await reading.use((session) =>
    session.rows(`SELECT MAX(${dialect.quote(change.name)}) FROM ${table.sql}`),
  )
  const newest = row?.[0] ?? null
  const window = new Window(reading)
  if (newest !== null)
    for await (const rows of rowsFrom(reading, floorOf(newest, reading)))
      for (const one of rows) window.add(one)
  return window.token() ?? { epoch: epochOf(reading), position: null }
}

export async function* changesSince(
  reading: ChangeReading,
  token: SyncToken | null,
  signal?: AbortSignal,
): AsyncGenerator<ChangesPage, undefined> {
  if (token) requireEpoch(token, epochOf(reading), `The table ${reading.table.settings.table}`)
  const before = token ? positionOf(token) : undefined
  const floor = before ? floorOf(before.newest, reading) : undefined
  if (before?.sum !== undefined && before.sum === (await sumFrom(reading, floor, signal))) return
  const seen = new Set(before?.seen)
  const window = new Window(reading)
  const { read } = rowReader(reading.table, undefined)
  for await (const rows of rowsFrom(reading, floor, token === null)) {
    signal?.throwIfAborted()
    const changes = rows.flatMap((row): ConnectorChange[] => {
      window.add(row)
      if (seen.has(digestOf(row))) return []
      const object = read(row.slice(1))
      return object ? [{ kind: 'CREATE_OR_UPDATE', id: object._id, object }] : []
    })
    if (changes.length > 0) yield { changes, token: window.token() ?? token }
  }
}

/** Rows from a stamp on, or all of them, in the order of (stamp, key); the stamp first, then what a reader of rows wants. */
async function* rowsFrom(
  reading: ChangeReading,
  floor: Cell | undefined,
  withUnstamped = false,
): AsyncGenerator<readonly Row[]> {
  if (withUnstamped && reading.change.nullable) yield* ordered(reading, undefined, true)
  yield* ordered(reading, floor, false)
}

async function* ordered(
  reading: ChangeReading,
  floor: Cell | undefined,
  isUnstamped: boolean,
): AsyncGenerator<readonly Row[]> {
  const { table, dialect, change } = reading
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
    const sql = `SELECT ${stamp}, ${listOf(columns, dialect)} FROM ${table.sql} WHERE ${conditions.join(' AND ')} ORDER BY ${stamp}, ${key} LIMIT ${pageSize}`
    const rows = await reading.use((session) => session.rows(sql, cells.list))
    if (rows.length > 0) yield rows
    if (rows.length < pageSize) return
    after = rows.at(-1)
  }
}

/** The rows that were read so far and are not far behind the newest of them. */
class Window {
  readonly #reading: ChangeReading
  #rows: { readonly stamp: Cell; readonly digest: string }[] = []
  #newest: Cell = null

  constructor(reading: ChangeReading) {
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
  token(): SyncToken | undefined {
    if (this.#newest === null) return undefined
    this.#forget()
    const digests = this.#rows.map(({ digest }) => digest)
    const isFull = digests.length > mostSeen
    const position: { [name: string]: Json } = {
      newest: String(this.#newest),
      seen: digests.slice(-mostSeen),
      ...(isFull && { sum: sumOf(digests) }),
    }
    return { epoch: epochOf(this.#reading), position }
  }

  #forget(): void {
    const floor = floorOf(this.#newest, this.#reading)
    const first = this.#rows.findIndex(({ stamp }) => isAtLeast(stamp, floor, this.#reading.change))
    if (first > 0) this.#rows = this.#rows.slice(first)
  }
}

async function sumFrom(
  reading: ChangeReading,
  floor: Cell | undefined,
  signal?: AbortSignal,
): Promise<string> {
  const digests: string[] = []
  for await (const rows of rowsFrom(reading, floor)) {
    signal?.throwIfAborted()
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

function digestOf(row: Row): string {
  const cells = row.map((cell) =>
    cell instanceof Uint8Array ? Buffer.from(cell).toString('base64') : cell === null ? null : String(cell),
  )
  return createHash('sha256').update(JSON.stringify(cells)).digest('base64url').slice(0, 11)
}

function epochOf({ dialect, table, change }: ChangeReading): string {
  return `${dialect.place} ${table.sql} ${change.name}`
}

function positionOf({ position }: SyncToken): Position | undefined {
  // The table had no stamp then.
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
function floorOf(newest: Cell, { change, overlap }: ChangeReading): Cell {
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
