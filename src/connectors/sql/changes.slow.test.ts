import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isUnreadable } from '../../model/unreadable.ts'
import type { SyncToken } from '../kit/changes.ts'
import { kindOfError } from '../kit/errors.ts'
import type { SqlConnector } from './sql-connector.ts'
import { mariadbServer, postgresServer, sqliteFile } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

/** liveSync of tables by a column that grows. */
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

async function stamped(name: string, type: string, overlap = 60) {
  const database = databases.get(name)
  if (!database) throw new Error(`There is no ${name}`)
  const table = `stamped${++tables}`
  await database.run(`CREATE TABLE ${table} (id VARCHAR(20) PRIMARY KEY, note VARCHAR(40), changed ${type})`)
  return {
    database,
    connector: database.connect({
      table,
      keyColumn: 'id',
      changeLogColumn: 'changed',
      changeLogOverlap: overlap,
    }),
    put: (id: string, note: string, stamp: string) =>
      database.run(
        `${name === 'MariaDB' ? 'REPLACE' : 'INSERT'} INTO ${table} VALUES ('${id}', '${note}', ${stamp})${name === 'MariaDB' ? '' : ' ON CONFLICT (id) DO UPDATE SET note = excluded.note, changed = excluded.changed'}`,
      ),
    table,
  }
}

/** What has changed, and the token after it; stored as text between, as a server does. */
async function since(connector: SqlConnector, token: SyncToken | null) {
  const changes: string[] = []
  let next = token
  for await (const page of connector.changesSince?.(account, token) ?? []) {
    for (const change of page.changes)
      changes.push(
        change.kind === 'DELETE' || isUnreadable(change.object)
          ? `${change.id}!`
          : `${change.id} ${change.object.note}`,
      )
    next = page.token
  }
  return { changes, token: JSON.parse(JSON.stringify(next)) as SyncToken }
}

const at = (second: string) => `'2026-03-01 10:00:${second}'`

describe.each(names)('liveSync of a table of %s', (name) => {
  const time = name === 'PostgreSQL' ? 'timestamp' : name === 'MariaDB' ? 'DATETIME(6)' : 'DATETIME'

  it('reports all at first, then what has changed, and nothing twice', async () => {
    const { connector, put } = await stamped(name, time)
    await using _ = connector
    await put('a', 'one', at('01'))
    await put('b', 'one', at('02'))
    await put('c', 'never stamped', 'NULL')
    const first = await since(connector, null)
    expect(first.changes).toEqual(['c never stamped', 'a one', 'b one'])
    expect((await since(connector, first.token)).changes).toEqual([])
    await put('a', 'two', at('03'))
    const second = await since(connector, first.token)
    expect(second.changes).toEqual(['a two'])
    expect((await since(connector, second.token)).changes).toEqual([])
  })

  it('starts from the present with latestToken, of an empty table, too', async () => {
    const { connector, put } = await stamped(name, time)
    await using _ = connector
    const empty = await connector.latestToken?.(account)
    await put('a', 'one', at('01'))
    expect((await since(connector, empty ?? null)).changes).toEqual(['a one'])
    const present = await connector.latestToken?.(account)
    await put('b', 'one', at('01'))
    expect((await since(connector, present ?? null)).changes).toEqual(['b one'])
  })

  it('loses no change that has the stamp of the newest one', async () => {
    const { connector, put } = await stamped(name, time, 0)
    await using _ = connector
    await put('b', 'one', at('01'))
    const first = await since(connector, null)
    await put('a', 'same stamp', at('01'))
    await put('b', 'changed within the second', at('01'))
    expect((await since(connector, first.token)).changes).toEqual([
      'a same stamp',
      'b changed within the second',
    ])
  })

  it('loses no change that was committed after one with a later stamp', async () => {
    const { connector, put } = await stamped(name, time)
    await using _ = connector
    await put('b', 'early', at('30'))
    const first = await since(connector, null)
    await put('a', 'late', at('01'))
    const second = await since(connector, first.token)
    expect(second.changes).toEqual(['a late'])
    expect((await since(connector, second.token)).changes).toEqual([])
  })

  it('tells stamps apart by all their digits', async () => {
    const { connector, put } = await stamped(name, time, 0)
    await using _ = connector
    await put('a', 'one', at('01.000001'))
    const first = await since(connector, null)
    await put('b', 'two', at('01.000002'))
    const second = await since(connector, first.token)
    expect(second.changes).toEqual(['b two'])
    expect((await since(connector, second.token)).changes).toEqual([])
  })

  it('goes by numbers as well', async () => {
    const { connector, put } = await stamped(name, 'BIGINT', 5)
    await using _ = connector
    await put('a', 'one', '9007199254740993')
    const first = await since(connector, null)
    await put('b', 'late', '9007199254740990')
    await put('c', 'next', '9007199254740994')
    expect((await since(connector, first.token)).changes).toEqual(['b late', 'c next'])
  })

  it('goes on from the token of any page, with thousands of rows of one stamp', async () => {
    const { connector, database, table, put } = await stamped(name, time)
    await using _ = connector
    const rows = Array.from({ length: 2_600 }, (_, n) => `('r${n}', 'bulk', ${at('01')})`)
    await database.run(`INSERT INTO ${table} VALUES ${rows.join(', ')}`)
    const reported = new Set<string>()
    let token: SyncToken | null = null
    for await (const page of connector.changesSince?.(account, null) ?? []) {
      for (const { id } of page.changes) reported.add(id)
      token = page.token
      if (reported.size >= 1_000) break
    }
    const rest = await since(connector, token)
    for (const change of rest.changes) reported.add(change.split(' ')[0] ?? '')
    expect(reported.size).toBe(2_600)
    expect((await since(connector, rest.token)).changes).toEqual([])
    await put('r7', 'changed', at('01'))
    expect((await since(connector, rest.token)).changes).toContain('r7 changed')
  })

  it('refuses a token of another table, and is not offered without a changeLogColumn where no snapshots can be kept', async () => {
    const { connector, database, table } = await stamped(name, time)
    const other = await stamped(name, time)
    await using _ = connector
    await using __ = other.connector
    await other.put('a', 'one', at('01'))
    const token = await other.connector.latestToken?.(account)
    const failure = await since(connector, token ?? null).catch((error: unknown) => error)
    expect(kindOfError(failure)).toBe('staleToken')
    await using without = database.connect({ table, keyColumn: 'id' })
    expect(without.changesSince).toBeUndefined()
  })
})
