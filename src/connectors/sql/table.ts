import { Unreadable } from '../../model/unreadable.ts'
import { ConnectorError, misconfigured } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject } from '../kit/query.ts'
import type { NativeAttribute, ObjectClass } from '../kit/schema.ts'
import { Secret, setAttribute, type Value } from '../kit/values.ts'
import { type Cell, type Column, type ColumnKind, columnNamed, type Row, uuidTypes } from './column.ts'
import type { AnswerColumn, Dialect, FoundTable, Session } from './dialect.ts'
import type { SqlSettings, StatusColumn } from './settings.ts'
import { decoded, encoded } from './values.ts'

/** A table as the catalog and the settings describe it together. */
export interface Table {
  readonly sql: string
  /** By their attributes: the names of the columns, but as the settings spell those that they name. */
  readonly columns: ReadonlyMap<string, Column>
  /** By their own names. */
  readonly byName: ReadonlyMap<string, Column>
  readonly key: Column
  readonly password: Column | undefined
  readonly status: Column | undefined
  /** Grows with each change of its row. */
  readonly change: Column | undefined
  readonly settings: SqlSettings
}

export async function readTable(session: Session, dialect: Dialect, settings: SqlSettings): Promise<Table> {
  const found =
    settings.query === undefined
      ? await dialect.columns(session, settings.table)
      : await queried(session, dialect, settings.query)
  if (!found) {
    const some = (await dialect.tables(session)).slice(0, 10).join(', ')
    const fact = `is ${settings.table}; ${dialect.place} has no such table or view, or the account may not see it`
    throw misconfigured(['configurationProperties', 'table'], `${fact}. There are: ${some || 'none'}`)
  }
  const column = (setting: string, name: string | undefined): Column | undefined => {
    if (name === undefined) return undefined
    const one = columnNamed(found.columns, name, settings.address.exactNames)
    if (one) return one
    const names = found.columns.map((each) => each.name).join(', ')
    const fact = `is ${name}; ${settings.table} has no such column. There are: ${names}`
    throw misconfigured(['configurationProperties', setting], fact)
  }
  const key = column('keyColumn', settings.keyColumn)
  if (!key || !['text', 'integer', 'decimal', 'date', 'other'].includes(key.kind))
    throw misconfigured(
      ['configurationProperties', 'keyColumn'],
      `is of the type ${key?.type}, which cannot be an id`,
    )
  const password = column('passwordColumn', settings.passwordColumn)
  const status = column('statusColumn', settings.status?.column)
  return {
    sql: found.sql,
    columns: new Map(
      found.columns.map((one) => {
        const special = [
          [key, settings.keyColumn],
          [password, settings.passwordColumn],
          [status, settings.status?.column],
        ] as const
        return [special.find(([column]) => column === one)?.[1] ?? one.name, one]
      }),
    ),
    byName: new Map(found.columns.map((one) => [one.name, one])),
    key,
    password,
    status,
    change: changeColumn(column('changeLogColumn', settings.changes?.column)),
    settings,
  }
}

/** A query in the place of a table. Values of types that are only known as texts are made texts at once. */
async function queried(session: Session, dialect: Dialect, query: string): Promise<FoundTable> {
  // Its last line may be a comment.
  const inner = `(${query.replace(/;\s*$/, '')}\n) AS q`
  const wrong = (fact: string) => misconfigured(['configurationProperties', 'query'], fact)
  const { columns } = await session
    .answer(`SELECT * FROM ${inner} WHERE 1 = 0`, [])
    .catch((thrown: unknown) => {
      const error = dialect.errorOf(thrown)
      throw error.kind === 'misconfigured'
        ? wrong(`cannot be run. The database says: ${error.message}`)
        : error
    })
  const names = columns.map(({ name }) => name)
  const twice = names.find((name, place) => names.indexOf(name) < place)
  if (twice !== undefined)
    throw wrong(`gives the column ${twice} twice; give one of them another name with AS`)
  const selected = columns.map(({ name, kind }) => {
    const quoted = dialect.quote(name)
    return kind === 'other' ? `${dialect.asText(quoted)} AS ${quoted}` : quoted
  })
  return {
    sql: `(SELECT ${selected.join(', ')} FROM ${inner}) AS query`,
    columns: columns.map(queryColumn),
  }
}

/** Nothing is known of indexes and collations; nothing can be written. */
function queryColumn({ name, kind, padded = false }: AnswerColumn): Column {
  return {
    ...{ name, kind, padded, type: queryTypes[kind], nullable: true, hasDefault: false, generated: false },
    ...{ computed: true, unique: false, comparison: kind === 'text' ? 'unknown' : 'exact' },
  }
}

/** As which type values are compared. */
const queryTypes: Readonly<Record<ColumnKind, string>> = {
  ...{ text: 'text', integer: 'bigint', decimal: 'numeric', float: 'double precision', boolean: 'boolean' },
  ...{ bytes: 'bytea', date: 'date', timestamp: 'timestamp with time zone', other: 'text' },
}

/** The column of an attribute; of one that the settings spell in another way, by its own name, too. */
export function columnOf(name: string, { columns, byName }: Table): Column | undefined {
  return columns.get(name) ?? byName.get(name)
}

function changeColumn(column: Column | undefined): Column | undefined {
  if (!column || ['integer', 'decimal', 'timestamp', 'date', 'text'].includes(column.kind)) return column
  throw misconfigured(
    ['configurationProperties', 'changeLogColumn'],
    `is of the type ${column.type}, which does not grow; it must be a time or a number`,
  )
}

export function objectClassOf(table: Table): ObjectClass {
  const { settings, key, password, status } = table
  return {
    attributes: Array.from(table.columns, ([name, column]): NativeAttribute => {
      const isWritten = !column.computed
      const isFilledIn = settings.enableEmptyString && column.kind === 'text'
      return {
        name,
        type: column === status ? 'boolean' : attributeType(column),
        multivalued: false,
        required:
          !(column.nullable || column.hasDefault || column.computed || isFilledIn) && column !== status,
        comparison: column === status ? 'exact' : column.comparison,
        creatable: isWritten,
        updateable: isWritten && !(column === key && column.generated),
        secret: column === password,
        returnedByDefault: column !== password || !settings.suppressPassword,
        unique: column.unique || column === key,
      }
    }),
  }
}

function attributeType({ kind }: Column): NativeAttribute['type'] {
  if (kind === 'decimal' || kind === 'float') return 'number'
  if (kind === 'integer' || kind === 'boolean' || kind === 'bytes') return kind
  return 'string'
}

/** Columns to select, the key first, and what makes objects of the rows; undefined for a row without a key. */
export interface RowReader {
  readonly columns: readonly Column[]
  read(row: Row): ConnectorEntry | undefined
}

export function rowReader(table: Table, fields: readonly string[] | undefined): RowReader {
  const { key, password, settings } = table
  const wanted: readonly (readonly [name: string, column: Column])[] = fields
    ? [...new Set(fields)].flatMap((name) => {
        const column = columnOf(name, table)
        return column ? [[name, column] as const] : []
      })
    : [...table.columns].filter(([, column]) => column !== password || !settings.suppressPassword)
  // Each column once: the key may be wanted, too.
  const columns = [...new Set([key, ...wanted.map(([, column]) => column)])]
  const places = wanted.map(([name, column]) => [name, column, columns.indexOf(column)] as const)
  return {
    columns,
    read(row) {
      const id = idOf(row[0] ?? null, key)
      if (id === undefined) return undefined
      const object: ConnectorObject = { _id: id }
      for (const [name, column, place] of places) {
        const value = readValue(row[place] ?? null, column, table)
        if (value instanceof ConnectorError) return new Unreadable(id, value)
        if (value !== undefined) setAttribute(object, name, value)
      }
      return object
    },
  }
}

export function idOf(cell: Cell, key: Column): string | undefined {
  const value = decoded(cell, key)
  return value === undefined || value === null ? undefined : String(value)
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The key of an id; undefined for a text that no key has, so that the database need not be asked. */
export function keyOf(id: string, key: Column): Cell | undefined {
  if (uuidTypes.has(key.type) && !uuid.test(id)) return undefined
  if (key.kind === 'text') return id.includes('\0') || !id.isWellFormed() ? undefined : id
  try {
    const cell = encoded(id, key)
    return idOf(cell, key) === id ? cell : undefined
  } catch {
    return undefined
  }
}

function readValue(cell: Cell, column: Column, table: Table): Value | undefined | ConnectorError {
  const value = decoded(cell, column)
  if (value === undefined) return undefined
  if (column === table.password) return new Secret(String(value))
  if (column !== table.status || !table.settings.status) return value
  const { enabled, disabled } = table.settings.status
  if (saysStatus(value, enabled)) return true
  if (saysStatus(value, disabled)) return false
  const fact = `${column.name} is ${JSON.stringify(value)}, neither ${enabled} nor ${disabled}`
  return new ConnectorError('unreadable', `The status cannot be read: ${fact}`, { attribute: column.name })
}

function saysStatus(value: Value, text: string): boolean {
  return String(value) === text || (typeof value === 'boolean' && String(Number(value)) === text)
}

/** The cell that a write gives to an attribute. Throws why the table cannot hold it. */
export function cellFor(
  name: string,
  value: Value,
  table: Table,
): { readonly column: Column; readonly cell: Cell } {
  const column = columnOf(name, table)
  if (!column)
    throw new ConnectorError('schemaViolation', `The table ${table.settings.table} has no column ${name}`, {
      attribute: name,
    })
  if (column.computed)
    throw new ConnectorError('schemaViolation', `The column ${name} is computed by the database`, {
      attribute: name,
    })
  const { status } = table.settings
  const given =
    column === table.status && status && typeof value === 'boolean'
      ? statusText(value, status, column)
      : value
  return { column, cell: emptied(encoded(given, column), column, table.settings) }
}

function statusText(value: boolean, { enabled, disabled }: StatusColumn, column: Column): Value {
  const text = value ? enabled : disabled
  return column.kind === 'boolean' ? text === 'true' || text === '1' : text
}

/** What a new row gets in the status column, if its attributes do not say it. */
export function standardStatus(table: Table): { readonly column: Column; readonly cell: Cell } | undefined {
  const { status, settings } = table
  if (!status || !settings.status) return undefined
  const text = settings.status.standard
  return {
    column: status,
    cell: encoded(status.kind === 'boolean' ? text === 'true' || text === '1' : text, status),
  }
}

function emptied(cell: Cell, column: Column, { enableEmptyString }: SqlSettings): Cell {
  if (column.kind !== 'text') return cell
  if (enableEmptyString) return cell === null && !column.nullable ? '' : cell
  return cell === '' ? null : cell
}

/** The value as it is read after the write; null where it is none. */
export function heldIn(name: string, value: Value, table: Table): Value {
  const { column, cell } = cellFor(name, value, table)
  const read = readValue(cell, column, table)
  return read === undefined || read instanceof ConnectorError ? null : read
}
