import { chunksOf } from '../../kit/chunks.ts'
import type { Listing } from '../../model/listing.ts'
import { compareText } from '../../model/sort.ts'
import { copyNamed, keep } from '../files/copies.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry } from '../kit/query.ts'
import type { Row } from './column.ts'
import { digestOf } from './digest.ts'
import { Cells } from './filter.ts'
import { doubled, type KeyFaults, keyFaults, listOf, type Reading, readByIds } from './reading.ts'
import { type ChangeReading, type KeyOrder, rowsInOrder } from './row-stream.ts'
import { type KnownRow, SnapshotReader, SnapshotWriter } from './snapshot.ts'
import { idOf, rowReader } from './table.ts'

/**
 * The changes of a table by comparison with a snapshot of it (snapshot.ts), which needs no column that grows. Both come in the
 * order of the ids, so one walk beside the other finds what is new, what is gone and what is not as it was, without holding
 * either. The position of a token is the time of its snapshot, its epoch a digest of it. While the listing is not complete, no
 * deletions are reported, and the older snapshot stays the one to compare with.
 */
export interface Comparison extends ChangeReading {
  /** The path of the snapshots, without their time. */
  readonly base: string
  /** Only which rows there are: what they hold is found in another way. */
  readonly keysOnly: boolean
}

const pageSize = 500
const rowsAtOnce = 2_000
/** The one that the last stored token names, and the one of a token that is not stored yet. */
const keptSnapshots = 2

/** Makes a snapshot of the table as it is now, from which changes are counted. */
export async function snapshotToken(comparison: Comparison, signal?: AbortSignal): Promise<SyncToken> {
  await using writer = await SnapshotWriter.begin(comparison.base, titleOf(comparison))
  const faults = await faultsOf(comparison, signal)
  for await (const { known } of listed(comparison, faults, signal)) await writer.add(known)
  return await keep(await writer.finish(), comparison.base, keptSnapshots)
}

export async function* comparedSince(
  comparison: Comparison,
  token: SyncToken | null,
  signal?: AbortSignal,
): AsyncGenerator<ChangesPage, Listing> {
  const { base } = comparison
  const before = token === null ? undefined : await copyNamed(base, token)
  await using old = before && (await SnapshotReader.open(before.file, titleOf(comparison)))
  await using writer = await SnapshotWriter.begin(base, titleOf(comparison))
  const faults = await faultsOf(comparison, signal)
  const isComplete = faults.listing.state === 'complete'
  const found = differences(comparison, old, writer, listed(comparison, faults, signal))
  for await (const some of chunksOf(found, pageSize)) {
    const kept = some.filter(({ kind }) => kind !== 'DELETE' || isComplete)
    const changes = await changesOf(comparison, kept, signal)
    if (changes.length > 0) yield { changes, token }
  }
  if (isComplete)
    yield { changes: [], token: await keep(await writer.finish(), base, keptSnapshots, before?.file) }
  return faults.listing
}

type Difference =
  | { readonly kind: 'DELETE'; readonly id: string }
  | { readonly kind: 'CREATE' | 'UPDATE'; readonly row: ListedRow }

/** One walk along both listings, which have the same order. The present one is written down meanwhile. */
async function* differences(
  comparison: Comparison,
  old: SnapshotReader | undefined,
  writer: SnapshotWriter,
  rows: AsyncIterable<ListedRow>,
): AsyncGenerator<Difference> {
  let before = await old?.next()
  for await (const row of rows) {
    const { id, digest } = row.known
    for (; before && orderOf(before.id, id, comparison) < 0; before = await old?.next())
      yield { kind: 'DELETE', id: before.id }
    await writer.add(row.known)
    const isKnown = before?.id === id
    if (before?.digest !== digest || !isKnown) yield { kind: isKnown ? 'UPDATE' : 'CREATE', row }
    if (isKnown) before = await old?.next()
  }
  for (; before; before = await old?.next()) yield { kind: 'DELETE', id: before.id }
}

/** Rows of which the database tells only a digest are read now; one that has gone since then is missed at the next comparison. */
async function changesOf(
  comparison: Comparison,
  found: readonly Difference[],
  signal?: AbortSignal,
): Promise<readonly ConnectorChange[]> {
  const { connections, keysOnly } = comparison
  const unread = keysOnly
    ? []
    : found.flatMap((one) => (one.kind === 'DELETE' || one.row.entry ? [] : one.row.known.id))
  const read =
    unread.length > 0
      ? await connections.use((session) => readByIds(session, comparison, unread, undefined), signal)
      : undefined
  return found.flatMap((one): ConnectorChange[] => {
    if (one.kind === 'DELETE') return [one]
    const { known, entry = read?.get(known.id) } = one.row
    return entry && !keysOnly ? [{ kind: one.kind, id: known.id, object: entry }] : []
  })
}

interface ListedRow {
  readonly known: KnownRow
  /** Absent where the database has made the digest. */
  readonly entry?: ConnectorEntry | undefined
}

/** The rows of the table in the order of their ids. */
async function* listed(
  comparison: Comparison,
  { doubles }: KeyFaults,
  signal?: AbortSignal,
): AsyncGenerator<ListedRow> {
  const { table, dialect, connections, keysOnly } = comparison
  const reader = rowReader(table, undefined)
  const key = dialect.quote(table.key.name)
  const digest = keysOnly ? "''" : dialect.digest?.(reader.columns)
  const columns =
    digest === undefined ? listOf(reader.columns, dialect) : `${listOf([table.key], dialect)}, ${digest}`
  const order = orderOfIds(comparison)
  const statement = () => ({
    cells: new Cells(dialect),
    sql: (condition: string) => {
      const conditions = [condition, table.key.nullable ? `${key} IS NOT NULL` : ''].filter(Boolean)
      const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
      return `SELECT ${columns} FROM ${table.sql}${where}`
    },
  })
  const rowOf = (row: Row, id: string): ListedRow => {
    if (doubles.has(id)) return { known: { id, digest: 'doubled' }, entry: doubled(id, table) }
    if (digest !== undefined) return { known: { id, digest: String(row[1]) } }
    return { known: { id, digest: digestOf(row) }, entry: reader.read(row) }
  }
  let last: string | undefined
  for await (const rows of rowsInOrder({ connections, dialect }, order, statement, rowsAtOnce, signal))
    for (const row of rows) {
      const id = idOf(row[0] ?? null, table.key)
      if (id === undefined || (id === last && doubles.has(id))) continue
      // Whatever the reason, a wrong order would make objects of nothing, and take others for gone.
      if (last !== undefined && orderOf(last, id, comparison) >= 0)
        throw new ConnectorError(
          'failed',
          `${table.settings.table}: "${id}" came behind "${last}": they are not in order`,
        )
      last = id
      yield rowOf(row, id)
    }
}

/** Numbers by their value, everything else as texts by code point, whatever the collation of the column. */
function orderOfIds({ table: { key }, dialect }: Reading): KeyOrder {
  const name = dialect.quote(key.name)
  if (key.kind === 'integer') return { sql: name, column: key }
  if (key.kind === 'text') return { sql: dialect.byCodePoint(name), column: key }
  return { sql: dialect.byCodePoint(dialect.asText(name)), column: undefined }
}

function orderOf(one: string, other: string, { table }: Reading): number {
  if (table.key.kind !== 'integer') return compareText(one, other)
  const [a, b] = [BigInt(one), BigInt(other)]
  return a < b ? -1 : Number(a > b)
}

function faultsOf(comparison: Comparison, signal?: AbortSignal): Promise<KeyFaults> {
  return comparison.connections.use((session) => keyFaults(session, comparison), signal)
}

function titleOf({ dialect, table, keysOnly }: Comparison): string {
  return `${keysOnly ? 'the keys' : 'the rows'} of ${table.sql} by ${table.key.name} in ${dialect.place}`
}
