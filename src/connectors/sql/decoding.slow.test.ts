import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { SyncToken } from '../kit/changes.ts'
import { kindOfError } from '../kit/errors.ts'
import type { SqlConnector } from './sql-connector.ts'
import { tableContract } from './testing/contract.ts'
import { postgresServer, type TestServer } from './testing/databases.ts'

/** liveSync of a table of PostgreSQL by a replication slot. */
let database: TestServer
beforeAll(async () => {
  database = await postgresServer()
})
afterAll(() => database[Symbol.asyncDispose]())

const dropSlot = (slot: string) =>
  database.run(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${slot}'`,
  )

tableContract(
  'a PostgreSQL table with a replication slot',
  () => database,
  { text: 'text', bytes: 'bytea' },
  {
    settings: (table) => ({ replicationSlot: `slot_${table}` }),
    close: (table) => dropSlot(`slot_${table}`),
  },
)

const account = '__ACCOUNT__'
let tables = 0

async function logged(columns = 'id text PRIMARY KEY, note text', settings: JsonObject = {}) {
  const table = `logged${++tables}`
  const slot = `slot_${table}`
  await database.run(`CREATE TABLE ${table} (${columns})`)
  const open = () => database.connect({ table, keyColumn: 'id', replicationSlot: slot, ...settings })
  const connector = open()
  return {
    ...{ table, slot, connector, open },
    run: (sql: string) => database.run(sql.replaceAll('THIS', table)),
    async [Symbol.asyncDispose]() {
      await connector[Symbol.asyncDispose]()
      await dropSlot(slot)
    },
  }
}

/** What has changed, and the token after it; stored as text between, as a server does. */
async function since(connector: SqlConnector, token: SyncToken | null | undefined) {
  const changes: string[] = []
  let next = token ?? null
  for await (const page of connector.changesSince?.(account, next) ?? []) {
    for (const change of page.changes)
      changes.push(
        change.kind === 'DELETE' || isUnreadable(change.object)
          ? `${change.id} gone`
          : `${change.previousId ? `${change.previousId}>` : ''}${change.id} ${change.object.note}`,
      )
    next = page.token
  }
  return { changes, token: JSON.parse(JSON.stringify(next)) as SyncToken }
}

describe('a table whose log is read', () => {
  it('tells what was written, renamed and deleted, as the rows are now', async () => {
    await using table = await logged()
    await table.run("INSERT INTO THIS VALUES ('a', 'one'), ('b', 'one'), ('c', 'one'), ('d', 'one')")
    const token = await table.connector.latestToken?.(account)
    await table.run("UPDATE THIS SET note = 'two' WHERE id = 'a'")
    await table.run("UPDATE THIS SET note = 'three' WHERE id = 'a'")
    await table.run("DELETE FROM THIS WHERE id = 'b'")
    await table.run("UPDATE THIS SET id = 'x' WHERE id = 'c'")
    await table.run("UPDATE THIS SET id = 'c2' WHERE id = 'x'")
    await table.run("DELETE FROM THIS WHERE id = 'd'")
    await table.run("INSERT INTO THIS VALUES ('d', 'back')")
    const found = await since(table.connector, token)
    expect(found.changes).toEqual(['a three', 'c>c2 one', 'd back', 'b gone', 'x gone'])
    expect((await since(table.connector, found.token)).changes).toEqual([])
  })

  it('loses nothing of what a process has read that was killed before its token was stored', async () => {
    await using table = await logged()
    const token = await table.connector.latestToken?.(account)
    await table.run("INSERT INTO THIS VALUES ('a', 'one')")
    expect((await since(table.connector, token)).changes).toEqual(['a one'])
    await database.server.crash()
    await database.server.start()
    await using another = table.open()
    expect((await since(another, token)).changes).toEqual(['a one'])
  })

  it('tells of a transaction that began early and was committed late, and of none that was taken back', async () => {
    await using table = await logged()
    const from = await table.connector.latestToken?.(account)
    const session = await database.dialect.connect(new AbortController().signal)
    await session.run('BEGIN')
    await session.run(`INSERT INTO ${table.table} VALUES ('later', 'one')`)
    await table.run("INSERT INTO THIS VALUES ('early', 'one')")
    const first = await since(table.connector, from)
    expect(first.changes).toEqual(['early one'])
    await session.run('COMMIT')
    await session.run('BEGIN')
    await session.run(`INSERT INTO ${table.table} VALUES ('never', 'one')`)
    await session.run('ROLLBACK')
    await session.close()
    expect((await since(table.connector, first.token)).changes).toEqual(['later one'])
  })

  it('lets the log go up to what is done, even where only other tables are written', async () => {
    await using table = await logged()
    let token = await table.connector.latestToken?.(account)
    const confirmed = async () =>
      String(
        (
          await database.run(
            `SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '${table.slot}'`,
          )
        )[0]?.[0],
      )
    const before = await confirmed()
    await database.run('CREATE TABLE busy AS SELECT generate_series(1, 1000) AS n')
    token = (await since(table.connector, token)).token
    await since(table.connector, token)
    expect((await database.run(`SELECT '${await confirmed()}'::pg_lsn > '${before}'::pg_lsn`))[0]).toEqual([
      't',
    ])
  })

  it('tells of a transaction with thousands of rows in pages, and again from the token of any of them', async () => {
    await using table = await logged()
    const token = await table.connector.latestToken?.(account)
    await table.run("INSERT INTO THIS SELECT 'u' || n, 'bulk' FROM generate_series(1, 2600) n")
    const pages: (SyncToken | null)[] = []
    for await (const page of table.connector.changesSince?.(account, token ?? null) ?? [])
      pages.push(page.token)
    expect(pages.length).toBeGreaterThan(5)
    expect((await since(table.connector, pages[1])).changes).toHaveLength(2_600)
    expect((await since(table.connector, pages.at(-1))).changes).toEqual([])
  })

  it('calls a token stale when the slot is gone, or has let go of what was not read, and begins anew', async () => {
    const lose = {
      'is gone': (slot: string) => dropSlot(slot),
      'was made anew': async (slot: string) => {
        await dropSlot(slot)
        await database.run(`SELECT pg_create_logical_replication_slot('${slot}', 'test_decoding')`)
      },
      'was read by another program': (slot: string) =>
        database.run(`SELECT count(*) FROM pg_logical_slot_get_changes('${slot}', NULL, NULL)`),
    }
    for (const [how, loseIt] of Object.entries(lose)) {
      await using table = await logged()
      await table.run("INSERT INTO THIS VALUES ('a', 'one')")
      const token = await table.connector.latestToken?.(account)
      await table.run("INSERT INTO THIS VALUES ('b', 'missed')")
      await loseIt(table.slot)
      const failure = await since(table.connector, token).catch((error: unknown) => error)
      expect([how, kindOfError(failure)]).toEqual([how, 'staleToken'])
      const found = await since(table.connector, null)
      expect(found.changes).toEqual(['a one', 'b missed'])
      await table.run("DELETE FROM THIS WHERE id = 'b'")
      expect((await since(table.connector, found.token)).changes).toEqual(['b gone'])
    }
  })

  it('calls a token stale after a TRUNCATE, which tells no rows', async () => {
    await using table = await logged()
    await table.run("INSERT INTO THIS VALUES ('a', 'one')")
    const token = await table.connector.latestToken?.(account)
    await database.run('CREATE TABLE other ()')
    await table.run('TRUNCATE THIS, other')
    await table.run("INSERT INTO THIS VALUES ('b', 'one')")
    const failure = await since(table.connector, token).catch((error: unknown) => error)
    expect([kindOfError(failure), String(failure)]).toEqual([
      'staleToken',
      expect.stringContaining('was truncated'),
    ])
    const found = await since(table.connector, null)
    expect(found.changes).toEqual(['b one'])
    expect((await since(table.connector, found.token)).changes).toEqual([])
  })

  it('tells of the partitions of a table as of the table', async () => {
    await using table = await logged('id text, note text, PRIMARY KEY (id)) PARTITION BY HASH (id')
    for (const part of [0, 1])
      await table.run(
        `CREATE TABLE THIS_${part} PARTITION OF THIS FOR VALUES WITH (MODULUS 2, REMAINDER ${part})`,
      )
    const token = await table.connector.latestToken?.(account)
    await table.run("INSERT INTO THIS SELECT 'u' || n, 'x' FROM generate_series(1, 10) n")
    expect((await since(table.connector, token)).changes).toHaveLength(10)
  })

  it('is refused where the log would not tell the key, for a view, and for a slot of something else', async () => {
    await using keyless = await logged('id text UNIQUE, n int PRIMARY KEY')
    await expect(keyless.connector.latestToken?.(account)).rejects.toThrow('REPLICA IDENTITY FULL')
    await keyless.run('ALTER TABLE THIS REPLICA IDENTITY FULL')
    await keyless.connector.latestToken?.(account)
    await database.run(`CREATE VIEW seen AS SELECT * FROM ${keyless.table}`)
    await using view = await logged(undefined, { table: 'seen' })
    await expect(view.connector.latestToken?.(account)).rejects.toThrow('is no table')
    await database.run("SELECT pg_create_logical_replication_slot('foreign_one', 'pgoutput')")
    await using foreign = await logged(undefined, { replicationSlot: 'foreign_one' })
    const failure = await foreign.connector.latestToken?.(account).catch((error: unknown) => error)
    expect([kindOfError(failure), String(failure)]).toEqual([
      'misconfigured',
      expect.stringContaining('it has the plugin pgoutput'),
    ])
    await dropSlot('foreign_one')
  })
})
