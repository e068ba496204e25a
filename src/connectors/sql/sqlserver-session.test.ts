import type { EventEmitter } from 'node:events'
import { Request, TYPES } from 'tedious'
import { describe, expect, it } from 'vitest'
import { standaloneHost } from '../kit/host.ts'
import type { Cell } from './column.ts'
import { sqlSettings } from './settings.ts'
import { configurationOf, SqlServerSession, type Wire } from './sqlserver-session.ts'

/** A session of SQL Server over a connection that is played: requests are those of the driver, rows are those that it would give. */
type SentRow = readonly { readonly value: unknown; readonly metadata: object }[]

class PlayedWire {
  readonly requests: { readonly kind: string; readonly request: Request }[] = []
  readonly listeners = new Map<string, (error: Error) => void>()
  canceled = 0
  paused = 0
  readonly #answer: (request: Request) => void

  constructor(answer: (request: Request) => void) {
    this.#answer = answer
  }

  execSql(request: Request) {
    this.#send('execSql', request)
  }

  execSqlBatch(request: Request) {
    this.#send('execSqlBatch', request)
  }

  #send(kind: string, request: Request) {
    this.requests.push({ kind, request })
    request.pause = () => void this.paused++
    request.resume = () => undefined
    setImmediate(() => this.#answer(request))
  }

  cancel() {
    this.canceled++
    setImmediate(() => this.requests.at(-1)?.request.callback(new Error('Canceled.')))
    return true
  }

  close() {}

  on(event: string, listener: (error: Error) => void) {
    this.listeners.set(event, listener)
    return this
  }
}

const column = (colName: string, name: string, more: object = {}) => ({ colName, type: { name }, ...more })

function open(rows: readonly SentRow[], columns: readonly object[] = []) {
  const wire = new PlayedWire((request) => {
    // Its types know of its own columns only.
    const emitter: EventEmitter = request
    emitter.emit('columnMetadata', columns)
    for (const row of rows) request.emit('row', row)
    request.callback(undefined, rows.length)
  })
  // The driver's class has much more than a session uses.
  return { wire, session: new SqlServerSession(wire as unknown as Wire, { Request, TYPES }) }
}

describe('a session of SQL Server', () => {
  it('sends texts, numbers and bytes as parameters, and what has none as a batch', async () => {
    const { wire, session } = open([])
    const cells: readonly Cell[] = ['é', 9007199254740993n, 1.5, null, new Uint8Array([0, 255])]
    await session.run('UPDATE t SET a = @p1', cells)
    await session.run('BEGIN TRANSACTION')
    expect(wire.requests.map(({ kind }) => kind)).toEqual(['execSql', 'execSqlBatch'])
    const sent = wire.requests[0]?.request.parameters ?? []
    expect(sent.map(({ name, type, value }) => [name, type.name, value])).toEqual([
      ['p1', 'NVarChar', 'é'],
      ['p2', 'NVarChar', '9007199254740993'],
      ['p3', 'NVarChar', '1.5'],
      ['p4', 'NVarChar', null],
      ['p5', 'VarBinary', Buffer.from([0, 255])],
    ])
  })

  it('loses no digit of what comes', async () => {
    const time = Object.defineProperty(new Date('2026-01-31T08:05:00.123Z'), 'nanosecondsDelta', {
      value: 0.0004567,
    })
    const day = new Date('2026-01-31T00:00:00Z')
    const { session } = open([
      [
        { value: '9007199254740993', metadata: column('a', 'BigInt') },
        { value: Math.fround(0.1), metadata: column('b', 'FloatN', { dataLength: 4 }) },
        { value: 0.1, metadata: column('c', 'FloatN', { dataLength: 8 }) },
        { value: true, metadata: column('d', 'BitN') },
        { value: time, metadata: column('e', 'DateTime2', { scale: 7 }) },
        { value: time, metadata: column('f', 'DateTime2', { scale: 0 }) },
        { value: day, metadata: column('g', 'Date') },
        { value: null, metadata: column('h', 'NVarChar') },
        { value: Buffer.from('x'), metadata: column('i', 'VarBinary') },
      ],
    ])
    expect(await session.rows('SELECT 1')).toEqual([
      [
        ...['9007199254740993', 0.1, 0.1, 1, '2026-01-31 08:05:00.1234567', '2026-01-31 08:05:00'],
        ...['2026-01-31', null, Buffer.from('x')],
      ],
    ])
  })

  it('tells the kinds of the columns of any statement', async () => {
    const { session } = open([], [column('a', 'IntN'), column('b', 'NChar'), column('c', 'UniqueIdentifier')])
    expect((await session.answer('SELECT 1', [])).columns).toEqual([
      { name: 'a', kind: 'integer' },
      { name: 'b', kind: 'text', padded: true },
      { name: 'c', kind: 'other' },
    ])
  })

  it('lets the server wait while rows are being used, and cancels what is left early', async () => {
    const rows = ['1', '2', '3'].map((value): SentRow => [{ value, metadata: column('a', 'NVarChar') }])
    const whole = open(rows)
    expect(await Array.fromAsync(whole.session.stream('SELECT 1', [], 2))).toEqual([[['1'], ['2'], ['3']]])
    expect(whole.wire.paused).toBeGreaterThan(0)
    // More rows would come.
    const wire = new PlayedWire((request) => {
      for (const row of rows) request.emit('row', row)
    })
    const session = new SqlServerSession(wire as unknown as Wire, { Request, TYPES })
    for await (const page of session.stream('SELECT 1', [], 2)) {
      expect(page.length).toBeGreaterThan(0)
      break
    }
    expect([wire.canceled, session.isClosed]).toEqual([1, false])
  })

  it('says why its connection broke, and is closed then', async () => {
    const wire = new PlayedWire((request) => {
      wire.listeners.get('error')?.(new Error('read ECONNRESET'))
      wire.listeners.get('end')?.(new Error())
      request.callback(new Error('Requests can only be made in the LoggedIn state'))
    })
    const session = new SqlServerSession(wire as unknown as Wire, { Request, TYPES })
    await expect(session.rows('SELECT 1')).rejects.toMatchObject({
      kind: 'connection',
      message: 'read ECONNRESET',
    })
    expect(session.isClosed).toBe(true)
  })
})

it.each([
  ['', { encrypt: true, trustServerCertificate: false, port: 1433 }],
  [';encrypt=false', { encrypt: false }],
  [';encrypt=true;trustServerCertificate=true', { encrypt: true, trustServerCertificate: true }],
])('a URL of SQL Server that ends in "%s" becomes options of the driver', (end, options) => {
  const url = `jdbc:sqlserver://db.example.com;databaseName=hr;user=me;password={a;b}${end}`
  const { address } = sqlSettings({ url, table: 'people', keyColumn: 'id' }, standaloneHost())
  expect(configurationOf(address)).toMatchObject({
    server: 'db.example.com',
    authentication: { type: 'default', options: { userName: 'me', password: 'a;b' } },
    options: { database: 'hr', ...options },
  })
})
