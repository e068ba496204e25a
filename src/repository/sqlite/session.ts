import { AsyncLocalStorage } from 'node:async_hooks'
import { Mutex } from '../../kit/mutex.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { StorePage, StoreQuery } from '../query.ts'
import type { Connection, Row } from './connection.ts'
import { explained, isBusy } from './failure.ts'
import type { Parameter } from './fragment.ts'
import { type Queryable, queried } from './query.ts'

/**
 * Decides which connection is used.
 *
 * Outside a transaction, reads use a separate connection, so they see only committed data; each write is its own
 * transaction. Inside, everything uses the writing connection. Transactions of this process wait in a queue. For other
 * processes they wait by trying again, so that waiting never blocks the event loop.
 */
export abstract class Session {
  abstract read<T>(work: (connection: Connection) => T): Promise<T>
  /** All that `work` writes is kept, or nothing of it. */
  abstract write<T>(work: (connection: Connection) => T): Promise<T>

  rows<T>(read: (row: Row) => T, sql: string, ...parameters: readonly Parameter[]): Promise<readonly T[]> {
    return this.read((connection) => connection.rows(sql, ...parameters).map((row) => read(row)))
  }

  row<T>(read: (row: Row) => T, sql: string, ...parameters: readonly Parameter[]): Promise<T | undefined> {
    return this.read((connection) => {
      const row = connection.row(sql, ...parameters)
      return row && read(row)
    })
  }

  page<T extends JsonObject>(table: Queryable<T>, query: StoreQuery): Promise<StorePage<T>> {
    return this.read((connection) => queried(connection, table, query))
  }

  /** Returns how many rows were written. */
  run(sql: string, ...parameters: readonly Parameter[]): Promise<number> {
    return this.write((connection) => connection.run(sql, ...parameters))
  }

  /** One statement with each of the parameters; returns how many rows were written. */
  runEach(sql: string, all: readonly (readonly Parameter[])[]): Promise<number> {
    return this.write((connection) =>
      all.reduce((sum, parameters) => sum + connection.run(sql, ...parameters), 0),
    )
  }
}

export interface Connections {
  readonly writer: Connection
  readonly reader: Connection
}

export interface SessionsOptions {
  /** How many milliseconds a transaction waits for a transaction of another process. */
  readonly patience: number
  /** Every transaction's work is called twice, and what the first call did is thrown away. */
  readonly repeatTransactions: boolean
}

export class Sessions extends Session {
  readonly #writer: Connection
  readonly #reader: Connection
  readonly #options: SessionsOptions
  readonly #current = new AsyncLocalStorage<Transaction>()
  readonly #turn = new Mutex()
  #closed = false

  constructor({ writer, reader }: Connections, options: SessionsOptions) {
    super()
    this.#writer = writer
    this.#reader = reader
    this.#options = options
  }

  async read<T>(work: (connection: Connection) => T): Promise<T> {
    this.#requireOpen()
    return attempt(this.#reader, work)
  }

  write<T>(work: (connection: Connection) => T): Promise<T> {
    return this.#alone(() => this.#inTransaction(async () => work(this.#writer)))
  }

  /** Everything done through the session given to `work` is kept, or, if it throws, nothing. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#alone(async () => {
      if (this.#options.repeatTransactions) await this.#forNothing(work)
      return await this.#inTransaction(() => this.#throughStore(work))
    })
  }

  /** As after a conflict with another transaction: writes, result and error of `work` are dropped. */
  async #forNothing(work: (session: Session) => Promise<unknown>): Promise<void> {
    const thrownAway = new Error('thrown away')
    try {
      await this.#inTransaction(async () => {
        await this.#throughStore(work).catch(() => undefined)
        throw thrownAway
      })
    } catch (error) {
      if (error !== thrownAway) throw error
    }
  }

  async #throughStore<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const transaction = new Transaction(this.#writer)
    try {
      return await this.#current.run(transaction, () => work(transaction))
    } finally {
      transaction.open = false
    }
  }

  /** Waits for active work. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#turn.idle()
    this.#reader.close()
    this.#writer.close()
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    this.#requireOpen()
    if (this.#current.getStore()?.open) {
      // Waiting for the transaction that waits for us would never end.
      throw new Problem('INTERNAL', 'Inside a transaction, write through the store that it was given')
    }
    try {
      return await this.#turn.run(work)
    } catch (error) {
      throw explained(error, this.#writer.file)
    }
  }

  async #inTransaction<T>(work: () => Promise<T>): Promise<T> {
    const { db } = this.#writer
    await this.#begin()
    try {
      const result = await work()
      db.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk makes SQLite roll back by itself.
      if (db.isTransaction) db.exec('ROLLBACK')
      this.#writer.forget()
      throw error
    }
  }

  async #begin(): Promise<void> {
    const deadline = performance.now() + this.#options.patience
    for (;;) {
      try {
        this.#writer.db.exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new Problem('UNAVAILABLE', `The store ${this.#writer.file} is closed`)
  }
}

/** The session inside a transaction: a write that throws takes back itself and nothing before it. */
class Transaction extends Session {
  readonly #connection: Connection
  open = true

  constructor(connection: Connection) {
    super()
    this.#connection = connection
  }

  async read<T>(work: (connection: Connection) => T): Promise<T> {
    const ended = !this.open || !this.#connection.db.isTransaction
    if (ended) throw new Problem('INTERNAL', 'The transaction has ended: its store cannot be used any more')
    return attempt(this.#connection, work)
  }

  write<T>(work: (connection: Connection) => T): Promise<T> {
    return this.read((connection) => atomically(connection, work))
  }
}

function atomically<T>(connection: Connection, work: (connection: Connection) => T): T {
  const { db } = connection
  db.exec('SAVEPOINT page')
  try {
    const result = work(connection)
    db.exec('RELEASE page')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK TO page; RELEASE page')
    connection.forget()
    throw error
  }
}

function attempt<T>(connection: Connection, work: (connection: Connection) => T): T {
  try {
    return work(connection)
  } catch (error) {
    throw explained(error, connection.file)
  }
}
