import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import { temporaryFolder } from '../../testing/folder.ts'
import type { SyncToken } from '../kit/changes.ts'
import { kindOfError } from '../kit/errors.ts'
import type { SqlConnector } from './sql-connector.ts'
import { mariadbServer, postgresServer, sqliteFile } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

/** liveSync of tables by comparison with a snapshot, with a column that grows and without one. */
const account = '__ACCOUNT__'
const names = ['PostgreSQL', 'MariaDB', 'SQLite'] as const
const databases = new Map<string, TestDatabase>()
beforeAll(async () => {
  for (const database of await Promise.all([postgresServer(), mariadbServer(), sqliteFile()]))
    databases.set(database.name, database)
})
afterAll(async () => {
  for (const database of databases.values()) await database[Symbol.asyncDispose]()
})

let tables = 0

async function tableOf(name: string, columns: (text: string) => string, settings: JsonObject = {}) {
  const database = databases.get(name)
  if (!database) throw new Error(`There is no ${name}`)
  const table = `compared${++tables}`
  const text = name === 'MariaDB' ? 'VARCHAR(40) COLLATE utf8mb4_general_ci' : 'VARCHAR(40)'
  await database.run(`CREATE TABLE ${table} (${columns(text)})`)
  const folder = temporaryFolder()
  const connector = database.connect({ table, keyColumn: 'id', ...settings }, { stateFolder: folder.path })
  return {
    ...{ database, table, connector, folder },
    run: (sql: string) => database.run(sql.replaceAll('THIS', table)),
    async [Symbol.asyncDispose]() {
      await connector[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** What has changed, how complete the listing is, and the token; stored as text between, as a server does. */
async function since(connector: SqlConnector, token: SyncToken | null | undefined) {
  const changes: string[] = []
  let next = token ?? null
  const pages = connector.changesSince?.(account, next)[Symbol.asyncIterator]()
  for (;;) {
    const page = await pages?.next()
    if (!page || page.done)
      return {
        changes: changes.toSorted(),
        listing: page?.value?.state,
        token: JSON.parse(JSON.stringify(next)) as SyncToken,
      }
    for (const change of page.value.changes)
      changes.push(
        change.kind === 'DELETE'
          ? `${change.id} gone`
          : `${change.id} ${isUnreadable(change.object) ? 'unreadable' : change.object.note}`,
      )
    next = page.value.token
  }
}

const plain = (text: string) => `id ${text} PRIMARY KEY, note ${text}`

describe.each(names)('a table of %s without a column that grows', (name) => {
  it('reports what is new, what has changed and what is gone, once', async () => {
    await using table = await tableOf(name, plain)
    await table.run("INSERT INTO THIS VALUES ('a', 'one'), ('b', 'one'), ('c', 'one')")
    const token = await table.connector.latestToken?.(account)
    await table.run("UPDATE THIS SET note = 'two' WHERE id = 'b'")
    await table.run("DELETE FROM THIS WHERE id = 'a'")
    await table.run("INSERT INTO THIS VALUES ('d', 'new')")
    const found = await since(table.connector, token)
    expect(found.changes).toEqual(['a gone', 'b two', 'd new'])
    expect((await since(table.connector, found.token)).changes).toEqual([])
    // The token that was read from may be read from again, until a later one is stored.
    expect((await since(table.connector, token)).changes).toEqual(found.changes)
  })

  it('keeps the order of ids of any characters, whatever the collation of the key', async () => {
    await using table = await tableOf(name, plain)
    const ids = [
      'Z',
      'a',
      'B',
      'ö',
      'Äz',
      'é',
      '\u{1f600}',
      '\uffee',
      ' blank',
      'a b',
      '10',
      '9',
      'ß',
      'đ',
      '-',
      '~',
    ]
    await table.run(`INSERT INTO THIS VALUES ${ids.map((id) => `('${id}', 'x')`).join(', ')}`)
    const { changes, token } = await since(table.connector, null)
    expect(changes).toEqual(ids.map((id) => `${id} x`).toSorted())
    for (const id of ids) await table.run(`DELETE FROM THIS WHERE id = '${id}'`)
    expect((await since(table.connector, token)).changes).toEqual(ids.map((id) => `${id} gone`).toSorted())
  })

  it.each(['BIGINT', 'DECIMAL(12, 2)', 'DATE'])('compares keys of the type %s', async (type) => {
    await using table = await tableOf(name, (text) => `id ${type} PRIMARY KEY, note ${text}`)
    const keys = type === 'DATE' ? ["'2026-01-31'", "'2025-12-01'", "'1999-05-05'"] : ['10', '9', '-3', '200']
    for (const key of keys) await table.run(`INSERT INTO THIS VALUES (${key}, 'x')`)
    const { changes, token } = await since(table.connector, null)
    expect(changes).toHaveLength(keys.length)
    await table.run(`DELETE FROM THIS WHERE id = ${keys[0]}`)
    expect((await since(table.connector, token)).changes).toEqual([`${keys[0]?.replaceAll("'", '')} gone`])
  })

  it('takes nothing for gone while a row has no key, and finds it out later', async () => {
    await using table = await tableOf(name, (text) => `id ${text}, note ${text}`)
    await table.run("INSERT INTO THIS VALUES ('a', 'one'), ('b', 'one')")
    const { token } = await since(table.connector, null)
    await table.run("UPDATE THIS SET id = NULL WHERE id = 'a'")
    await table.run("UPDATE THIS SET note = 'two' WHERE id = 'b'")
    const partial = await since(table.connector, token)
    expect(partial).toEqual({ changes: ['b two'], listing: 'partial', token })
    await table.run('DELETE FROM THIS WHERE id IS NULL')
    expect((await since(table.connector, token)).changes).toEqual(['a gone', 'b two'])
  })

  it('reports an id that two rows have as one that cannot be read', async () => {
    await using table = await tableOf(name, (text) => `id ${text}, note ${text}`)
    await table.run("INSERT INTO THIS VALUES ('a', 'one'), ('b', 'one')")
    const { token } = await since(table.connector, null)
    await table.run("INSERT INTO THIS VALUES ('a', 'another')")
    expect(await since(table.connector, token)).toMatchObject({
      changes: ['a unreadable'],
      listing: 'suspect',
    })
  })

  it('refuses a token whose snapshot is not there any more, or is of another table', async () => {
    await using table = await tableOf(name, plain)
    const token = await table.connector.latestToken?.(account)
    for (const file of readdirSync(table.folder.path)) rmSync(table.folder.file(file))
    const failure = await since(table.connector, token).catch((error: unknown) => error)
    expect(kindOfError(failure)).toBe('staleToken')
    await using other = await tableOf(name, plain)
    await using moved = table.database.connect(
      { table: table.table, keyColumn: 'id' },
      { stateFolder: other.folder.path },
    )
    const foreign = await other.connector.latestToken?.(account)
    const refused = await since(moved, foreign).catch((error: unknown) => error)
    expect([kindOfError(refused), String(refused)]).toEqual([
      'staleToken',
      expect.stringContaining(other.table),
    ])
  })

  it('compares tens of thousands of rows in order, and reads only those that differ', async () => {
    await using table = await tableOf(name, plain)
    const ids = Array.from({ length: 20_000 }, (_, n) => `u${n}`)
    for (let at = 0; at < ids.length; at += 2_000)
      await table.run(
        `INSERT INTO THIS VALUES ${ids
          .slice(at, at + 2_000)
          .map((id) => `('${id}', 'n')`)
          .join(', ')}`,
      )
    const token = await table.connector.latestToken?.(account)
    await table.run("UPDATE THIS SET note = 'm' WHERE id IN ('u7', 'u19999')")
    await table.run("DELETE FROM THIS WHERE id = 'u12345'")
    expect((await since(table.connector, token)).changes).toEqual(['u12345 gone', 'u19999 m', 'u7 m'])
  })
})

/** What brings the table back as it is now: the file of the database, or a new table with the rows of the old one. */
async function backedUp(
  { database, run, table, folder }: Awaited<ReturnType<typeof tableOf>>,
  columns: (text: string) => string,
  rows: string,
): Promise<() => Promise<void>> {
  if (database.name === 'SQLite') {
    const file = String(database.settings.database)
    copyFileSync(file, folder.file('backup'))
    return async () => copyFileSync(folder.file('backup'), file)
  }
  const session = await database.dialect.connect(new AbortController().signal)
  const identity = () => database.dialect.identity(session, database.dialect.quote(table))
  const { name } = await identity()
  return async () => {
    // MariaDB knows the second in which a table was made.
    for (let now = name; now === name; now = (await identity()).name) {
      await run('DROP TABLE THIS')
      await run(`CREATE TABLE THIS (${columns('VARCHAR(40)')})`)
    }
    await run(`INSERT INTO THIS VALUES ${rows}`)
    await session.close()
  }
}

describe.each(names)('a table of %s with a column that grows', (name) => {
  const time = name === 'MariaDB' ? 'DATETIME(6)' : name === 'SQLite' ? 'DATETIME' : 'timestamp'
  const columns = (text: string) => `id ${text} PRIMARY KEY, note ${text}, changed ${time}`
  const settings = { changeLogColumn: 'changed', changeLogOverlap: 5 }
  const at = (second: string) => `'2026-03-01 10:00:${second}'`

  it('tells what is gone with detectDeletes, and only then', async () => {
    for (const detectDeletes of [true, false]) {
      await using table = await tableOf(name, columns, { ...settings, detectDeletes })
      await table.run(`INSERT INTO THIS VALUES ('a', 'one', ${at('01')}), ('b', 'one', ${at('02')})`)
      const token = await table.connector.latestToken?.(account)
      await table.run("DELETE FROM THIS WHERE id = 'a'")
      await table.run(`INSERT INTO THIS VALUES ('c', 'new', ${at('03')})`)
      const found = await since(table.connector, token)
      expect(found.changes).toEqual(detectDeletes ? ['a gone', 'c new'] : ['c new'])
      expect((await since(table.connector, found.token)).changes).toEqual([])
    }
  })

  it('calls a token stale after the table was restored', async () => {
    await using table = await tableOf(name, columns, { ...settings, detectDeletes: true })
    const backup = `('a', 'backed up', ${at('01')}), ('b', 'backed up', ${at('02')})`
    await table.run(`INSERT INTO THIS VALUES ${backup}`)
    const restore = await backedUp(table, columns, backup)
    await table.run(`UPDATE THIS SET note = 'after the backup', changed = ${at('59')} WHERE id = 'b'`)
    await table.run(`INSERT INTO THIS VALUES ('c', 'after the backup', ${at('59')})`)
    const { token } = await since(table.connector, null)
    await restore()
    const failure = await since(table.connector, token).catch((error: unknown) => error)
    expect([kindOfError(failure), String(failure)]).toEqual([
      'staleToken',
      expect.stringContaining('restored or replaced since changes were last read'),
    ])
    const found = await since(table.connector, null)
    expect(found.changes).toEqual(['a backed up', 'b backed up'])
    expect((await since(table.connector, found.token)).changes).toEqual([])
  })
})

it('knows a database of PostgreSQL again as an ordinary user, and notices an earlier state of its log', async () => {
  const database = databases.get('PostgreSQL')
  await database?.run('CREATE ROLE plain LOGIN')
  await database?.run('CREATE TABLE known (id text PRIMARY KEY, n int)')
  await database?.run('GRANT SELECT ON known TO plain')
  await using connector = database?.connect({
    ...{ table: 'known', keyColumn: 'id', changeLogColumn: 'n', user: 'plain' },
  })
  await database?.run("INSERT INTO known VALUES ('a', 1)")
  const token = await connector?.latestToken?.(account)
  if (!connector || !token) throw new Error('There is no token')
  expect((await since(connector, token)).changes).toEqual([])
  const position = token.position as JsonObject
  const restored = { ...(position.database as JsonObject), age: '99999999999999' }
  const earlier = { ...token, position: { ...position, database: restored } }
  const failure = await since(connector, earlier).catch((error: unknown) => error)
  expect(kindOfError(failure)).toBe('staleToken')
})
