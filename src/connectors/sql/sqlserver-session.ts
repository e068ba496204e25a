import { connect as connectSocket } from 'node:net'
import type { Connection, ConnectionConfiguration, Request } from 'tedious'
import { ConnectorError } from '../kit/errors.ts'
import { followSocket, noSteps } from '../kit/steps.ts'
import type { Address } from './address.ts'
import type { Cell, Row } from './column.ts'
import type { Answer, AnswerColumn, Session } from './dialect.ts'
import { opened } from './lease.ts'
import { shortestFloat } from './numbers.ts'
import { kindOfType } from './sqlserver-catalog.ts'

/**
 * SQL Server through `tedious`, which is loaded when the first connection is made: it brings much that no other database needs. All
 * texts, numbers and times go there as texts, and the statements cast them, so that no digit is lost on the way.
 */
type Tedious = Pick<typeof import('tedious'), 'Connection' | 'Request' | 'TYPES'>

/** What a session uses of a connection. */
export type Wire = Pick<Connection, 'execSql' | 'execSqlBatch' | 'cancel' | 'close' | 'on'>

export async function connectSqlServer(
  address: Address,
  signal: AbortSignal,
  steps = noSteps,
): Promise<Session> {
  const tedious = await import('tedious')
  const { host, port, user, database, tls } = address
  const configuration = configurationOf(address)
  const connection = new tedious.Connection({
    ...configuration,
    options: {
      ...configuration.options,
      connector: () => {
        const socket = connectSocket({ host, port, keepAlive: true, noDelay: true })
        followSocket(socket, { host, port, next: tls === 'off' ? 'log in' : 'TLS' }, steps)
        return new Promise((resolve, reject) => {
          socket.once('error', reject)
          socket.once('connect', () => {
            socket.off('error', reject)
            resolve(socket)
          })
        })
      },
    },
  })
  const session = new SqlServerSession(connection, tedious)
  return opened(session, signal, async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    connection.on('secure', () => steps.enter('log in'))
    connection.connect((error) => (error ? reject(error) : resolve()))
    await promise
    steps.tell(`as ${user} to ${database}`)
  })
}

export function configurationOf({ host, port, user, password, database, tls }: Address) {
  return {
    server: host,
    authentication: { type: 'default', options: { userName: user, password } },
    options: {
      port,
      database,
      encrypt: tls !== 'off',
      trustServerCertificate: tls !== 'verified',
      appName: 'syncline',
      connectTimeout: 30_000,
      // The time limits are those of the system.
      requestTimeout: 0,
      useColumnNames: false,
      useUTC: true,
    },
  } satisfies ConnectionConfiguration
}

interface Listeners {
  columns?(columns: readonly AnswerColumn[]): void
  row(row: Row): void
}

/** A statement under way; `done`: how many rows it concerned. */
interface Running {
  readonly request: Request
  readonly done: Promise<number>
}

export class SqlServerSession implements Session {
  readonly #wire: Wire
  readonly #tedious: Pick<Tedious, 'Request' | 'TYPES'>
  #isClosed = false
  /** Why the connection broke: later calls would only hear that it did. */
  #broken: Error | undefined

  constructor(wire: Wire, tedious: Pick<Tedious, 'Request' | 'TYPES'>) {
    this.#wire = wire
    this.#tedious = tedious
    wire.on('error', (error) => {
      this.#broken ??= error
    })
    wire.on('end', () => {
      this.#isClosed = true
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async rows(sql: string, cells: readonly Cell[] = []): Promise<readonly Row[]> {
    const rows: Row[] = []
    await this.#run(sql, cells, { row: (row) => rows.push(row) }).done
    return rows
  }

  run(sql: string, cells: readonly Cell[] = []): Promise<number> {
    return this.#run(sql, cells, { row: () => undefined }).done
  }

  async *stream(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<readonly Row[]> {
    for await (const { rows } of this.answers(sql, cells, size)) if (rows.length > 0) yield rows
  }

  async answer(sql: string, cells: readonly Cell[]): Promise<Answer> {
    let columns: readonly AnswerColumn[] = []
    const rows: Row[] = []
    const listeners: Listeners = {
      columns: (found) => {
        columns = found
      },
      row: (row) => rows.push(row),
    }
    const count = await this.#run(sql, cells, listeners).done
    return { columns, rows, count }
  }

  async *answers(sql: string, cells: readonly Cell[], size: number): AsyncGenerator<Answer> {
    let columns: readonly AnswerColumn[] = []
    let rows: Row[] = []
    let wake = Promise.withResolvers<void>()
    const running = this.#run(sql, cells, {
      columns: (found) => {
        columns = found
      },
      row: (row) => {
        if (rows.push(row) < size) return
        // Some that are already here follow.
        running.request.pause()
        wake.resolve()
      },
    })
    let isDone = false
    const end = running.done.then(() => {
      isDone = true
    })
    end.catch(() => undefined)
    try {
      while (!isDone) {
        await Promise.race([wake.promise, end])
        const [page, isLast]: readonly [Row[], boolean] = [rows, isDone]
        rows = []
        wake = Promise.withResolvers()
        yield { columns, rows: page, count: page.length }
        if (!isLast) running.request.resume()
      }
    } finally {
      if (!isDone && !this.#isClosed) {
        this.#wire.cancel()
        running.request.resume()
        await end.catch(() => undefined)
      }
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#wire.close()
  }

  #run(sql: string, cells: readonly Cell[], listeners: Listeners): Running {
    const { promise: done, resolve, reject } = Promise.withResolvers<number>()
    const request = new this.#tedious.Request(sql, (error, count) => {
      if (error) reject(this.#lost(error))
      else resolve(count ?? 0)
    })
    const { NVarChar, VarBinary } = this.#tedious.TYPES
    for (const [place, cell] of cells.entries()) {
      const isBytes = cell instanceof Uint8Array
      const value = cell === null ? null : isBytes ? Buffer.from(cell) : String(cell)
      request.addParameter(`p${place + 1}`, isBytes ? VarBinary : NVarChar, value)
    }
    request.on('columnMetadata', (found) => {
      if (Array.isArray(found)) listeners.columns?.(found.map(answerColumn))
    })
    request.on('row', (columns: readonly SentCell[]) => listeners.row(columns.map(cellOf)))
    // What changes the transaction must be a batch: with parameters, a statement is a procedure call, which may not.
    if (cells.length > 0) this.#wire.execSql(request)
    else this.#wire.execSqlBatch(request)
    return { request, done }
  }

  /** Once the connection is broken, why it broke says more than that it did. */
  #lost(error: Error): Error {
    const cause = this.#broken
    return cause ? new ConnectorError('connection', cause.message, { cause }) : error
  }
}

interface SentColumn {
  readonly colName: string
  readonly type: { readonly name: string }
  readonly dataLength?: number | undefined
  readonly scale?: number | undefined
}

interface SentCell {
  readonly value: unknown
  readonly metadata: SentColumn
}

function answerColumn({ colName, type: { name } }: SentColumn): AnswerColumn {
  const type = sentTypes[name] ?? 'other'
  return { name: colName, kind: kindOfType(type), ...(/^n?char$/.test(type) && { padded: true }) }
}

/** As the protocol calls types; `…N` are those that can be NULL. */
const sentTypes: Readonly<Record<string, string>> = {
  ...{ BigInt: 'bigint', Int: 'int', IntN: 'int', SmallInt: 'smallint', TinyInt: 'tinyint' },
  ...{ Bit: 'bit', BitN: 'bit', Real: 'real', Float: 'float', FloatN: 'float' },
  ...{ Decimal: 'decimal', DecimalN: 'decimal', Numeric: 'decimal', NumericN: 'decimal' },
  ...{ Money: 'money', MoneyN: 'money', SmallMoney: 'money' },
  ...{
    Char: 'char',
    NChar: 'nchar',
    VarChar: 'varchar',
    NVarChar: 'nvarchar',
    Text: 'ntext',
    NText: 'ntext',
  },
  ...{ Binary: 'binary', VarBinary: 'varbinary', Image: 'image' },
  ...{ Date: 'date', DateTime: 'datetime', DateTimeN: 'datetime', SmallDateTime: 'datetime' },
  ...{ DateTime2: 'datetime2', DateTimeOffset: 'datetimeoffset' },
}

function cellOf({ value, metadata: { type, dataLength, scale } }: SentCell): Cell {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return value
  if (value instanceof Date) return timeText(value, type.name, scale)
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'bigint') return value
  if (typeof value !== 'number') return String(value)
  return type.name === 'Real' || (type.name === 'FloatN' && dataLength === 4)
    ? shortestFloat(value, 'single')
    : value
}

/** Up to 100 ns, which a `Date` does not hold: the driver tells the rest beside it, as a part of a second. */
function timeText(time: Date, type: string, scale = 3): string {
  const [day = '', clock = ''] = time.toISOString().replace('Z', '').split('T')
  if (type === 'Date') return day
  const { nanosecondsDelta = 0 }: { readonly nanosecondsDelta?: number } = Object(time)
  const rest = Math.round(nanosecondsDelta * 1e7)
    .toString()
    .padStart(4, '0')
  const [seconds = '', milliseconds = ''] = clock.split('.')
  const fraction = `${milliseconds}${rest}`.slice(0, scale)
  const text = fraction === '' ? seconds : `${seconds}.${fraction}`
  return type === 'Time' ? text : `${day} ${text}`
}
