import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything, type Filter } from '../../model/filter/filter.ts'
import { temporaryFolder } from '../../testing/folder.ts'
import { kindOfError } from '../kit/errors.ts'
import { mariadbServer, postgresServer, sqliteFile } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

/** A query in the place of a table. */
const account = '__ACCOUNT__'
const names = ['PostgreSQL', 'MariaDB', 'SQLite'] as const
const databases = new Map<string, TestDatabase>()
beforeAll(async () => {
  for (const database of await Promise.all([postgresServer(), mariadbServer(), sqliteFile()])) {
    databases.set(database.name, database)
    await database.run(
      'CREATE TABLE people (id VARCHAR(20) PRIMARY KEY, boss VARCHAR(20), pay DECIMAL(8, 2), since DATE)',
    )
    await database.run('CREATE TABLE phones (person VARCHAR(20), phone VARCHAR(20))')
    await database.run(
      "INSERT INTO people VALUES ('a', NULL, 10.5, '2020-01-31'), ('b', 'a', 7, '2021-02-28'), ('c', 'a', 20, '2022-03-31')",
    )
    await database.run("INSERT INTO phones VALUES ('a', '1'), ('a', '2'), ('c', '3')")
  }
})
afterAll(async () => {
  for (const database of databases.values()) await database[Symbol.asyncDispose]()
})

const joined = `SELECT p.id, b.id AS boss, p.pay, p.since, (SELECT COUNT(*) FROM phones h WHERE h.person = p.id) AS phones
  FROM people p LEFT JOIN people b ON b.id = p.boss -- and nothing else;`

describe.each(names)('a query of %s', (name) => {
  // SQLite declares no type for what is computed.
  const number = (value: number) => (name === 'SQLite' ? String(value) : value)
  const connect = (query: string, keyColumn = 'id', folder?: string) => {
    const database = databases.get(name)
    if (!database) throw new Error(`There is no ${name}`)
    return database.connect({ query, keyColumn }, { stateFolder: folder })
  }

  it('is read like a table: listed, by ids, filtered, in pages, counted', async () => {
    await using connector = connect(joined)
    const pages = await Array.fromAsync(connector.search({ objectClass: account, filter: everything }))
    expect(pages.flat()).toEqual([
      { _id: 'a', id: 'a', pay: 10.5, since: '2020-01-31', phones: number(2) },
      { _id: 'b', id: 'b', boss: 'a', pay: 7, since: '2021-02-28', phones: number(0) },
      { _id: 'c', id: 'c', boss: 'a', pay: 20, since: '2022-03-31', phones: number(1) },
    ])
    expect([...(await connector.readMany(account, ['c', 'x'])).keys()]).toEqual(['c'])
    const filter: Filter = { kind: 'compare', pointer: ['pay'], operator: 'ge', value: 10 }
    const page = await connector.page({
      ...{ objectClass: account, filter, pageSize: 1, offset: 1, sortKeys: [], total: true },
    })
    expect([page.objects.map((object) => object._id), page.total]).toEqual([['c'], 2])
    expect(await connector.count(account)).toBe(3)
  })

  it('cannot be written, and says so before anything is done', async () => {
    await using connector = connect(joined)
    const [attribute] = (await connector.schema())[account]?.attributes ?? []
    expect([attribute?.creatable, attribute?.updateable]).toEqual([false, false])
    const writes = [
      { operation: 'create', attributes: { id: 'z' } },
      { operation: 'update', id: 'a', changes: [{ attribute: 'boss', kind: 'clear' }] },
      { operation: 'delete', id: 'a' },
    ] as const
    const outcomes = await connector.writeMany(account, writes)
    expect(outcomes.map((one) => one.ok || `${kindOfError(one.error)}: ${one.error.message}`)).toEqual(
      ['create', 'update', 'delete'].map(
        (operation) => `unsupported: The rows of a query can only be read, so there is no ${operation}`,
      ),
    )
    expect(await connector.refusals(account, writes)).toHaveLength(3)
    expect(await connector.count(account)).toBe(3)
  })

  it('has changes by comparison', async () => {
    using folder = temporaryFolder()
    await using connector = connect(joined, 'id', folder.path)
    const token = (await connector.latestToken?.(account)) ?? null
    await databases.get(name)?.run("INSERT INTO phones VALUES ('b', '4')")
    const changes = await Array.fromAsync(connector.changesSince?.(account, token) ?? [])
    expect(changes.flatMap((page) => page.changes.map(({ kind, id }) => `${kind} ${id}`))).toEqual([
      'UPDATE b',
    ])
    await databases.get(name)?.run("DELETE FROM phones WHERE phone = '4'")
  })

  it('that cannot be run, or has a column twice, is a configuration error', async () => {
    await using wrong = connect('SELECT id FROM nowhere')
    await expect(wrong.test()).rejects.toThrow(/query cannot be run. The database says: .*nowhere/)
    await using twice = connect('SELECT p.id, h.person AS id FROM people p JOIN phones h ON h.person = p.id')
    // SQLite gives the second one another name.
    if (name === 'SQLite') await twice.test()
    else await expect(twice.test()).rejects.toThrow(/query (gives the column id twice|cannot be run)/)
    await using noKey = connect('SELECT boss FROM people')
    await expect(noKey.test()).rejects.toThrow(
      'keyColumn is id; the query has no such column. There are: boss',
    )
  })
})
