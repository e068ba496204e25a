import { describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { standaloneHost } from '../kit/host.ts'
import { settingOf } from '../kit/write.ts'
import type { Cell, Row } from './column.ts'
import type { Dialect, Session } from './dialect.ts'
import { sqlSettings } from './settings.ts'
import { SqlConnector } from './sql-connector.ts'
import { sqlServer } from './sqlserver.ts'
import { sqlServerColumns } from './sqlserver-catalog.ts'

/** What is sent to SQL Server, and what is made of its answers. There is no server: it is played from a list of rows. */
const account = '__ACCOUNT__'
const url = 'jdbc:sqlserver://db.example.com;databaseName=hr;encrypt=false'

/** As `sys.columns` tells columns: name, type, bytes, precision, scale, nullable, identity, computed, collation, default, unique. */
const columnRow = (
  name: string,
  type: string,
  facts: Partial<Record<keyof typeof places, Cell>> = {},
): Row => {
  const row: Cell[] = [name, type, 0, 0, 0, 1, 0, 0, null, 0, 0]
  for (const [fact, value] of Object.entries(facts)) row[places[fact as keyof typeof places]] = value ?? null
  return row
}
const places = {
  ...{
    bytes: 2,
    precision: 3,
    scale: 4,
    nullable: 5,
    identity: 6,
    computed: 7,
    collation: 8,
    preset: 9,
    unique: 10,
  },
}
const binary = 'Latin1_General_100_BIN2'
const login = columnRow('login', 'nvarchar', { bytes: 40, nullable: 0, collation: binary, unique: 1 })
const standardColumns = [
  login,
  columnRow('mail', 'varchar', { bytes: 100, collation: 'SQL_Latin1_General_CP1_CI_AS' }),
  columnRow('salary', 'decimal', { precision: 12, scale: 2 }),
  columnRow('active', 'bit'),
  columnRow('changed', 'datetime2', { scale: 7 }),
]

interface Sent {
  readonly sql: string
  readonly cells: readonly Cell[]
}

/** Answers from the catalog, keys that are there, and otherwise what `answer` says. */
class PlayedServer implements Session {
  readonly sent: Sent[] = []
  readonly isClosed = false
  readonly #columns: readonly Row[]
  readonly #answer: (sent: Sent) => readonly Row[]

  constructor(columns: readonly Row[], answer: (sent: Sent) => readonly Row[]) {
    this.#columns = columns
    this.#answer = answer
  }

  async rows(sql: string, cells: readonly Cell[] = []) {
    if (sql.includes('FROM sys.objects'))
      return [
        ['7', 'dbo', 'people', 1],
        ['8', 'old', 'people', 0],
      ]
    if (sql.includes('FROM sys.columns')) return this.#columns
    this.sent.push({ sql, cells })
    return this.#answer({ sql, cells })
  }

  async run(sql: string, cells: readonly Cell[] = []) {
    this.sent.push({ sql, cells })
    return 1
  }

  // biome-ignore lint/correctness/useYield: nothing is read as a stream
  async *stream(): AsyncGenerator<readonly Row[]> {
    throw new Error('A reading would keep rows locked')
  }

  async answer() {
    return { columns: [], rows: [], count: 0 }
  }

  async *answers() {
    yield await this.answer()
  }

  async close() {}
}

interface Play {
  readonly columns?: readonly Row[]
  readonly key?: string
  readonly settings?: Record<string, string | boolean>
  readonly answer?: (sent: Sent) => readonly Row[]
}

function play({ columns = standardColumns, key = 'login', settings = {}, answer = () => [] }: Play = {}) {
  const server = new PlayedServer(columns, answer)
  const parsed = sqlSettings({ url, table: 'people', keyColumn: key, ...settings }, standaloneHost())
  const dialect: Dialect = { ...sqlServer(parsed.address), connect: async () => server }
  return { server, connector: new SqlConnector(parsed, dialect, standaloneHost()) }
}

const keysThere =
  (...keys: readonly string[]) =>
  (sent: Sent) =>
    sent.sql.includes('WITH (UPDLOCK')
      ? keys.filter((key) => sent.cells.includes(key)).map((key) => [key])
      : []

describe('a reading of SQL Server', () => {
  it('goes in pages behind the last key, with exact numbers and times as texts', async () => {
    const row = ['ann', null, '1234567890.10', 1, '2026-01-31 08:05:00.1234567']
    const { server, connector } = play({ answer: ({ cells }) => (cells.length === 0 ? [row] : []) })
    await using _ = connector
    const search = connector.search({ objectClass: account, filter: everything, pageSize: 1 })
    const [page] = await Array.fromAsync(search)
    expect(page).toEqual([
      {
        ...{ _id: 'ann', login: 'ann', salary: 1234567890.1, active: true },
        changed: '2026-01-31T08:05:00.1234567Z',
      },
    ])
    const list =
      '[login], [mail], CONVERT(varchar(64), [salary], 2), [active], CONVERT(varchar(33), [changed], 121)'
    const end = 'ORDER BY [login] OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY'
    expect(server.sent).toEqual([
      { sql: `SELECT ${list} FROM [dbo].[people] ${end}`, cells: [] },
      { sql: `SELECT ${list} FROM [dbo].[people] WHERE [login] > @p1 ${end}`, cells: ['ann'] },
    ])
  })

  it.each([
    [
      'login eq "a"',
      '([login] = @p1 AND CONVERT(varbinary(max), CONVERT(nvarchar(max), [login])) = CONVERT(varbinary(max), CONVERT(nvarchar(max), @p1)))',
      ['a'],
    ],
    ['mail eq "a"', '([mail] IS NOT NULL AND [mail] = CAST(@p1 AS varchar(8000)))', ['a']],
    [
      'mail co "10%[a]_!"',
      "([mail] IS NOT NULL AND [mail] LIKE ('%' + CAST(@p1 AS varchar(8000)) + '%') ESCAPE '!')",
      ['10!%![a]!_!!'],
    ],
    ['active eq true', '([active] IS NOT NULL AND [active] = 1)', []],
    ['salary ge 10.5', '([salary] IS NOT NULL AND [salary] >= CAST(@p1 AS decimal(12, 2)))', ['10.5']],
  ] as const)('asks for %s as T-SQL has it', async (filter, condition, cells) => {
    const { server, connector } = play()
    await using _ = connector
    await Array.fromAsync(connector.search({ objectClass: account, filter: parseFilter(filter) }))
    const [sent] = server.sent
    expect(sent?.sql).toContain(condition)
    expect(sent?.cells).toEqual(cells)
  })

  it('sorts with absent values last, and names no column twice in its order', async () => {
    const { server, connector } = play({ columns: [login, columnRow('age', 'int')] })
    await using _ = connector
    await connector.schema()
    const sortKeys = [
      { pointer: ['age'], descending: true },
      { pointer: ['login'], descending: false },
    ]
    expect(connector.sorts(account, sortKeys)).toBe(true)
    await connector.page({
      objectClass: account,
      filter: everything,
      sortKeys,
      pageSize: 2,
      offset: 4,
      total: false,
    })
    expect(server.sent.at(-1)?.sql).toBe(
      'SELECT [age], [login], [login], [age] FROM [dbo].[people] ' +
        'ORDER BY CASE WHEN [age] IS NULL THEN 1 ELSE 0 END, [age] DESC, CONVERT(nvarchar(max), [login]) COLLATE Latin1_General_100_BIN2 ' +
        'OFFSET 4 ROWS FETCH NEXT 3 ROWS ONLY',
    )
  })
})

describe('a page of writes to SQL Server', () => {
  it('is one transaction that locks its rows first, with a savepoint for each statement', async () => {
    const { server, connector } = play({ answer: keysThere('ann', 'bob') })
    await using _ = connector
    const outcomes = await connector.writeMany(account, [
      {
        operation: 'update',
        id: 'ann',
        changes: settingOf({ salary: '10.50', changed: '2026-01-31T08:05:00Z' }),
      },
      { operation: 'delete', id: 'bob' },
      { operation: 'create', attributes: { login: 'cid', active: true } },
      { operation: 'create', attributes: { login: 'dan', active: false } },
    ])
    expect(outcomes.map((one) => (one.ok ? one.id : one.error))).toEqual(['ann', 'bob', 'cid', 'dan'])
    expect(server.sent.map(({ sql }) => sql)).toEqual([
      'BEGIN TRANSACTION',
      'SELECT [login] FROM [dbo].[people] WITH (UPDLOCK, ROWLOCK) WHERE [login] IN (@p1, @p2, @p3, @p4) ORDER BY [login]',
      'SAVE TRANSACTION s1',
      'DELETE FROM [dbo].[people] WHERE [login] IN (@p1)',
      'SAVE TRANSACTION s2',
      `UPDATE t SET [salary] = v.c1, [changed] = v.c2 FROM [dbo].[people] AS t JOIN (VALUES (@p1, CAST(@p2 AS decimal(12, 2)), CAST(@p3 AS datetime2))) AS v(c0, c1, c2) ON t.[login] = v.c0 COLLATE ${binary}`,
      'SAVE TRANSACTION s3',
      'INSERT INTO [dbo].[people] ([login], [active]) SELECT * FROM (VALUES (@p1, CAST(@p2 AS bit)), (@p3, CAST(@p4 AS bit))) AS v(c0, c1)',
      'COMMIT',
    ])
    expect(server.sent[5]?.cells).toEqual(['ann', '10.5', '2026-01-31 08:05:00.0000000'])
    expect(server.sent[7]?.cells).toEqual(['cid', 1, 'dan', 0])
  })

  it('has never more than 2,100 parameters in a statement', async () => {
    const { server, connector } = play()
    await using _ = connector
    const writes = Array.from({ length: 3_000 }, (_, n) => ({
      operation: 'create' as const,
      attributes: { login: `u${n}`, mail: `u${n}@x`, salary: n },
    }))
    const outcomes = await connector.writeMany(account, writes)
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
    expect(Math.max(...server.sent.map(({ cells }) => cells.length))).toBeLessThanOrEqual(2_100)
    expect(server.sent.length).toBeLessThan(30)
  })

  it.each([
    [
      'an identity',
      columnRow('id', 'int', { nullable: 0, identity: 1, unique: 1 }),
      'int',
      '[id]',
      'id',
      42,
      '42',
    ],
    [
      'NEWID()',
      columnRow('id', 'uniqueidentifier', { nullable: 0, preset: 1, unique: 1 }),
      'uniqueidentifier',
      '[id]',
      'CONVERT(nvarchar(max), id)',
      '6F9619FF-8B86-D011-B42D-00C04FC964FF',
      '6F9619FF-8B86-D011-B42D-00C04FC964FF',
    ],
  ] as const)(
    'gets the key that %s gives from the insert itself',
    async (_name, key, type, quoted, asked, given, id) => {
      const { server, connector } = play({
        ...{ columns: [key, columnRow('name', 'nvarchar', { bytes: 40 })], key: 'id' },
        answer: ({ sql }) => (sql.includes('OUTPUT') ? [[given]] : []),
      })
      await using _ = connector
      const outcomes = await connector.writeMany(account, [
        { operation: 'create', attributes: { name: 'Ann' } },
      ])
      expect(outcomes).toEqual([{ ok: true, id }])
      expect(server.sent.find(({ sql }) => sql.includes('OUTPUT'))).toEqual({
        sql: `DECLARE @made TABLE (id ${type}); INSERT INTO [dbo].[people] ([name]) OUTPUT inserted.${quoted} INTO @made VALUES (@p1); SELECT ${asked} FROM @made`,
        cells: ['Ann'],
      })
    },
  )

  it('takes a failed statement back to its savepoint, and tries its rows one by one', async () => {
    const { server, connector } = play()
    await using _ = connector
    const run = server.run.bind(server)
    server.run = async (sql, cells = []) => {
      if (sql.startsWith('INSERT') && cells.includes('bad'))
        throw Object.assign(new Error("Violation of UNIQUE KEY constraint 'u'."), {
          code: 'EREQUEST',
          number: 2627,
        })
      return run(sql, cells)
    }
    const outcomes = await connector.writeMany(account, [
      { operation: 'create', attributes: { login: 'good' } },
      { operation: 'create', attributes: { login: 'bad' } },
    ])
    expect(outcomes).toMatchObject([
      { ok: true, id: 'good' },
      { ok: false, error: { kind: 'alreadyExists' } },
    ])
    expect(server.sent.map(({ sql }) => sql).filter((sql) => /TRANSACTION|COMMIT/.test(sql))).toEqual([
      'BEGIN TRANSACTION',
      ...['SAVE TRANSACTION s1', 'ROLLBACK TRANSACTION s1', 'SAVE TRANSACTION s2', 'SAVE TRANSACTION s3'],
      ...['ROLLBACK TRANSACTION s3', 'COMMIT'],
    ])
  })
})

describe('the columns of SQL Server', () => {
  const quote = (name: string) => `[${name}]`
  const found = async (row: Row) =>
    (await sqlServerColumns(new PlayedServer([row], () => []), 'people', true, quote))?.columns[0]

  it.each([
    [
      columnRow('a', 'nvarchar', { bytes: 40, collation: binary }),
      { kind: 'text', length: 20, comparison: 'exact' },
    ],
    [
      columnRow('a', 'nvarchar', { bytes: -1, collation: 'Latin1_General_CI_AS' }),
      { kind: 'text', comparison: 'unknown' },
    ],
    [columnRow('a', 'char', { bytes: 5 }), { kind: 'text', length: 5, padded: true }],
    [columnRow('a', 'decimal', { precision: 30, scale: 4 }), { kind: 'decimal', precision: 30, scale: 4 }],
    [columnRow('a', 'money', { precision: 19, scale: 4 }), { kind: 'decimal', precision: 19, scale: 4 }],
    [columnRow('a', 'bit'), { kind: 'boolean' }],
    [columnRow('a', 'datetime2', { scale: 7 }), { kind: 'timestamp', fraction: 7 }],
    [columnRow('a', 'datetime', { scale: 3 }), { kind: 'timestamp', fraction: 2 }],
    [columnRow('a', 'datetimeoffset', { scale: 3 }), { kind: 'timestamp', withZone: true }],
    [columnRow('a', 'real'), { kind: 'float', digits: 'single' }],
    [columnRow('a', 'timestamp'), { kind: 'integer', computed: true }],
    [columnRow('a', 'varbinary', { bytes: 16 }), { kind: 'bytes', length: 16 }],
    [columnRow('a', 'uniqueidentifier'), { kind: 'other' }],
    [columnRow('a', 'int', { computed: 1 }), { kind: 'integer', computed: true }],
  ])('%j is %o', async (row, column) => {
    expect(await found(row)).toMatchObject(column)
  })

  it('are those of the table that is meant: of the own schema, or of the one that is named', async () => {
    const server = new PlayedServer([login], () => [])
    for (const [name, isExact, sql] of [
      ['people', true, '[dbo].[people]'],
      ['old.people', true, '[old].[people]'],
      ['PEOPLE', false, '[dbo].[people]'],
      ['PEOPLE', true, undefined],
      ['nobody', false, undefined],
    ] as const)
      expect((await sqlServerColumns(server, name, isExact, quote))?.sql).toBe(sql)
  })
})

it('names of SQL Server stand in brackets, whatever they are', () => {
  const { address } = sqlSettings({ url, table: 'people', keyColumn: 'id' }, standaloneHost())
  expect(sqlServer(address).quote('a]b [c] "d"')).toBe('[a]]b [c]] "d"]')
})

describe('an error of SQL Server', () => {
  const { address } = sqlSettings({ url, table: 'people', keyColumn: 'id' }, standaloneHost())
  const { errorOf } = sqlServer(address)
  const failed = (number: number, message: string) =>
    Object.assign(new Error(message), { code: 'EREQUEST', number })

  it.each([
    [
      failed(2627, "Violation of PRIMARY KEY constraint 'k'. The duplicate key value is (s3cret)."),
      'alreadyExists',
    ],
    [
      failed(
        2628,
        "String or binary data would be truncated in table 't', column 'c'. Truncated value: 's3cret'.",
      ),
      'invalidValue',
    ],
    [
      failed(245, "Conversion failed when converting the nvarchar value 's3cret' to data type int."),
      'invalidValue',
    ],
    [failed(515, "Cannot insert the value NULL into column 'mail'"), 'schemaViolation'],
    [failed(547, 'The INSERT statement conflicted with the FOREIGN KEY constraint "f".'), 'schemaViolation'],
    [failed(547, 'The INSERT statement conflicted with the CHECK constraint "c".'), 'invalidValue'],
    [failed(207, "Invalid column name 'x'."), 'misconfigured'],
    [failed(229, 'The SELECT permission was denied'), 'permission'],
    [failed(1205, 'deadlocked on lock resources'), 'conflict'],
    [failed(4405, 'View is not updatable'), 'unsupported'],
    [failed(9002, 'The transaction log is full'), 'failed'],
    [failed(50000, 'What a trigger says'), 'failed'],
    [Object.assign(new Error("Login failed for user 'sa'."), { code: 'ELOGIN' }), 'authentication'],
    [Object.assign(new Error('Connection lost'), { code: 'ESOCKET' }), 'connection'],
    [
      Object.assign(new Error('self-signed'), {
        code: 'ESOCKET',
        cause: Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      }),
      'failed',
    ],
  ] as const)('is of its kind, and has no value of the row: %s', (thrown, kind) => {
    const error = errorOf(thrown)
    expect(error.kind).toBe(kind)
    expect(JSON.stringify([error.message, error.cause ?? null])).not.toContain('s3cret')
  })

  it('says what to do where the disk is full, the database is not there, or the certificate is unknown', () => {
    expect(errorOf(failed(9002, 'full')).hint).toContain('Make room')
    expect(errorOf(failed(4060, 'Cannot open database "x"')).hint).toContain('Check database')
    const cause = Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(errorOf(Object.assign(new Error('y'), { code: 'ESOCKET', cause })).hint).toContain(
      'trustServerCertificate',
    )
  })
})
