import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { instantOf } from '../../model/instant.ts'
import { getAt } from '../../model/pointer.ts'
import { printReference } from '../../model/reference.ts'
import { text } from './column.ts'
import type { Parameter } from './fragment.ts'

/**
 * How every connection is set. `synchronous = NORMAL` in WAL mode: see below for what that promises. The cache
 * holds the inner pages of the indexes of some hundred thousand objects (KiB, negative by SQLite's convention).
 * A checkpoint of 16,000 pages rather than 1,000: bulk inserts touch the same index pages again and again.
 */
export const pragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 16000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -24576;
  PRAGMA temp_store = MEMORY;
`

export type Row = Readonly<Record<string, unknown>>

/**
 * One connection to the store's file with what is prepared and known on it.
 *
 * `synchronous = NORMAL` in WAL mode: when a commit returns, the operating system has the data, so a killed process
 * loses nothing. A power failure may lose the last commits, but only whole ones, and never damages the file. In
 * return, a commit needs no disk flush. The next run restores the end state of an interrupted run.
 */
export class Connection {
  readonly file: string
  readonly db: DatabaseSync
  /** Cached row ids of collections and link sets. After a rollback they may be wrong: see `forget`. */
  readonly collections = new Map<string, number>()
  readonly linkSets = new Map<string, number>()
  readonly #statements = new Map<string, StatementSync>()
  #accepts: Residue = () => true

  constructor(file: string, { lockTimeout }: { lockTimeout: number }) {
    this.file = file
    this.db = new DatabaseSync(file, { timeout: lockTimeout, enableForeignKeyConstraints: true })
  }

  /** After the file is known to be ours, and before anything else. */
  prepareForWork(): void {
    this.db.exec(pragmas)
    const pure = { deterministic: true, directOnly: true }
    this.db.function('syncline_at', pure, jsonAt)
    this.db.function('syncline_instant', pure, (value) =>
      typeof value === 'string' ? (instantOf(value) ?? null) : null,
    )
    this.db.function('syncline_reference', pure, (collection, id) =>
      printReference({ collection: text(collection), id: text(id) }),
    )
    this.db.function('syncline_accepts', { directOnly: true }, (json) => Number(this.#accepts(text(json))))
  }

  /** A statement of fixed text, prepared once. Texts that vary with a query would pile up: `db.prepare` them. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  rows(sql: string, ...parameters: readonly Parameter[]): readonly Row[] {
    return this.statement(sql).all(...parameters)
  }

  row(sql: string, ...parameters: readonly Parameter[]): Row | undefined {
    return this.statement(sql).get(...parameters)
  }

  /** Returns how many rows were written. */
  run(sql: string, ...parameters: readonly Parameter[]): number {
    return Number(this.statement(sql).run(...parameters).changes)
  }

  /** Runs `work` with the SQL function `syncline_accepts(json)` answering for `residue`. */
  withResidue<T>(residue: Residue | undefined, work: () => T): T {
    this.#accepts = residue ?? (() => true)
    return work()
  }

  forget(): void {
    this.collections.clear()
    this.linkSets.clear()
  }

  close(): void {
    this.#statements.clear()
    if (this.db.isOpen) this.db.close()
  }
}

/** The part of a filter that SQL cannot decide, over the JSON text of a row. */
export type Residue = (json: string) => boolean

/** SQL function: the JSON text of the value at a pointer, for pointers that a JSON path cannot spell. */
function jsonAt(json: unknown, pointer: unknown): string | null {
  const value = getAt(JSON.parse(text(json)), JSON.parse(text(pointer)))
  return value === undefined ? null : JSON.stringify(value)
}
