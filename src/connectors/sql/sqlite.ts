import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError, connectorError, type ErrorKind } from '../kit/errors.ts'
import { noSteps } from '../kit/steps.ts'
import type { Address } from './address.ts'
import { advice } from './advice.ts'
import type { Cell, Row } from './column.ts'
import {
  type Answer,
  byParameters,
  type DatabaseIdentity,
  type Dialect,
  limited,
  type Session,
  savepoints,
} from './dialect.ts'
import { kindOf, sqliteColumns, sqliteTables } from './sqlite-catalog.ts'

/**
 * SQLite files through `node:sqlite`. Its calls are synchronous, and a file has one writer: there is one connection, readings
 * are pages and hold no lock between them, and a file that another program has locked is waited for without stopping this
 * process.
 */
export function sqlite(address: Address): Dialect {
  return {
    name: 'SQLite',
    place: `the SQLite file ${address.database}`,
    connections: 1,
    readingLocks: true,
    begin: 'BEGIN IMMEDIATE',
    locking: { ofTable: '', atEnd: '' },
    savepoints,
    async connect(_, steps = noSteps) {
      steps.enter('open', address.database)
      return open(address.database)
    },
    quote,
    parameter: (place) => `?${place}`,
    equals: (column, parameter) => `${column} = ${parameter}`,
    byCodePoint: (column) => `${column} COLLATE BINARY`,
    asText: (column) => `CAST(${column} AS TEXT)`,
    limit: limited,
    // LIKE ignores the case of ASCII letters.
    matches(operator, column, { text }) {
      if (operator === 'co') return `instr(${column}, ${text}) > 0`
      if (operator === 'sw') return `substr(${column}, 1, length(${text})) = ${text}`
      return `(${text} = '' OR substr(${column}, -length(${text})) = ${text})`
    },
    ...byParameters,
    updateRows(table, key, columns, rows, cells) {
      const sets = columns.map(({ name }, place) => `${quote(name)} = v.column${place + 2}`)
      return `UPDATE ${table} SET ${sets.join(', ')} FROM (${byParameters.rowsOf(rows, [key, ...columns], cells)}) AS v WHERE ${table}.${quote(key.name)} = v.column1`
    },
    async insertGenerating(session, { into, rows }, cells, key) {
      const [row] = await session.rows(`${into} ${rows} RETURNING ${quote(key.name)}`, cells)
      return row?.[0] ?? null
    },
    columns: (session, table) => sqliteColumns(session, table, address.exactNames, quote),
    tables: sqliteTables,
    identity: async () => identityOf(address.database),
    errorOf,
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function open(file: string): Session {
  // It would be created.
  if (!existsSync(file)) throw new ConnectorError('misconfigured', `There is no SQLite file ${file}`)
  return new SqliteSession(new DatabaseSync(file, { timeout: 0, readBigInts: true }))
}

/** Which file it is, and how often it was changed: the number in its header never goes back. */
function identityOf(file: string): DatabaseIdentity {
  const { dev, ino } = statSync(file, { bigint: true })
  const header = Buffer.alloc(28)
  const opened = openSync(file, 'r')
  try {
    readSync(opened, header, 0, header.length, 0)
  } finally {
    closeSync(opened)
  }
  return { name: `${dev} ${ino}`, age: String(header.readUInt32BE(24)) }
}

/** How long another program may keep the file locked, in milliseconds. */
const patience = 5_000
const busy = 5
const full = 13

class SqliteSession implements Session {
  readonly #database: DatabaseSync
  #isClosed = false

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async rows(sql: string, cells: readonly Cell[] = []): Promise<readonly Row[]> {
    return patiently(() => {
      const statement = this.#database.prepare(sql)
      statement.setReadBigInts(true)
      statement.setReturnArrays(true)
      return statement.all(...cells) as unknown as Row[]
    })
  }

  async *stream(sql: string, cells: readonly Cell[]): AsyncGenerator<readonly Row[]> {
    const rows = await this.rows(sql, cells)
    if (rows.length > 0) yield rows
  }

  async run(sql: string, cells: readonly Cell[] = []): Promise<number> {
    return patiently(() => Number(this.#database.prepare(sql).run(...cells).changes))
  }

  async answer(sql: string, cells: readonly Cell[]): Promise<Answer> {
    return patiently(() => {
      const statement = this.#database.prepare(sql)
      const columns = statement.columns().map(({ name, type }) => ({ name, kind: kindOf(type ?? '') }))
      if (columns.length === 0) return { columns, rows: [], count: Number(statement.run(...cells).changes) }
      statement.setReadBigInts(true)
      statement.setReturnArrays(true)
      const rows = statement.all(...cells) as unknown as Row[]
      return { columns, rows, count: rows.length }
    })
  }

  async *answers(sql: string, cells: readonly Cell[]): AsyncGenerator<Answer> {
    yield await this.answer(sql, cells)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#database.close()
  }
}

async function patiently<T>(work: () => T): Promise<T> {
  for (const end = Date.now() + patience; ; await sleep(20)) {
    try {
      return work()
    } catch (error) {
      if (codeOf(error) % 256 !== busy || Date.now() > end) throw error
    }
  }
}

function codeOf(thrown: unknown): number {
  const { errcode }: { readonly errcode?: unknown } = Object(thrown)
  return typeof errcode === 'number' ? errcode : 0
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  3: 'permission',
  5: 'busy',
  6: 'busy',
  8: 'permission',
  11: 'unreadable',
  14: 'connection',
  18: 'invalidValue',
  19: 'schemaViolation',
  20: 'invalidValue',
  26: 'misconfigured',
  275: 'invalidValue',
  1299: 'schemaViolation',
  1555: 'alreadyExists',
  2067: 'alreadyExists',
  2579: 'alreadyExists',
  3091: 'invalidValue',
}

function errorOf(thrown: unknown): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = codeOf(thrown)
  if (thrown instanceof RangeError) return new ConnectorError('invalidValue', message, { cause: thrown })
  if (/no such (table|column)|ambiguous column name|syntax error|incomplete input/.test(message))
    return new ConnectorError('misconfigured', message, { cause: thrown })
  if (/because it is a view/.test(message))
    return new ConnectorError('unsupported', message, { cause: thrown })
  if (code % 256 === full) return new ConnectorError('failed', message, { hint: advice.full })
  const kind = kinds[code] ?? kinds[code % 256]
  if (kind) return new ConnectorError(kind, message, { cause: thrown, detail: { code } })
  const error = connectorError(thrown)
  return error instanceof ConnectorError ? error : new ConnectorError('failed', message, { cause: thrown })
}
