import { ConnectorError, connectorError, type ErrorKind, errorCode } from '../kit/errors.ts'
import type { Address } from './address.ts'
import { advice, certificateAdvice } from './advice.ts'
import type { Column, ColumnKind, Row } from './column.ts'
import {
  byParameters,
  type DatabaseIdentity,
  type Dialect,
  type Parameters,
  type Session,
} from './dialect.ts'
import { sqlServerColumns, sqlServerTables } from './sqlserver-catalog.ts'
import { connectSqlServer } from './sqlserver-session.ts'

/**
 * SQL Server. Nobody has tried this against a server yet: the tests see what is sent.
 *
 * Values go as texts that the statement casts to the type of the column, and come as texts where a number or a time of JavaScript would
 * lose a digit. Texts go as Unicode.
 */
export function sqlServer(address: Address): Dialect {
  return {
    name: 'SQL Server',
    place: `SQL Server at ${address.host}:${address.port}/${address.database}`,
    // A reading that waits keeps the row locked at which it stands.
    readingLocks: true,
    begin: 'BEGIN TRANSACTION',
    // 2,100 are allowed.
    mostParameters: 2_000,
    locking: { ofTable: ' WITH (UPDLOCK, ROWLOCK)', atEnd: '' },
    savepoints: {
      set: (name) => `SAVE TRANSACTION ${name}`,
      back: (name) => `ROLLBACK TRANSACTION ${name}`,
    },
    connect: (signal, steps) => connectSqlServer(address, signal, steps),
    quote,
    parameter: (place, column) => castTo(column, `@p${place}`),
    selected,
    isTrue: (column) => `${column} = 1`,
    // `=` ignores blanks at the end in every collation.
    equals: (column, parameter, { comparison, kind }) =>
      comparison === 'exact' && kind === 'text'
        ? `(${column} = ${parameter} AND ${bytesOf(column)} = ${bytesOf(parameter)})`
        : `${column} = ${parameter}`,
    byCodePoint: (column) => `CONVERT(nvarchar(max), ${column}) COLLATE Latin1_General_100_BIN2`,
    asText,
    limit: (count, offset) => `OFFSET ${offset} ROWS FETCH NEXT ${count} ROWS ONLY`,
    matches: (operator, column, { pattern }) => `${column} LIKE ${likeOf(operator, pattern)} ESCAPE '!'`,
    ...byParameters,
    rowsOf,
    updateRows(table, key, columns, rows, cells) {
      const sets = columns.map(({ name }, place) => `${quote(name)} = v.c${place + 1}`)
      const collate = key.kind === 'text' && key.collation ? ` COLLATE ${key.collation}` : ''
      return `UPDATE t SET ${sets.join(', ')} FROM ${table} AS t JOIN ${valuesOf(rows, [key, ...columns], cells)} ON t.${quote(key.name)} = v.c0${collate}`
    },
    // Into a variable: a table with triggers refuses to answer the insert itself.
    async insertGenerating(session, { into, rows }, cells, key) {
      const declared = `DECLARE @made TABLE (id ${declaredType(key)}); `
      const sql = `${declared}${into} OUTPUT inserted.${quote(key.name)} INTO @made ${rows}; SELECT ${selected('id', key)} FROM @made`
      const [row] = await session.rows(sql, cells)
      return row?.[0] ?? null
    },
    columns: (session, table) => sqlServerColumns(session, table, address.exactNames, quote),
    tables: sqlServerTables,
    identity,
    errorOf,
  }
}

function quote(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`
}

function asText(sql: string): string {
  return `CONVERT(nvarchar(max), ${sql})`
}

function bytesOf(sql: string): string {
  return `CONVERT(varbinary(max), ${asText(sql)})`
}

function likeOf(operator: 'co' | 'sw' | 'ew', pattern: string): string {
  if (operator === 'co') return `('%' + ${pattern} + '%')`
  return operator === 'sw' ? `(${pattern} + '%')` : `('%' + ${pattern})`
}

/** A thousand rows are the most that `VALUES` may have behind `INSERT`; in a table of its own it may have more. */
function rowsOf(rows: readonly Row[], columns: readonly Column[], cells: Parameters): string {
  return rows.length === 1
    ? byParameters.rowsOf(rows, columns, cells)
    : `SELECT * FROM ${valuesOf(rows, columns, cells)}`
}

function valuesOf(rows: readonly Row[], columns: readonly Column[], cells: Parameters): string {
  const names = columns.map((_, place) => `c${place}`)
  return `(${byParameters.rowsOf(rows, columns, cells)}) AS v(${names.join(', ')})`
}

/** What is sent as text becomes a value of the column. Texts that are not of Unicode are cast so that an index is of use. */
function castTo(
  column: Pick<Column, 'kind' | 'type' | 'precision' | 'scale'> | undefined,
  sql: string,
): string {
  if (!column) return sql
  if (column.type === 'timestamp') return `CAST(CAST(${sql} AS bigint) AS binary(8))`
  const type = castTypes[column.type] ?? kindTypes[column.kind]
  if (type === undefined) return sql
  const { precision, scale } = column
  const size = type === 'decimal' ? `(${precision ?? 38}, ${scale ?? 10})` : ''
  return `CAST(${sql} AS ${type}${size})`
}

const castTypes: Readonly<Record<string, string>> = {
  ...{ char: 'varchar(8000)', varchar: 'varchar(8000)' },
  ...{ tinyint: 'tinyint', smallint: 'smallint', int: 'int', bigint: 'bigint', bit: 'bit' },
  ...{ money: 'money', smallmoney: 'smallmoney', real: 'real', float: 'float' },
  ...{ date: 'date', time: 'time', datetime: 'datetime', smalldatetime: 'smalldatetime' },
  ...{ datetime2: 'datetime2', datetimeoffset: 'datetimeoffset' },
  ...{ uniqueidentifier: 'uniqueidentifier', xml: 'xml' },
}

/** Where the type is not known by name, as in a query. */
const kindTypes: Partial<Record<ColumnKind, string>> = {
  ...{ integer: 'bigint', decimal: 'decimal', float: 'float', boolean: 'bit', bytes: 'varbinary(max)' },
  ...{ date: 'date', timestamp: 'datetime2' },
}

/** Of a key, for a variable. */
function declaredType({ type, length, precision, scale }: Column): string {
  if (type === 'decimal' || type === 'numeric') return `decimal(${precision ?? 38}, ${scale ?? 0})`
  return /char$|binary$/.test(type) ? `${type}(${length ?? 'max'})` : type
}

/** How a value is asked for so that it comes whole. */
function selected(sql: string, { kind, type }: Pick<Column, 'kind' | 'type'>): string {
  if (type === 'timestamp') return `CONVERT(bigint, ${sql})`
  switch (kind) {
    // Style 2: all four digits of money; it means nothing for others.
    case 'decimal':
      return `CONVERT(varchar(64), ${sql}, 2)`
    case 'timestamp':
      return `CONVERT(varchar(33), ${type === 'datetimeoffset' ? `CAST(SWITCHOFFSET(${sql}, 0) AS datetime2)` : sql}, 121)`
    case 'date':
      return `CONVERT(varchar(10), ${sql}, 23)`
    case 'other':
      return asText(sql)
    default:
      return sql
  }
}

/** When the database and the table were made, and how many rowversions the database has given: that never goes back by itself. */
async function identity(session: Session, table: string | undefined): Promise<DatabaseIdentity> {
  const [row = []] = await session.rows(
    `SELECT CONVERT(varchar(33), d.create_date, 121), OBJECT_ID(@p1), CONVERT(bigint, @@DBTS) FROM sys.databases d WHERE d.database_id = DB_ID()`,
    [table ?? null],
  )
  return { name: row.slice(0, 2).join(' '), age: String(row[2] ?? 0) }
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  ...group('misconfigured', 102, 105, 156, 207, 208, 209, 4060, 4104, 8155),
  ...group('authentication', 18452, 18456, 18470, 18486, 18487, 18488),
  ...group('permission', 229, 230, 262, 300, 916, 3906),
  ...group('alreadyExists', 2601, 2627),
  ...group('schemaViolation', 515, 547),
  ...group(
    'invalidValue',
    220,
    232,
    241,
    242,
    244,
    245,
    248,
    271,
    295,
    544,
    2628,
    8102,
    8114,
    8115,
    8152,
    8169,
  ),
  ...group('unsupported', 4403, 4405, 4406),
  ...group('conflict', 1205, 3960),
  ...group('busy', 1222, 10928, 10929, 40197, 40501, 40613, 49918),
}

function group(kind: ErrorKind, ...numbers: readonly number[]): Record<number, ErrorKind> {
  return Object.fromEntries(numbers.map((number) => [number, kind]))
}

const hints: Readonly<Record<number, string>> = {
  1101: advice.full,
  1105: advice.full,
  4060: advice.database,
  9002: advice.full,
}

function errorOf(thrown: unknown): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown
  const facts: { readonly number?: unknown; readonly cause?: unknown } = Object(thrown)
  const number = typeof facts.number === 'number' ? facts.number : 0
  const message = withoutValues(thrown instanceof Error ? thrown.message : String(thrown))
  const certificate = certificateAdvice(facts.cause) ?? certificateAdvice(thrown)
  const hint = certificate ?? hints[number]
  const detail = number === 0 ? undefined : { number }
  const kind = certificate ? 'failed' : (kindOf(number, message) ?? driverKinds[errorCode(thrown)])
  if (kind || number !== 0)
    return new ConnectorError(kind ?? 'failed', message, { ...(hint && { hint }), ...(detail && { detail }) })
  const error = connectorError(facts.cause ?? thrown)
  return error instanceof ConnectorError ? error : new ConnectorError('failed', message)
}

function kindOf(number: number, message: string): ErrorKind | undefined {
  return number === 547 && /\bCHECK constraint\b/.test(message) ? 'invalidValue' : kinds[number]
}

/** Of what the driver says itself. */
const driverKinds: Readonly<Record<string, ErrorKind>> = {
  ELOGIN: 'authentication',
  ESOCKET: 'connection',
  ETIMEOUT: 'connection',
  ECLOSE: 'connection',
  EINVALIDSTATE: 'connection',
}

/** The server repeats values in some of its messages; they may be passwords. */
function withoutValues(message: string): string {
  return message
    .replace(/ Truncated value: '.*$/s, '')
    .replace(/ value '.*' to data type /s, ' value to data type ')
    .replace(/ The duplicate key value is \(.*\)\.?$/s, '')
}
