import { connect as connectSocket } from 'node:net'
import type { Connection, FieldPacket, Query, ResultSetHeader, RowDataPacket } from 'mysql2'
import { ConnectorError, type ErrorKind, errorCode, kindOfError } from '../kit/errors.ts'
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
  type Insert,
  limited,
  type Session,
  savepoints,
} from './dialect.ts'
import { opened } from './lease.ts'
import { kindOfType, mysqlColumns, mysqlTables } from './mysql-catalog.ts'

/**
 * MySQL and MariaDB through `mysql2`. Sessions run in UTC and in strict mode: a value that does not fit is an
 * error, and never cut off. Values are put into the statements by the escaping of the driver, behind marks of our own: a
 * question mark may stand in the name of a column.
 */
export function mysqlDialect(address: Address): Dialect {
  return {
    name: 'MySQL/MariaDB',
    place: `MySQL/MariaDB at ${address.host}:${address.port}/${address.database}`,
    readingLocks: false,
    begin: 'START TRANSACTION',
    locking: { ofTable: '', atEnd: ' FOR UPDATE' },
    savepoints,
    connect: (signal, steps) => connect(address, signal, steps),
    quote,
    parameter: (place) => mark(place),
    // `=` ignores blanks at the end, and most collations upper and lower case; bytes tell what is equal.
    equals: (column, parameter, { comparison, kind }) =>
      comparison === 'exact' && kind === 'text'
        ? `(${column} = ${parameter} AND CAST(${column} AS BINARY) = CAST(${parameter} AS BINARY))`
        : `${column} = ${parameter}`,
    byCodePoint: (column) => `CAST(${column} AS BINARY)`,
    asText: (column) => `CAST(${column} AS CHAR)`,
    limit: limited,
    matches: (operator, column, { pattern }) => `${column} LIKE ${likeOf(operator, pattern)} ESCAPE '!'`,
    ...byParameters,
    updateRows(table, key, columns, rows, cells) {
      const texts = rows.map(
        (row) => `SELECT ${row.map((cell, place) => `${cells.add(cell)} AS c${place}`).join(', ')}`,
      )
      const sets = columns.map(({ name }, place) => `t.${quote(name)} = v.c${place + 1}`)
      const collate = key.kind === 'text' && key.collation ? ` COLLATE ${key.collation}` : ''
      return `UPDATE ${table} AS t JOIN (${texts.join(' UNION ALL ')}) AS v ON t.${quote(key.name)} = v.c0${collate} SET ${sets.join(', ')}`
    },
    insertGenerating,
    columns: (session, table) => mysqlColumns(session, table, address.exactNames, quote),
    tables: mysqlTables,
    identity,
    errorOf,
  }
}

/** A key that was not counted up is told by MariaDB alone. */
async function insertGenerating(
  session: Session,
  { into, rows }: Insert,
  cells: readonly Cell[],
  key: Column,
): Promise<Cell> {
  if (key.counted) {
    await session.run(`${into} ${rows}`, cells)
    const [row] = await session.rows('SELECT LAST_INSERT_ID()')
    return row?.[0] ?? null
  }
  const [version] = await session.rows('SELECT VERSION()')
  if (!/mariadb/i.test(String(version?.[0])))
    throw new ConnectorError(
      'unsupported',
      `MySQL does not tell which ${key.name} a default or a trigger gives a new row`,
      {
        hint: `Give ${key.name} in the mapping, or let the table count it up (AUTO_INCREMENT).`,
      },
    )
  const [row] = await session.rows(`${into} ${rows} RETURNING ${quote(key.name)}`, cells)
  return row?.[0] ?? null
}

function likeOf(operator: 'co' | 'sw' | 'ew', pattern: string): string {
  if (operator === 'co') return `CONCAT('%', ${pattern}, '%')`
  return operator === 'sw' ? `CONCAT(${pattern}, '%')` : `CONCAT('%', ${pattern})`
}

function quote(name: string): string {
  if (name.includes(edge))
    throw new ConnectorError('misconfigured', `The name ${JSON.stringify(name)} has a control character`)
  return `\`${name.replaceAll('`', '``')}\``
}

const edge = '\u0001'
const marks = new RegExp(`${edge}(\\d+)${edge}`, 'g')

function mark(place: number): string {
  return `${edge}${place}${edge}`
}

/** Loaded with the first connection: it takes a tenth of the time in which a command starts. */
type Driver = typeof import('mysql2')

function literal(cell: Cell, { escape: escaped }: Driver): string {
  if (cell === null) return 'NULL'
  if (cell instanceof Uint8Array) return `X'${Buffer.from(cell).toString('hex')}'`
  return typeof cell === 'string' ? escaped(cell) : String(cell)
}

const preparation =
  "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', net_write_timeout = 3600"
/** Under the default, two pages of inserts block each other by the gaps that they have looked into. */
const isolation = 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'

async function connect(address: Address, signal: AbortSignal, steps = noSteps): Promise<Session> {
  const { host, port, user, password, database, tls } = address
  const { default: driver } = await import('mysql2')
  const connection = driver.createConnection({
    host,
    port,
    user,
    password,
    database,
    charset: 'utf8mb4',
    connectTimeout: 30_000,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    rowsAsArray: true,
    multipleStatements: false,
    ...(tls !== 'off' && { ssl: { rejectUnauthorized: tls === 'verified' } }),
    stream: () => {
      const socket = connectSocket({ host, port, keepAlive: true, noDelay: true })
      followSocket(socket, { host, port, next: tls === 'off' ? 'log in' : 'TLS' }, steps)
      return socket
    },
  })
  return opened(new MysqlSession(connection, driver), signal, async (session) => {
    await session.run(preparation).catch((error: unknown) => {
      // TLS is there: the server itself refuses.
      if (tls !== 'off' && 'sqlState' in Object(error)) steps.enter('log in')
      throw error
    })
    if (tls !== 'off') steps.enter('log in')
    steps.tell(`as ${user} to ${database}`)
    await session.run(isolation)
  })
}

class MysqlSession implements Session {
  readonly #connection: Connection
  readonly #driver: Driver
  #isClosed = false

  constructor(connection: Connection, driver: Driver) {
    this.#connection = connection
    this.#driver = driver
    connection.on('error', () => {
      this.#isClosed = true
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  rows(sql: string, cells: readonly Cell[] = []): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      this.#connection.query<RowDataPacket[][]>(this.#filled(sql, cells), (error, rows) => {
        if (error) reject(error)
        else resolve(rows as unknown as Row[])
      })
    })
  }

  async *stream(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<readonly Row[]> {
    yield* this.#pages(this.#connection.query(this.#filled(sql, cells)), size)
  }

  async *#pages(query: Query, size: number): AsyncGenerator<readonly Row[]> {
    const stream = query.stream({ highWaterMark: size })
    let page: Row[] = []
    let isDone = false
    try {
      for await (const row of stream) {
        if (page.push(row) < size) continue
        yield page
        page = []
      }
      isDone = true
      if (page.length > 0) yield page
    } finally {
      // The rest of the rows would have to be read first.
      if (!isDone) await this.close()
    }
  }

  run(sql: string, cells: readonly Cell[] = []): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#connection.query<ResultSetHeader>(this.#filled(sql, cells), (error, result) => {
        if (error) reject(error)
        else resolve(result.affectedRows)
      })
    })
  }

  answer(sql: string, cells: readonly Cell[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#connection.query<RowDataPacket[][] | ResultSetHeader>(
        this.#filled(sql, cells),
        (error, found, fields) => {
          if (error) reject(error)
          else if (!Array.isArray(found)) resolve({ columns: [], rows: [], count: found.affectedRows })
          else
            resolve({
              columns: fields.map((field) => answerColumn(field, this.#driver)),
              rows: found as unknown as Row[],
              count: found.length,
            })
        },
      )
    })
  }

  async *answers(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<Answer> {
    let columns: readonly AnswerColumn[] = []
    const query = this.#connection.query(this.#filled(sql, cells))
    query.on('fields', (fields: readonly FieldPacket[] | undefined) => {
      columns = (fields ?? []).map((field) => answerColumn(field, this.#driver))
    })
    for await (const rows of this.#pages(query, size)) yield { columns, rows, count: rows.length }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#connection.destroy()
  }

  #filled(sql: string, cells: readonly Cell[]): string {
    return sql.replace(marks, (_, place) => literal(cells[Number(place) - 1] ?? null, this.#driver))
  }
}

/** The server, where it has a name of its own, and when the table was made: a restored one was made by the restore. */
async function identity(session: Session, table: string | undefined): Promise<DatabaseIdentity> {
  const servers = await session.rows("SHOW VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid')")
  const [, schema, name] = /^(?:`((?:[^`]|``)+)`\.)?`((?:[^`]|``)+)`$/.exec(table ?? '') ?? []
  const plain = (quoted: string | undefined) => quoted?.replaceAll('``', '`') ?? null
  const made = await session.rows(
    `SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = COALESCE(${mark(1)}, DATABASE()) AND TABLE_NAME = ${mark(2)}`,
    [plain(schema), plain(name)],
  )
  return { name: [...servers, ...made].flat().join(' '), age: '0' }
}

/** The number of the character set of bytes. */
const binary = 63

/** As the protocol calls types: a number, and for texts and bytes the same one. */
function answerColumn(
  { name, columnType = 0, columnLength, characterSet }: FieldPacket,
  { Types }: Driver,
): AnswerColumn {
  const isBytes = characterSet === binary
  if (columnType === Types.TINY && columnLength === 1) return { name, kind: 'boolean' }
  if (columnType === Types.BIT && columnLength === 1) return { name, kind: 'boolean' }
  const kind = kindOfType(typeNames(Types)[columnType]?.[isBytes ? 1 : 0] ?? '')
  return { name, kind, ...(columnType === Types.STRING && kind === 'text' && { padded: true }) }
}

type TypeNames = Readonly<Record<number, readonly [plain: string, bytes: string]>>

const typeNames = (Types: Driver['Types']): TypeNames => ({
  ...both('decimal', Types.DECIMAL, Types.NEWDECIMAL),
  ...both('int', Types.TINY, Types.SHORT, Types.LONG, Types.LONGLONG, Types.INT24, Types.YEAR, Types.BIT),
  ...both('double', Types.FLOAT, Types.DOUBLE),
  ...both('datetime', Types.TIMESTAMP, Types.DATETIME),
  ...both('date', Types.DATE, Types.NEWDATE),
  ...Object.fromEntries(
    [
      Types.VARCHAR,
      Types.VAR_STRING,
      Types.STRING,
      Types.TINY_BLOB,
      Types.MEDIUM_BLOB,
      Types.LONG_BLOB,
      Types.BLOB,
    ].map((type) => [type, ['text', 'blob']]),
  ),
})

function both(name: string, ...types: readonly number[]): Record<number, readonly [string, string]> {
  return Object.fromEntries(types.map((type) => [type, [name, name]]))
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  1040: 'busy',
  1044: 'permission',
  1045: 'authentication',
  1048: 'schemaViolation',
  1049: 'misconfigured',
  1053: 'connection',
  1052: 'misconfigured',
  1054: 'misconfigured',
  1060: 'misconfigured',
  1062: 'alreadyExists',
  1064: 'misconfigured',
  1142: 'permission',
  1143: 'permission',
  1146: 'misconfigured',
  1203: 'busy',
  1205: 'busy',
  1213: 'conflict',
  1227: 'permission',
  1264: 'invalidValue',
  1265: 'invalidValue',
  1288: 'unsupported',
  1290: 'permission',
  1292: 'invalidValue',
  1348: 'unsupported',
  1364: 'schemaViolation',
  1366: 'invalidValue',
  1406: 'invalidValue',
  1451: 'schemaViolation',
  1452: 'schemaViolation',
  1471: 'unsupported',
  1698: 'authentication',
  1927: 'connection',
  1969: 'timeout',
  3024: 'timeout',
  3819: 'invalidValue',
  4025: 'invalidValue',
}

const hints: Readonly<Record<number, string>> = {
  3: advice.full,
  1021: advice.full,
  1049: advice.database,
  1114: advice.full,
  1969: advice.tooLong,
  3024: advice.tooLong,
}

function errorOf(thrown: unknown): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const facts: { readonly errno?: unknown; readonly fatal?: unknown } = Object(thrown)
  const number = typeof facts.errno === 'number' ? facts.errno : 0
  const isLost = facts.fatal === true || /closed state|Connection lost|connection is in closed/i.test(message)
  // The errors of the driver have the statement with its values, passwords too: they are no causes.
  const kind =
    kinds[number] ?? (isLost ? 'connection' : kindOfError(new DriverError(message, errorCode(thrown))))
  const certificate = certificateAdvice(thrown)
  const hint = certificate ?? hints[number]
  return new ConnectorError(certificate ? 'failed' : (kind ?? 'failed'), message, {
    ...(hint && { hint }),
    detail: { errno: number },
  })
}

/** What is left of an error of the driver. */
class DriverError extends Error {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}
