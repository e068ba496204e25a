import { Socket } from 'node:net'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { ConnectorError, connectorError, type ErrorKind, errorCode } from '../kit/errors.ts'
import { followSocket, noSteps } from '../kit/steps.ts'
import type { Address } from './address.ts'
import { advice, certificateAdvice } from './advice.ts'
import type { Cell, Column, Row } from './column.ts'
import {
  type Answer,
  type AnswerColumn,
  byParameters,
  type DatabaseIdentity,
  type Dialect,
  limited,
  type Parameters,
  type Session,
  savepoints,
} from './dialect.ts'
import { opened } from './lease.ts'
import { kindOfType, postgresColumns, postgresTables } from './postgres-catalog.ts'

/**
 * PostgreSQL through `pg`. Everything comes as the text that the server writes, so that no number and no
 * time loses a digit on the way; sessions run in UTC.
 */
export function postgres(address: Address): Dialect {
  return {
    name: 'PostgreSQL',
    place: `PostgreSQL at ${address.host}:${address.port}/${address.database}`,
    readingLocks: false,
    begin: 'BEGIN',
    locking: { ofTable: '', atEnd: ' FOR UPDATE' },
    savepoints,
    connect: (signal, steps) => connect(address, signal, steps),
    quote,
    parameter: (place, column) => (column ? `$${place}::${castOf(column.type)}` : `$${place}`),
    equals: (column, parameter) => `${column} = ${parameter}`,
    byCodePoint: (column) => `${column} COLLATE "C"`,
    asText: (column) => `${column}::text`,
    limit: limited,
    digest: (columns) =>
      `left(encode(sha256(convert_to(ROW(${columns.map(({ name }) => quote(name)).join(', ')})::text, 'UTF8')), 'hex'), 16)`,
    matches: (operator, column, { pattern }) => `${column} LIKE ${likeOf(operator, pattern)} ESCAPE '!'`,
    oneOf: (column, values, of, cells) => `${column} = ANY (${arrayOf(values, of, cells)})`,
    rowsOf,
    updateRows(table, key, columns, rows, cells) {
      const all = [key, ...columns]
      const names = all.map((_, place) => `c${place}`)
      const sets = columns.map(({ name }, place) => `${quote(name)} = v.c${place + 1}`)
      return `UPDATE ${table} AS t SET ${sets.join(', ')} FROM (${rowsOf(rows, all, cells)}) AS v(${names.join(', ')}) WHERE t.${quote(key.name)} = v.c0`
    },
    async insertGenerating(session, { into, rows }, cells, key) {
      const [row] = await session.rows(`${into} ${rows} RETURNING ${quote(key.name)}`, cells)
      return row?.[0] ?? null
    },
    columns: (session, table) => postgresColumns(session, table, address.exactNames, quote),
    tables: postgresTables,
    identity,
    errorOf,
  }
}

/** An array a column: a statement of thousands of parameters takes longer to read than to do. */
function rowsOf(rows: readonly Row[], columns: readonly Column[], cells: Parameters): string {
  // `unnest` would take arrays of arrays apart.
  if (columns.some(({ type }) => type.endsWith('[]'))) return byParameters.rowsOf(rows, columns, cells)
  const arrays = columns.map((column, place) =>
    arrayOf(
      rows.map((row) => row[place] ?? null),
      column,
      cells,
    ),
  )
  return `SELECT * FROM unnest(${arrays.join(', ')})`
}

function arrayOf(values: readonly Cell[], { type }: Column, cells: Parameters): string {
  const texts = values.map((cell) => {
    if (cell === null) return 'NULL'
    const text = cell instanceof Uint8Array ? `\\x${Buffer.from(cell).toString('hex')}` : String(cell)
    return `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `${cells.add(`{${texts.join(',')}}`)}::${castOf(type)}[]`
}

/** `format_type` writes `character varying(20)`; a cast to that cuts texts off in silence. */
function castOf(type: string): string {
  const bare = type.replace(/\([^)]*\)/, '')
  return bare === 'character' ? 'bpchar' : bare === 'bit' ? '"bit"' : bare
}

function likeOf(operator: 'co' | 'sw' | 'ew', pattern: string): string {
  if (operator === 'co') return `('%' || ${pattern}::text || '%')`
  return operator === 'sw' ? `(${pattern}::text || '%')` : `('%' || ${pattern}::text)`
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const bytea = 17
const bytesOf = (text: string) => Buffer.from(text.slice(2), 'hex')
const itself = (text: string) => text
const asText = { getTypeParser: (oid: number) => (oid === bytea ? bytesOf : itself) }

const preparation =
  "SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'; SET extra_float_digits = 1; SET standard_conforming_strings = on"

async function connect(address: Address, signal: AbortSignal, steps = noSteps): Promise<Session> {
  const { host, port, user, password, database, tls } = address
  const client = new pg.Client({
    stream: () => {
      const socket = new Socket()
      followSocket(socket, { host, port, next: tls === 'off' ? 'log in' : 'TLS' }, steps)
      return socket
    },
    host,
    port,
    user,
    password,
    database,
    ssl: tls === 'off' ? false : { rejectUnauthorized: tls === 'verified' },
    connectionTimeoutMillis: 30_000,
    application_name: 'syncline',
    types: asText as pg.CustomTypesConfig,
  })
  return opened(new PostgresSession(client), signal, async () => {
    await client.connect().catch((error: unknown) => {
      // TLS is there: the server itself refuses.
      if (tls !== 'off' && error instanceof pg.DatabaseError) steps.enter('log in')
      throw error
    })
    if (tls !== 'off') steps.enter('log in')
    steps.tell(`as ${user} to ${database}`)
    await client.query(preparation)
  })
}

class PostgresSession implements Session {
  readonly #client: pg.Client
  #isClosed = false
  /** Why the connection broke: later calls would only hear that it did. */
  #broken: Error | undefined

  constructor(client: pg.Client) {
    this.#client = client
    // Without a listener, a connection that breaks while it is idle would end the process.
    client.on('error', (error) => {
      this.#isClosed = true
      this.#broken ??= error
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async rows(sql: string, cells: readonly Cell[] = []): Promise<readonly Row[]> {
    return (await this.#query(sql, cells)).rows
  }

  async run(sql: string, cells: readonly Cell[] = []): Promise<number> {
    return (await this.#query(sql, cells)).rowCount ?? 0
  }

  async *stream(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<readonly Row[]> {
    const cursor = this.#client.query(new Cursor<Cell[]>(sql, [...cells], { rowMode: 'array' }))
    const read = () => {
      const reading = cursor.read(size)
      // It may fail while nobody waits for it yet.
      reading.catch(() => undefined)
      return reading
    }
    // The server works on the next page while this one is being used.
    let next = read()
    try {
      for (;;) {
        const rows = await next.catch((error: unknown) => {
          throw this.#lost(error)
        })
        if (rows.length === size) next = read()
        if (rows.length > 0) yield rows
        if (rows.length < size) return
      }
    } finally {
      await next.catch(() => undefined)
      if (!this.#isClosed) await cursor.close()
    }
  }

  async answer(sql: string, cells: readonly Cell[]): Promise<Answer> {
    // Without parameters, `pg` would otherwise let several statements pass.
    const query = { text: sql, values: [...cells], rowMode: 'array' as const, queryMode: 'extended' }
    try {
      const { fields, rows, rowCount } = await this.#client.query<Cell[]>(query)
      return { columns: fields.map(answerColumn), rows, count: rowCount ?? 0 }
    } catch (error) {
      throw this.#lost(error)
    }
  }

  async *answers(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<Answer> {
    const cursor = this.#client.query(new Cursor<Cell[]>(sql, [...cells], { rowMode: 'array' }))
    const read = () =>
      new Promise<Answer>((resolve, reject) => {
        cursor.read(size, (error, rows, result) => {
          if (error) reject(this.#lost(error))
          else resolve({ columns: result.fields.map(answerColumn), rows, count: rows.length })
        })
      })
    try {
      for (;;) {
        const page = await read()
        yield page
        if (page.rows.length < size) return
      }
    } finally {
      if (!this.#isClosed) await cursor.close()
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#client.end().catch(() => undefined)
  }

  async #query(sql: string, cells: readonly Cell[]): Promise<pg.QueryArrayResult<Cell[]>> {
    try {
      return await this.#client.query<Cell[]>({ text: sql, values: [...cells], rowMode: 'array' })
    } catch (error) {
      throw this.#lost(error)
    }
  }

  /** What is no answer of the server tells, in words of many kinds, that the connection is of no use any more. */
  #lost(error: unknown): unknown {
    if (error instanceof pg.DatabaseError || error instanceof TypeError) return error
    const cause = this.#broken ?? error
    return new ConnectorError('connection', cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Another timeline after a restore to a point in time, another oid after one of a dump; `age` is the position in the log. */
async function identity(session: Session, table: string | undefined): Promise<DatabaseIdentity> {
  const [row = []] = await session.rows(
    `SELECT s.system_identifier, c.timeline_id, to_regclass($1)::oid,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn
     FROM pg_control_system() s, pg_control_checkpoint() c`,
    [table ?? null],
  )
  return { name: row.slice(0, 3).join(' '), age: String(row[3] ?? 0) }
}

const types = new Map(
  Object.entries(pg.types.builtins).map(([name, oid]) => [Number(oid), name.toLowerCase()]),
)

function answerColumn({ name, dataTypeID }: pg.FieldDef): AnswerColumn {
  const type = types.get(dataTypeID) ?? ''
  return { name, kind: kindOfType(type), ...(type === 'bpchar' && { padded: true }) }
}

/** By SQLSTATE, or by its class, its first two characters. */
const kinds: Readonly<Record<string, ErrorKind>> = {
  '08': 'connection',
  '0A': 'unsupported',
  '22': 'invalidValue',
  '23': 'schemaViolation',
  '23505': 'alreadyExists',
  '23514': 'invalidValue',
  '25006': 'permission',
  '28': 'authentication',
  '3D': 'misconfigured',
  '40': 'conflict',
  '42501': 'permission',
  '42': 'misconfigured',
  '428C9': 'invalidValue',
  '53300': 'busy',
  '55006': 'busy',
  '55P03': 'busy',
  '55000': 'unsupported',
  '57014': 'timeout',
  '57P': 'connection',
}

/** 53100: no space; 53400: a limit such as temp_file_limit; 57014: statement_timeout. */
const hints: Readonly<Record<string, string>> = {
  '3D000': advice.database,
  '53100': advice.full,
  '53400': advice.full,
  '57014': advice.tooLong,
}

function errorOf(thrown: unknown): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown
  if (thrown instanceof pg.DatabaseError) {
    const { code = '', column, message, severity } = thrown
    const known = kinds[code] ?? kinds[code.slice(0, 3)] ?? kinds[code.slice(0, 2)]
    // After a fatal error the server closes the connection.
    const kind = known ?? (severity === 'FATAL' ? 'connection' : 'failed')
    // Neither its `detail` nor itself: they have the values of the row, passwords too.
    return new ConnectorError(kind, message, {
      ...(column !== undefined && { attribute: column }),
      ...(hints[code] && { hint: hints[code] }),
      detail: { sqlState: code },
    })
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const hint = certificateAdvice(thrown)
  if (hint) return new ConnectorError('failed', message, { cause: thrown, hint })
  const isLost = /terminated|ended|timeout|closed/i.test(message)
  if (isLost) return new ConnectorError('connection', message, { cause: thrown })
  const error = connectorError(thrown)
  return error instanceof ConnectorError
    ? error
    : new ConnectorError('failed', message, { cause: errorCode(thrown) })
}
