import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { CallerFunction } from '../../scripts/engine.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Value } from '../kit/values.ts'
import type { Client } from '../sql/address.ts'
import type { Cell, ColumnKind } from '../sql/column.ts'
import type { Answer, AnswerColumn, Dialect, Session } from '../sql/dialect.ts'
import { decoded } from '../sql/values.ts'
import { cellOf, placed } from './statement.ts'

/** How many rows `eachRow` gets at a time. */
const pageSize = 500

/**
 * What `connection` of scripts does with one session, for a page of operations. Each operation that writes is a transaction, from its
 * first statement on: it ends with `done`, and what is not done is taken back, whatever became of the script.
 */
export class SessionCalls {
  readonly #session: Session
  readonly #dialect: Dialect
  readonly #client: Client
  readonly #isWriting: boolean
  readonly #cursors = new Map<number, Cursor>()
  #lastCursor = 0
  /** The input whose transaction is open. */
  #open: number | undefined
  #isOver = false
  /** The end of the call before: those of a session come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(session: Session, dialect: Dialect, client: Client, isWriting: boolean) {
    this.#session = session
    this.#dialect = dialect
    this.#client = client
    this.#isWriting = isWriting
  }

  readonly functions: Readonly<Record<string, CallerFunction>> = {
    query: (args, input) => this.#asked(input, async () => rowsOf(await this.#answer(args))),
    first: (args, input) => this.#asked(input, async () => rowsOf(await this.#answer(args))[0] ?? null),
    execute: (args, input) => this.#asked(input, async () => (await this.#answer(args)).count),
    open: (args, input) => this.#asked(input, async () => this.#openCursor(args)),
    next: ([cursor]) => this.#told(async () => (await this.#cursors.get(Number(cursor))?.next()) ?? []),
    close: async ([cursor]) => this.#told(async () => this.#closeCursor(Number(cursor))),
    done: () => this.#told(async () => this.#end('COMMIT')),
    failed: () => this.#told(async () => this.#end('ROLLBACK')),
  }

  /** Takes back what an operation that was stopped has left. Nothing happens after it. */
  async end(): Promise<void> {
    try {
      await this.#told(async () => this.#end('ROLLBACK'))
    } catch {
      // A connection whose transaction may still be open is of no use.
      await this.#session.close()
    }
    this.#isOver = true
  }

  /** In the transaction of its operation. */
  async #asked<T extends Json>(input: number, work: () => Promise<T>): Promise<T> {
    return this.#told(async () => {
      // The operation before was stopped within a script.
      if (this.#open !== undefined && this.#open !== input) await this.#end('ROLLBACK')
      if (this.#isWriting && this.#open === undefined) {
        this.#open = input
        await this.#session.run(this.#dialect.begin)
      }
      return work()
    })
  }

  /** Errors of the database in the words of connectors; the kind goes to the script and comes back with its error. */
  async #told<T extends Json>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn
    const turn = before.then(() => {
      if (this.#isOver) throw new ConnectorError('failed', 'the operation has ended')
      return work()
    })
    this.#turn = turn.catch(() => undefined)
    try {
      return await turn
    } catch (error) {
      const { code, message, status, detail, kind } = this.#dialect.errorOf(error)
      throw new Problem(code, message, { status, detail: { ...Object(detail), kind } })
    }
  }

  async #end(statement: 'COMMIT' | 'ROLLBACK'): Promise<null> {
    for (const cursor of this.#cursors.keys()) await this.#closeCursor(cursor)
    if (this.#open === undefined) return null
    this.#open = undefined
    await this.#session.run(statement)
    return null
  }

  async #answer(args: readonly Json[]): Promise<Answer> {
    const { sql, cells } = this.#statement(args)
    await this.#freeSession()
    return this.#session.answer(sql, cells)
  }

  async #openCursor(args: readonly Json[]): Promise<number> {
    const { sql, cells } = this.#statement(args)
    await this.#freeSession()
    const cursor = ++this.#lastCursor
    this.#cursors.set(cursor, new Cursor(this.#session.answers(sql, cells, pageSize)))
    return cursor
  }

  /** A session answers one statement at a time: what is left of an open one is read before. */
  async #freeSession(): Promise<void> {
    for (const cursor of this.#cursors.values()) await cursor.readAll()
  }

  async #closeCursor(number: number): Promise<null> {
    const cursor = this.#cursors.get(number)
    this.#cursors.delete(number)
    await cursor?.close()
    return null
  }

  #statement([sql, given]: readonly Json[]) {
    const parameters = Array.isArray(given) ? given : []
    const found = placed(String(sql), this.#client, (place) => this.#dialect.parameter(place, undefined))
    if (found.places !== parameters.length)
      throw new ConnectorError(
        'misconfigured',
        `the statement has places for ${found.places} parameters (?), and ${parameters.length} are given`,
      )
    return { sql: found.sql, cells: parameters.map((value, place) => cellOf(value, place + 1, this.#client)) }
  }
}

/** Rows that a script visits: read as they are wanted, or all at once when the session is needed for something else. */
class Cursor {
  readonly #answers: AsyncGenerator<Answer>
  readonly #read: JsonObject[][] = []
  #isDone = false

  constructor(answers: AsyncGenerator<Answer>) {
    this.#answers = answers
  }

  /** None: the end. */
  async next(): Promise<JsonObject[]> {
    while (this.#read.length === 0 && !this.#isDone) await this.#more()
    return this.#read.shift() ?? []
  }

  async readAll(): Promise<void> {
    while (!this.#isDone) await this.#more()
  }

  async close(): Promise<void> {
    this.#isDone = true
    await this.#answers.return(undefined)
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#answers.next()
    if (done) this.#isDone = true
    else if (value.rows.length > 0) this.#read.push(rowsOf(value))
  }
}

function rowsOf({ columns, rows }: Answer): JsonObject[] {
  return rows.map((row) =>
    Object.fromEntries(
      columns.map((column, place) => [column.name, jsonOf(typed(row[place] ?? null, column))]),
    ),
  )
}

/** A column without a type, such as an expression in SQLite, has the type of each value. */
function typed(cell: Cell, column: AnswerColumn): Value {
  const kind = column.kind === 'other' ? (kindsOfCells[typeof cell] ?? 'other') : column.kind
  return decoded(cell, { ...column, kind }) ?? null
}

const kindsOfCells: Readonly<Record<string, ColumnKind>> = { bigint: 'integer', number: 'float' }

function jsonOf(value: Value): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return typeof value === 'object' ? null : value
}
