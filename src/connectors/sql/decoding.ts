import { isJsonObject, type Json } from '../../model/json.ts'
import type { ConnectorChange } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Cell, Row } from './column.ts'
import { decodedRow } from './decoded-text.ts'
import type { Session } from './dialect.ts'
import { Cells } from './filter.ts'
import type { FollowedPage, Following } from './following.ts'
import { listOf, readByIds } from './reading.ts'
import { type ChangeReading, orderOfKey, rowsInOrder, streamed } from './row-stream.ts'
import { idOf, rowReader } from './table.ts'

/**
 * The changes of a table by the log of PostgreSQL, which a replication slot with the plugin `test_decoding` writes down as text. A
 * pass only looks at what the slot has (`peek`); what an earlier one has done is let go when its token comes back. So a process that
 * is killed loses nothing, and the slot keeps the log until then. The log says which rows were written; they are read as they are now.
 *
 * If the slot is not there any more, or has let go of more than the token knows, a new one begins, and the token is of no use.
 */
export function byReplicationSlot(name: string): Following {
  const slot = new Slot(name)
  return {
    nameIn: () => `slot ${name}`,
    latest: (reading, signal) => slot.latest(reading, signal),
    after: (reading, known, signal) => slot.after(reading, known, signal),
  }
}

const pageSize = 500

class Slot {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  async latest({ connections, table }: ChangeReading, signal?: AbortSignal): Promise<Json> {
    return connections.use(async (session) => {
      await requireReplicaIdentity(session, table.sql, table.key.name)
      if (!(await this.#confirmed(session))) await this.#create(session)
      return { lsn: await presentLsn(session) }
    }, signal)
  }

  async *after(
    reading: ChangeReading,
    known: Json | undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<FollowedPage> {
    const { connections, table } = reading
    const from =
      isJsonObject(known ?? null) && typeof Object(known).lsn === 'string'
        ? String(Object(known).lsn)
        : undefined
    const { prefixes, upTo, isKept } = await connections.use(async (session) => {
      const tables = await requireReplicaIdentity(session, table.sql, table.key.name)
      const kept = await this.#letGo(session, from)
      return { prefixes: tables, isKept: kept, upTo: await presentLsn(session) }
    }, signal)
    if (from === undefined) {
      yield* allRows(reading, known ?? null, signal)
      return yield { changes: [], at: { lsn: upTo } }
    }
    if (!isKept)
      throw new ConnectorError(
        'staleToken',
        `The replication slot ${this.#name} was lost, or has let go of changes that were not read`,
      )
    const touched = new TouchedRows(reading, { lsn: from })
    for await (const rows of this.#peeked(reading, prefixes, upTo, signal))
      for (const [lsn, line] of rows) {
        if (line === 'COMMIT') touched.reach({ lsn: String(lsn) })
        else touched.add(String(line))
        if (touched.isTruncated)
          throw new ConnectorError(
            'staleToken',
            `${table.settings.table} was truncated, and the log does not say which rows it had`,
          )
        if (touched.size >= pageSize) yield touched.page(signal)
      }
    if (touched.size > 0) yield touched.page(signal)
    yield { changes: [], at: { lsn: upTo } }
  }

  /** The slot forgets what is done. False if it has forgotten more, or is not there. */
  async #letGo(session: Session, done: string | undefined): Promise<boolean> {
    const confirmed = await this.#confirmed(session)
    if (confirmed === undefined) {
      await this.#create(session)
      return false
    }
    if (done === undefined) return false
    const isAhead = await isLater(session, confirmed, done)
    if (isAhead) return false
    if (confirmed !== done)
      await session.rows('SELECT pg_replication_slot_advance($1, $2::pg_lsn)', [this.#name, done])
    return true
  }

  /** Up to where the slot has let go; undefined if there is none that can be used. */
  async #confirmed(session: Session): Promise<string | undefined> {
    const [row] = await session.rows(
      `SELECT confirmed_flush_lsn, plugin, wal_status, database = current_database()
       FROM pg_replication_slots WHERE slot_name = $1`,
      [this.#name],
    )
    if (!row) return undefined
    const [confirmed = null, plugin = null, status, isHere] = row
    if (plugin !== 'test_decoding' || isHere !== 't')
      throw new ConnectorError(
        'misconfigured',
        `The replication slot ${this.#name} is another one: it has the plugin ${plugin ?? 'of no logical slot'}${isHere === 't' ? '' : ', in another database'}; replicationSlot needs one of its own, with test_decoding`,
      )
    if (status !== 'lost') return confirmed === null ? undefined : String(confirmed)
    await session.rows('SELECT pg_drop_replication_slot($1)', [this.#name])
    return undefined
  }

  async #create(session: Session): Promise<void> {
    await session.rows("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [this.#name])
  }

  /** Lines of this table, and the ends of transactions, each with its place in the log. */
  async *#peeked(
    { connections, dialect }: ChangeReading,
    prefixes: readonly string[],
    upTo: string,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly Row[]> {
    const cells: Cell[] = [this.#name, upTo, ...prefixes]
    const wanted = prefixes.map((_, place) => `starts_with(data, $${place + 3}::text)`)
    const sql = `SELECT lsn, data
      FROM pg_logical_slot_peek_changes($1, $2::pg_lsn, NULL, 'include-xids', '0', 'skip-empty-xacts', '1')
      WHERE data = 'COMMIT' OR ${wanted.join(' OR ')} OR data LIKE 'table %, %: TRUNCATE: %'`
    if (connections.inPages) yield await connections.use((session) => session.rows(sql, cells), signal)
    else yield* streamed(connections, dialect, sql, cells, pageSize, signal)
  }
}

/** The rows that the log told of since the last page. */
class TouchedRows {
  readonly #reading: ChangeReading
  /** What is told of up to here is on the pages before. */
  #at: Json
  #reached: Json
  /** By its id, under which id a row was known before. */
  #ids = new Map<string, string | undefined>()
  isTruncated = false

  constructor(reading: ChangeReading, at: Json) {
    this.#reading = reading
    this.#at = at
    this.#reached = at
  }

  get size(): number {
    return this.#ids.size
  }

  reach(at: Json): void {
    this.#reached = at
  }

  add(line: string): void {
    const { key } = this.#reading.table
    const row = decodedRow(line, key.name)
    if (row?.kind === 'truncated') this.isTruncated = true
    if (!row || row.kind === 'truncated') return
    const id = idOf(row.key, key)
    if (id === undefined) return
    const before = row.kind === 'written' && row.before !== undefined ? idOf(row.before, key) : undefined
    if (before === undefined) {
      if (!this.#ids.has(id)) this.#ids.set(id, undefined)
      return
    }
    this.#ids.set(id, this.#ids.get(before) ?? before)
    this.#ids.set(before, undefined)
  }

  /** Each row as it is now. In the middle of a transaction the position stays before it. */
  async page(signal?: AbortSignal): Promise<FollowedPage> {
    const { connections } = this.#reading
    const ids = this.#ids
    this.#ids = new Map()
    const found = await connections.use(
      (session) => readByIds(session, this.#reading, [...ids.keys()], undefined),
      signal,
    )
    const moved = new Set<string>()
    const written = [...ids].flatMap(([id, before]): ConnectorChange[] => {
      const object = found.get(id)
      if (!object) return []
      if (before === undefined || found.has(before)) return [{ kind: 'CREATE_OR_UPDATE', id, object }]
      moved.add(before)
      return [{ kind: 'CREATE_OR_UPDATE', id, object, previousId: before }]
    })
    const gone = [...ids.keys()].filter((id) => !found.has(id) && !moved.has(id))
    this.#at = this.#reached
    return { changes: [...written, ...gone.map((id) => ({ kind: 'DELETE' as const, id }))], at: this.#at }
  }
}

async function* allRows(
  reading: ChangeReading,
  at: Json,
  signal?: AbortSignal,
): AsyncGenerator<FollowedPage> {
  const { table, dialect } = reading
  const reader = rowReader(table, undefined)
  const key = dialect.quote(table.key.name)
  const statement = () => ({
    cells: new Cells(dialect),
    sql: (condition: string) =>
      `SELECT ${listOf(reader.columns, dialect)} FROM ${table.sql} WHERE ${condition || `${key} IS NOT NULL`}`,
  })
  for await (const rows of rowsInOrder(reading, orderOfKey(reading), statement, pageSize, signal)) {
    const changes = rows.flatMap((row): ConnectorChange[] => {
      const object = reader.read(row)
      return object ? [{ kind: 'CREATE_OR_UPDATE', id: object._id, object }] : []
    })
    yield { changes, at }
  }
}

/** What the lines of the table begin with. Refuses a table whose log would not tell the key of a row that is gone. */
async function requireReplicaIdentity(
  session: Session,
  table: string,
  key: string,
): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT 'table ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ': ',
       c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
         WHERE i.indrelid = c.oid AND a.attname = $2
           AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident)),
       c.relkind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass($1) OR c.oid IN (SELECT relid FROM pg_partition_tree(to_regclass($1)) WHERE isleaf)`,
    [table, key],
  )
  if (!rows.some(([, , kind]) => kind === 'r'))
    throw new ConnectorError(
      'misconfigured',
      `replicationSlot: ${table} is no table; the log tells only of tables`,
    )
  for (const [, isTold, kind] of rows)
    if (kind === 'r' && isTold !== 't')
      throw new ConnectorError(
        'misconfigured',
        `replicationSlot: the log does not tell ${key} of a row of ${table} that is deleted or changes its key; run ALTER TABLE ${table} REPLICA IDENTITY FULL, or make it the primary key`,
      )
  return rows.flatMap(([prefix, , kind]) => (kind === 'r' ? String(prefix) : []))
}

async function presentLsn(session: Session): Promise<string> {
  const [row] = await session.rows('SELECT pg_current_wal_flush_lsn()')
  return String(row?.[0])
}

async function isLater(session: Session, one: string, other: string): Promise<boolean> {
  const [row] = await session.rows('SELECT $1::pg_lsn > $2::pg_lsn', [one, other])
  return row?.[0] === 't'
}
