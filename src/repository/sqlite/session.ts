import { AsyncLocalStorage } from 'node:async_hooks'
import { Problem } from '../../model/problem.ts'
import type { Connection } from './connection.ts'
import { explained, isBusy } from './failure.ts'

/**
 * Decides which connection is used.
 *
 * Outside a transaction, reads use a separate connection, so they see only committed data; each write is its own
 * transaction. Inside, everything uses the writing connection. Transactions of this process wait in a queue. For other
 * processes they wait by trying again, so that waiting never blocks the event loop.
 */
export interface Session {
  read<T>(work: (connection: Connection) => T): Promise<T>
  /** All that `work` writes is kept, or nothing of it. */
  write<T>(work: (connection: Connection) => T): Promise<T>
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

export class Sessions implements Session {
  readonly #file: string
  readonly #writer: Connection
  readonly #reader: Connection
  readonly #options: SessionsOptions
  readonly #current = new AsyncLocalStorage<Transaction>()
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(file: string, connections: Connections, options: SessionsOptions) {
    this.#file = file
    this.#writer = connections.writer
    this.#reader = connections.reader
    this.#options = options
  }

  async read<T>(work: (connection: Connection) => T): Promise<T> {
    this.#requireOpen()
    return attempt(this.#file, () => work(this.#reader))
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
    const transaction = new Transaction(this.#file, this.#writer)
    try {
      return await this.#current.run(transaction, () => work(transaction))
    } finally {
      transaction.end()
    }
  }

  /** Waits for active work. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#last
    this.#reader.close()
    this.#writer.close()
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    this.#requireOpen()
    if (this.#current.getStore()?.open) {
      // Waiting for the transaction that waits for us would never end.
      throw new Problem('INTERNAL', 'Inside a transaction, write through the store that it was given')
    }
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    try {
      return await work()
    } catch (error) {
      throw explained(error, this.#file)
    } finally {
      resolve()
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
    if (this.#closed) throw new Problem('UNAVAILABLE', `The store ${this.#file} is closed`)
  }
}

/** The session inside a transaction: a write that throws takes back itself and nothing before it. */
class Transaction implements Session {
  readonly #file: string
  readonly #connection: Connection
  open = true

  constructor(file: string, connection: Connection) {
    this.#file = file
    this.#connection = connection
  }

  async read<T>(work: (connection: Connection) => T): Promise<T> {
    this.#requireOpen()
    return attempt(this.#file, () => work(this.#connection))
  }

  async write<T>(work: (connection: Connection) => T): Promise<T> {
    this.#requireOpen()
    return attempt(this.#file, () => atomically(this.#connection, work))
  }

  end(): void {
    this.open = false
  }

  #requireOpen(): void {
    const ended = !this.open || !this.#connection.db.isTransaction
    if (ended) throw new Problem('INTERNAL', 'The transaction has ended: its store cannot be used any more')
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

function attempt<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explained(error, file)
  }
}
