import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import { kindOfError } from '../kit/errors.ts'
import { Secret, type Value } from '../kit/values.ts'
import { type ConnectorWrite, settingOf } from '../kit/write.ts'
import type { SqlConnector } from './sql-connector.ts'
import { mariadbServer, postgresServer, sqliteFile } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'
import { watchedConnector } from './testing/watched.ts'

/** What administrators suffer with tables of databases, on real servers; each test is one pain. */
const kinds = ['PostgreSQL', 'MariaDB', 'SQLite'] as const
type Kind = (typeof kinds)[number]
const databases = new Map<Kind, TestDatabase>()

beforeAll(async () => {
  const opened = await Promise.all([postgresServer(), mariadbServer(), sqliteFile()])
  for (const database of opened) databases.set(database.name, database)
})
afterAll(async () => {
  for (const database of databases.values()) await database[Symbol.asyncDispose]()
})

function of(kind: Kind): TestDatabase {
  const database = databases.get(kind)
  if (!database) throw new Error(`There is no ${kind}`)
  return database
}

let tables = 0

/** A table of this kind; `columns` in words of its database. */
async function table(kind: Kind, columns: string, settings: Record<string, string | boolean | number> = {}) {
  const name = `pain${++tables}`
  await of(kind).run(`CREATE TABLE ${name} (${columns})`)
  return { name, connector: of(kind).connect({ table: name, keyColumn: 'id', ...settings }) }
}

const account = '__ACCOUNT__'
const create = (attributes: Record<string, Value>): ConnectorWrite => ({ operation: 'create', attributes })
const update = (id: string, attributes: Record<string, Value>): ConnectorWrite => ({
  operation: 'update',
  id,
  changes: settingOf(attributes),
})

async function write(
  connector: SqlConnector,
  ...writes: readonly ConnectorWrite[]
): Promise<readonly string[]> {
  const outcomes = await connector.writeMany(account, writes)
  return outcomes.map((outcome) => (outcome.ok ? outcome.id : `${kindOfError(outcome.error)}`))
}

async function read(connector: SqlConnector, id: string) {
  const entry = (await connector.readMany(account, [id])).get(id)
  if (!entry || isUnreadable(entry)) throw new Error(`There is no ${id}`)
  return entry
}

describe.each(kinds)('a table of %s', (kind) => {
  const text =
    kind === 'MariaDB' ? 'VARCHAR(40) COLLATE utf8mb4_bin' : kind === 'SQLite' ? 'TEXT' : 'varchar(40)'

  it('writes NULL for an empty text, unless enableEmptyString keeps the two apart', async () => {
    for (const [enableEmptyString, kept] of [
      [false, undefined],
      [true, ''],
    ] as const) {
      const { connector } = await table(kind, `id ${text} PRIMARY KEY, note ${text}`, { enableEmptyString })
      await using _ = connector
      await write(connector, create({ id: 'a', note: '' }), create({ id: 'b' }))
      expect((await read(connector, 'a')).note).toBe(kept)
      expect((await read(connector, 'b')).note).toBeUndefined()
      expect(connector.held(account, 'note', '') ?? undefined).toBe(kept)
    }
  })

  it('gives a text column that must have a value an empty one, with enableEmptyString', async () => {
    const { connector } = await table(kind, `id ${text} PRIMARY KEY, note ${text} NOT NULL`, {
      enableEmptyString: true,
    })
    await using _ = connector
    expect(
      await write(connector, create({ id: 'a' }), update('a', { note: 'x' }), update('a', { note: null })),
    ).toEqual(['a', 'a', 'a'])
    expect((await read(connector, 'a')).note).toBe('')
  })

  it('keeps whole numbers beyond 2^53 and every digit of decimals', async () => {
    const decimal = kind === 'SQLite' ? 'DECIMAL' : 'DECIMAL(30, 4)'
    const { connector } = await table(kind, `id ${text} PRIMARY KEY, big BIGINT, exact ${decimal}`)
    await using _ = connector
    const exact = kind === 'SQLite' ? '1234567890.12' : '12345678901234567890.1234'
    await write(
      connector,
      create({ id: 'a', big: '9007199254740993', exact }),
      create({ id: 'b', big: 12, exact: 12.5 }),
    )
    expect(await read(connector, 'a')).toMatchObject({
      big: '9007199254740993',
      exact: kind === 'SQLite' ? 1234567890.12 : exact,
    })
    expect(await read(connector, 'b')).toMatchObject({ big: 12, exact: 12.5 })
  })

  it('finds tables and columns whatever their names are', async () => {
    const quote = (name: string) =>
      kind === 'MariaDB' ? `\`${name.replaceAll('`', '``')}\`` : `"${name.replaceAll('"', '""')}"`
    const [name, key, odd] = [`Sel"ect ${kind}`, 'From', 'a`b"c?d $1 é']
    await of(kind).run(
      `CREATE TABLE ${quote(name)} (${quote(key)} ${text} PRIMARY KEY, ${quote(odd)} ${text}, ${quote('order')} ${text})`,
    )
    await using connector = of(kind).connect({ table: name, keyColumn: 'from' })
    expect(
      await write(
        connector,
        create({ From: 'a', [odd]: 'x', order: 'y' }),
        create({ From: 'b', [odd]: 'z' }),
      ),
    ).toEqual(['a', 'b'])
    expect(await write(connector, update('a', { [odd]: 'w' }), update('b', { [odd]: 'v' }))).toEqual([
      'a',
      'b',
    ])
    expect(await read(connector, 'a')).toEqual({ _id: 'a', from: 'a', [odd]: 'w', order: 'y' })
    expect(connector.agreedNames()).toEqual({ __NAME__: 'from' })
    if (kind === 'SQLite') return
    const schema = kind === 'PostgreSQL' ? 'public' : 'test'
    await using qualified = of(kind).connect({
      table: `${schema}.${name}`,
      keyColumn: key,
      quoting: 'DOUBLE',
    })
    expect((await read(qualified, 'a'))[odd]).toBe('w')
  })

  it('tells the keys that the database has counted up', async () => {
    const key = {
      PostgreSQL: 'serial PRIMARY KEY',
      MariaDB: 'INT AUTO_INCREMENT PRIMARY KEY',
      SQLite: 'INTEGER PRIMARY KEY',
    }[kind]
    const { connector } = await table(kind, `id ${key}, name ${text}`)
    await using _ = connector
    const ids = await write(
      connector,
      create({ name: 'one' }),
      create({ name: 'two' }),
      create({ id: 77, name: 'given' }),
    )
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe('77')
    for (const [place, name] of ['one', 'two', 'given'].entries())
      expect((await read(connector, ids[place] ?? '')).name).toBe(name)
    expect(connector.idOf(account, { name: 'x' }, 'proposed')).toBeUndefined()
    expect((await connector.readMany(account, ['not a number', '1.0', '01'])).size).toBe(0)
  })

  it('tells the keys that a default or a trigger has made up', async () => {
    const preset = {
      PostgreSQL: 'uuid DEFAULT gen_random_uuid() PRIMARY KEY',
      MariaDB: 'VARCHAR(36) COLLATE utf8mb4_bin DEFAULT (uuid()) PRIMARY KEY',
      SQLite: 'TEXT DEFAULT (lower(hex(randomblob(16)))) PRIMARY KEY',
    }[kind]
    const { connector } = await table(kind, `id ${preset}, name ${text}`)
    await using _ = connector
    const triggered = await table(
      kind,
      `id ${kind === 'MariaDB' ? `${text} PRIMARY KEY` : preset}, name ${text}`,
    )
    await using __ = triggered.connector
    if (kind === 'MariaDB')
      await of(kind).run(
        `CREATE TRIGGER ${triggered.name}_key BEFORE INSERT ON ${triggered.name} FOR EACH ROW SET NEW.id = COALESCE(NEW.id, uuid())`,
      )
    for (const each of [connector, triggered.connector]) {
      const ids = await write(each, create({ name: 'one' }), create({ name: 'two' }))
      expect([new Set(ids).size, ids.every((id) => id.length >= 32)]).toEqual([2, true])
      for (const [place, name] of ['one', 'two'].entries())
        expect((await read(each, ids[place] ?? '')).name).toBe(name)
      expect(each.idOf(account, { name: 'x' }, 'proposed')).toBeUndefined()
    }
  })

  it('has an id for what it is, to the letter, where the collation takes two for one', async () => {
    const collation = {
      PostgreSQL: `text COLLATE pains_alike`,
      MariaDB: 'VARCHAR(40) COLLATE utf8mb4_unicode_ci',
      SQLite: 'TEXT COLLATE NOCASE',
    }[kind]
    if (kind === 'PostgreSQL')
      await of(kind).run(
        "CREATE COLLATION pains_alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
      )
    const { connector } = await table(kind, `id ${collation} PRIMARY KEY`)
    await using _ = connector
    // SQLite knows of the case of ASCII letters alone.
    const pairs = [['Bob', 'bob'], ...(kind === 'SQLite' ? [] : [['Zo\u00eb', 'Zoe\u0308']])] as [
      string,
      string,
    ][]
    for (const [stored, other] of pairs) {
      expect(await write(connector, create({ id: stored }), create({ id: other }))).toEqual([
        stored,
        'alreadyExists',
      ])
      expect([...(await connector.readMany(account, [stored, other])).keys()]).toEqual([stored])
      expect(await write(connector, update(other, { id: 'x' }))).toEqual(['unknownId'])
    }
  })

  it('fails a bad row alone, with the kind of its error, and writes the others of the page', async () => {
    const { name, connector } = await table(
      kind,
      `id ${text} PRIMARY KEY, mail ${text} UNIQUE, age INT CHECK (age < 200), need ${text} NOT NULL, boss ${text}, FOREIGN KEY (boss) REFERENCES pain${tables + 1}(id)`,
    )
    await using _ = connector
    const good = { need: 'n' }
    const outcomes = await write(
      connector,
      create({ id: 'a', mail: 'm', age: 1, ...good }),
      create({ id: 'b', mail: 'm', age: 2, ...good }),
      create({ id: 'c', mail: 'c', age: 300, ...good }),
      create({ id: 'd', mail: 'd', age: 4, need: '' }),
      create({ id: 'e', mail: 'e', age: 5, ...good }),
      create({ id: 'f', mail: 'f', age: 'x', ...good }),
      update('a', { boss: 'nobody' }),
      update('e', { boss: 'a' }),
    )
    expect(outcomes).toEqual([
      'a',
      'alreadyExists',
      'invalidValue',
      'schemaViolation',
      'e',
      'invalidValue',
      'schemaViolation',
      'e',
    ])
    expect(await of(kind).run(`SELECT id FROM ${name} ORDER BY id`)).toEqual([['a'], ['e']])
  })

  it('writes a page by a handful of statements, and more rows than a statement has parameters', async () => {
    const { name } = await table(kind, `id ${text} PRIMARY KEY, one ${text}, two INT`)
    const counted = { statements: 0 }
    await using counting = watchedConnector(
      of(kind),
      { table: name, keyColumn: 'id' },
      () => counted.statements++,
    )
    const ids = Array.from({ length: 7_000 }, (_, n) => `u${n}`)
    await write(counting, ...ids.map((id, n) => create({ id, one: `n${n}`, two: n })))
    expect(counted.statements).toBeLessThan(30)
    counted.statements = 0
    await write(counting, ...ids.slice(0, 500).map((id) => update(id, { one: 'new', two: 1 })))
    expect(counted.statements).toBeLessThan(10)
    expect((await counting.readMany(account, ids)).size).toBe(7_000)
    let found = 0
    for await (const page of counting.search({ objectClass: account, filter: everything }))
      found += page.length
    expect(found).toBe(7_000)
  })

  it('has the status column as __ENABLE__, in the words of the table', async () => {
    const { name, connector } = await table(kind, `id ${text} PRIMARY KEY, state ${text}`, {
      statusColumn: 'state',
      enabledStatusValue: 'ON',
      disabledStatusValue: 'OFF',
      defaultStatusValue: 'ON',
    })
    await using _ = connector
    expect(connector.agreedNames().__ENABLE__).toBe('state')
    await write(connector, create({ id: 'a' }), create({ id: 'b', state: false }))
    expect(await of(kind).run(`SELECT id, state FROM ${name} ORDER BY id`)).toEqual([
      ['a', 'ON'],
      ['b', 'OFF'],
    ])
    expect((await read(connector, 'b')).state).toBe(false)
    await of(kind).run(`UPDATE ${name} SET state = 'SOME' WHERE id = 'a'`)
    const entry = (await connector.readMany(account, ['a'])).get('a')
    expect(isUnreadable(entry) && entry.problem.message).toBe(
      'The status cannot be read: state is "SOME", neither ON nor OFF',
    )
  })

  it('gives rows of one key, and says of rows without one, that the listing is not complete', async () => {
    const { name, connector } = await table(kind, `id ${text}, note ${text}`)
    await using _ = connector
    await of(kind).run(`INSERT INTO ${name} VALUES ('a', '1'), ('b', '2'), ('a', '3')`)
    const listing = async () => {
      const search = connector.search({ objectClass: account, filter: everything })
      const entries: string[] = []
      for (;;) {
        const next = await search.next()
        if (next.done) return { entries, state: next.value?.state }
        entries.push(...next.value.map((entry) => (isUnreadable(entry) ? `${entry._id}!` : entry._id)))
      }
    }
    expect(await listing()).toEqual({ entries: ['b', 'a!'], state: 'suspect' })
    expect(await write(connector, update('a', { note: 'x' }))).toEqual(['unreadable'])
    await of(kind).run(`INSERT INTO ${name} VALUES (NULL, '4')`)
    expect(await listing()).toEqual({ entries: ['b', 'a!'], state: 'partial' })
  })

  it('reads a view, and says in the words of the database that it cannot be written', async () => {
    const { name } = await table(kind, `id ${text} PRIMARY KEY, boss ${text}`)
    await of(kind).run(`INSERT INTO ${name} VALUES ('a', 'x'), ('b', 'x'), ('c', 'y')`)
    await of(kind).run(
      `CREATE VIEW ${name}_bosses AS SELECT boss, COUNT(*) AS reports FROM ${name} GROUP BY boss`,
    )
    await using connector = of(kind).connect({ table: `${name}_bosses`, keyColumn: 'boss' })
    const pages = await Array.fromAsync(connector.search({ objectClass: account, filter: everything }))
    expect(pages.flat().map((entry) => entry._id)).toEqual(['x', 'y'])
    expect(await connector.count(account)).toBe(2)
    for (const attempted of [create({ boss: 'z' }), update('x', { reports: 5 })]) {
      const kindOf = await write(connector, attempted).then(
        ([verdict]) => verdict,
        (error: unknown) => kindOfError(error),
      )
      expect(kindOf).toBe('unsupported')
    }
  })

  it('reads with one connection while it writes with it', async () => {
    const { name } = await table(kind, `id ${text} PRIMARY KEY, note ${text}`)
    await using connector = of(kind).connect({ table: name, keyColumn: 'id', maxActive: 1, minIdle: 0 })
    const ids = Array.from({ length: 25 }, (_, n) => `u${10 + n}`)
    await write(connector, ...ids.map((id) => create({ id })))
    const seen: string[] = []
    for await (const page of connector.search({ objectClass: account, filter: everything, pageSize: 10 })) {
      seen.push(...page.map((entry) => entry._id))
      await write(connector, ...page.map(({ _id }) => update(_id, { note: 'seen' })))
    }
    expect(seen).toEqual(ids)
  })

  it('leaves the password out of readings, and of errors', async () => {
    const { connector } = await table(kind, `id ${text} PRIMARY KEY, pass ${text}, need ${text} NOT NULL`, {
      passwordColumn: 'pass',
    })
    await using _ = connector
    const password = new Secret('s3cret')
    await write(connector, create({ id: 'a', pass: password, need: 'n' }))
    expect(await read(connector, 'a')).toEqual({ _id: 'a', id: 'a', need: 'n' })
    const [outcome] = await connector.writeMany(account, [create({ id: 'b', pass: password })])
    expect(outcome?.ok).toBe(false)
    const shown = inspect(outcome, { depth: 9, showHidden: true })
    for (const word of ['s3cret', 'INSERT']) expect(shown).not.toContain(word)
    expect(await connector.authenticate(account, 'a', password)).toBe('a')
  })

  it('names what is wrong in the settings: the table, a column', async () => {
    await using noTable = of(kind).connect({ table: 'nowhere', keyColumn: 'id' })
    await expect(noTable.test()).rejects.toThrow('table is nowhere')
    const { name } = await table(kind, `id ${text} PRIMARY KEY`)
    await using noColumn = of(kind).connect({ table: name, keyColumn: 'uid' })
    await expect(noColumn.test()).rejects.toThrow(/keyColumn is uid; .* has no such column. There are: id/)
  })
})
