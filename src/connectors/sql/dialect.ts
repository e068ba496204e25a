import type { ConnectorError } from '../kit/errors.ts'
import type { Steps } from '../kit/steps.ts'
import type { Cell, Column, ColumnKind, Row } from './column.ts'

/**
 * What differs from database to database. Everything else of the connector is written once, in SQL that all of them
 * understand; each database is one file that implements this.
 */
export interface Dialect {
  /** The product, as a person calls it. */
  readonly name: string
  /** What stands for the system in messages; never a password. */
  readonly place: string
  /** No more connections than this, whatever the pool allows. */
  readonly connections?: number
  /** True if an open reading keeps others from writing: it is then done in pages, each a statement of its own. */
  readonly readingLocks: boolean
  readonly begin: string
  /** What locks the rows of a select that are then written: behind the table, or at the end. */
  readonly locking: { readonly ofTable: string; readonly atEnd: string }
  readonly savepoints: Savepoints
  /** The most parameters of a statement, if it takes fewer than `manyParameters`. */
  readonly mostParameters?: number
  /** `steps` hears how far it has come. */
  connect(signal: AbortSignal, steps?: Steps): Promise<Session>
  /** An identifier in quotes, whatever characters it has. */
  quote(name: string): string
  /** The n-th parameter, from 1, as a value of this column. */
  parameter(place: number, column: Column | undefined): string
  /** How a value is asked for so that it comes whole; absent: by itself. */
  selected?(sql: string, column: Column): string
  /** A condition of a column of truth values; absent: the column itself. */
  isTrue?(column: string): string
  /** True where two rows are compared by their texts alone, to the byte. */
  equals(column: string, parameter: string, of: Column): string
  /** A text as something that sorts by code point. */
  byCodePoint(column: string): string
  /** Any value as a text. */
  asText(column: string): string
  /** The most rows that a statement gives, and how many it leaves out before; it has an order. */
  limit(count: number, offset: number): string
  /** A digest of these columns that the database makes itself, so that only it travels. */
  digest?(columns: readonly Column[]): string
  /** Does the text contain a part, begin with it, end with it? */
  matches(operator: 'co' | 'sw' | 'ew', column: string, part: TextPart, of: Column): string
  /** One of these values; their number is limited by what a statement may have. */
  oneOf(column: string, values: readonly Cell[], of: Column, cells: Parameters): string
  /** Rows that a statement inserts: `VALUES (…), (…)` or what gives the same. */
  rowsOf(rows: readonly Row[], columns: readonly Column[], cells: Parameters): string
  /** Updates many rows by one statement; a row is its key and its columns in order. */
  updateRows(
    table: string,
    key: Column,
    columns: readonly Column[],
    rows: readonly Row[],
    cells: Parameters,
  ): string
  /** Inserts one row whose key the database gives, and tells that key. */
  insertGenerating(session: Session, insert: Insert, cells: readonly Cell[], key: Column): Promise<Cell>
  /** The columns of a table or view, in their order; undefined if there is none of this name. */
  columns(session: Session, table: string): Promise<FoundTable | undefined>
  /** The tables and views that there are. */
  tables(session: Session): Promise<readonly string[]>
  /** Which database and table this is, for positions that mean nothing in another one. */
  identity(session: Session, table: string | undefined): Promise<DatabaseIdentity>
  errorOf(thrown: unknown): ConnectorError
}

/** The two parts of an insert; a database may tell between them what it shall give back. */
export interface Insert {
  /** `INSERT INTO … (…)` */
  readonly into: string
  /** `VALUES (…)`, or a select. */
  readonly rows: string
}

/** Statements about a place in a transaction that one can go back to. */
export interface Savepoints {
  set(name: string): string
  back(name: string): string
  /** Absent where they stay until the transaction ends. */
  release?(name: string): string
}

export const savepoints: Savepoints = {
  set: (name) => `SAVEPOINT ${name}`,
  back: (name) => `ROLLBACK TO SAVEPOINT ${name}`,
  release: (name) => `RELEASE SAVEPOINT ${name}`,
}

/** SQLite allows 32,766, PostgreSQL 65,535. */
export const manyParameters = 10_000

/** Takes the values of a statement, and gives what stands for them. */
export interface Parameters {
  add(cell: Cell, column?: Column): string
}

/** `oneOf` and `rowsOf` with a parameter for each value. */
export const byParameters: Pick<Dialect, 'oneOf' | 'rowsOf'> = {
  oneOf: (column, values, of, cells) =>
    `${column} IN (${values.map((cell) => cells.add(cell, of)).join(', ')})`,
  rowsOf: (rows, columns, cells) => {
    const texts = rows.map(
      (row) => `(${row.map((cell, place) => cells.add(cell, columns[place])).join(', ')})`,
    )
    return `VALUES ${texts.join(', ')}`
  },
}

/** JSON, as part of a token. */
export type DatabaseIdentity = {
  /** Another one after a restore, as far as the database tells. */
  readonly name: string
  /** A whole number that never goes back, unless an earlier state was restored. */
  readonly age: string
}

export function limited(count: number, offset: number): string {
  return `LIMIT ${count}${offset > 0 ? ` OFFSET ${offset}` : ''}`
}

export interface TextPart {
  /** The parameter that holds the part itself. */
  readonly text: string
  /** The parameter that holds it as a LIKE pattern, escaped with `!`. */
  readonly pattern: string
}

export interface FoundTable {
  /** Quoted, with its schema where the configuration names one. */
  readonly sql: string
  readonly columns: readonly Column[]
}

export interface Answer {
  /** None where the statement gives no rows. */
  readonly columns: readonly AnswerColumn[]
  readonly rows: readonly Row[]
  /** How many rows it concerned. */
  readonly count: number
}

export interface AnswerColumn {
  readonly name: string
  readonly kind: ColumnKind
  readonly padded?: boolean
}

/** One connection. Its calls come one after the other. */
export interface Session {
  rows(sql: string, cells?: readonly Cell[]): Promise<readonly Row[]>
  /** Rows as a stream, without holding them all. Leaving it early leaves the connection usable, or closes it. */
  stream(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<readonly Row[]>
  /** How many rows an insert, update or delete concerned. */
  run(sql: string, cells?: readonly Cell[]): Promise<number>
  /** What a statement gives that this connector did not write: it may be of any kind, and has one statement only. */
  answer(sql: string, cells: readonly Cell[]): Promise<Answer>
  /** Its rows as a stream. */
  answers(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<Answer>
  readonly isClosed: boolean
  close(): Promise<void>
}
