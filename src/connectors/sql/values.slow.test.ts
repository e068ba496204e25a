import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isUnreadable } from '../../model/unreadable.ts'
import { kindOfError } from '../kit/errors.ts'
import type { Value } from '../kit/values.ts'
import type { SqlConnector } from './sql-connector.ts'
import { mariadbServer, postgresServer, sqliteFile } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

/** What every type of column makes of values, against the real servers: foreseen (`held`) and read must be the same. */
const account = '__ACCOUNT__'
const opened: TestDatabase[] = []
beforeAll(async () => {
  opened.push(...(await Promise.all([postgresServer(), mariadbServer(), sqliteFile()])))
})
afterAll(async () => {
  for (const database of opened) await database[Symbol.asyncDispose]()
})

/** A value, and what is read after it was written. */
type Case = readonly [type: string, given: Value, held: Value]

const bytes = (...list: readonly number[]) => Uint8Array.from(list)
const numbers: readonly Case[] = [
  ['SMALLINT', '12', 12],
  ['SMALLINT', '+007', 7],
  ['BIGINT', '-9223372036854775808', '-9223372036854775808'],
  ['BIGINT', 9007199254740991, 9007199254740991],
  ['DECIMAL(10, 2)', 12.345, 12.35],
  ['DECIMAL(10, 2)', -12.345, -12.35],
  ['DECIMAL(10, 2)', '0012.50', 12.5],
  ['DECIMAL(10, 2)', 1e-7, 0],
  ['DECIMAL(10, 2)', -0.001, 0],
  ['DECIMAL(30, 0)', '123456789012345678901234567890', '123456789012345678901234567890'],
  ['DECIMAL(30, 4)', '12345678901234567.8901', '12345678901234567.8901'],
  ['DOUBLE PRECISION', 0.1, 0.1],
  ['DOUBLE PRECISION', 1.7976931348623157e308, 1.7976931348623157e308],
  ['DOUBLE PRECISION', '2.5', 2.5],
]
const cases: Readonly<Record<TestDatabase['name'], readonly Case[]>> = {
  PostgreSQL: [
    ...numbers,
    ['real', 0.123456789, 0.12345679],
    ['real', 16777217, 16777216],
    ['boolean', true, true],
    ['char(5)', 'ab', 'ab'],
    ['char(5)', 'ab  ', 'ab'],
    ['varchar(5)', 'ab  ', 'ab  '],
    ['varchar(3)', '😀😀😀', '😀😀😀'],
    ['text', '', null],
    ['bytea', bytes(0, 255, 92, 39), bytes(0, 255, 92, 39)],
    ['timestamp', '2026-01-31T08:05:00Z', '2026-01-31T08:05:00.000Z'],
    ['timestamp', '2026-01-31T08:05:00.123456789Z', '2026-01-31T08:05:00.123457Z'],
    ['timestamp(0)', '2026-12-31T23:59:59.6Z', '2027-01-01T00:00:00.000Z'],
    ['timestamp(3)', '1969-12-31T23:59:59.9995Z', '1970-01-01T00:00:00.000Z'],
    ['timestamptz', '2026-07-01T10:00:00+02:00', '2026-07-01T08:00:00.000Z'],
    ['timestamptz', '2026-07-01 10:00:00', '2026-07-01T10:00:00.000Z'],
    ['date', '2026-01-31', '2026-01-31'],
    ['date', '2026-01-31T23:30:00-02:00', '2026-02-01'],
    ['json', '{"a": 1}', '{"a": 1}'],
    ['inet', '10.0.0.1', '10.0.0.1'],
  ],
  MariaDB: [
    ...numbers,
    ['BIGINT UNSIGNED', '18446744073709551615', '18446744073709551615'],
    ['FLOAT', 0.123456789, 0.123457],
    ['BOOLEAN', true, true],
    ['BIT(1)', true, true],
    ['BIT(1)', false, false],
    ['BIT(9)', 257, 257],
    ['YEAR', 2026, 2026],
    ['CHAR(5)', 'ab  ', 'ab'],
    ['VARCHAR(5)', 'ab  ', 'ab  '],
    ['VARCHAR(3) CHARACTER SET utf8mb4', '😀😀😀', '😀😀😀'],
    ['BINARY(4)', bytes(1, 0), bytes(1, 0, 0, 0)],
    ['VARBINARY(9)', bytes(0, 255, 92, 39), bytes(0, 255, 92, 39)],
    ['BLOB', bytes(0xff, 0xfe, 0), bytes(0xff, 0xfe, 0)],
    ['DATETIME', '2026-01-31T08:05:00.5Z', '2026-01-31T08:05:01.000Z'],
    ['DATETIME(6)', '2026-01-31T08:05:00.123456789Z', '2026-01-31T08:05:00.123457Z'],
    ['TIMESTAMP(3) NULL', '2026-07-01T10:00:00+02:00', '2026-07-01T08:00:00.000Z'],
    ['DATE', '2026-01-31', '2026-01-31'],
    ["ENUM('x', 'y')", 'x', 'x'],
  ],
  SQLite: [
    ['INTEGER', '-9223372036854775808', '-9223372036854775808'],
    ['DECIMAL', 12.25, 12.25],
    ['DECIMAL', '100', 100],
    ['REAL', 0.1, 0.1],
    ['REAL', 2, 2],
    ['BOOLEAN', true, true],
    ['TEXT', '007', '007'],
    ['VARCHAR(10)', '1e5', '1e5'],
    ['DATETIME', '2026-01-31 08:05', '2026-01-31 08:05'],
    ['BLOB', bytes(0, 255), bytes(0, 255)],
  ],
}

const names = ['PostgreSQL', 'MariaDB', 'SQLite'] as const

function of(name: TestDatabase['name']): TestDatabase {
  const found = opened.find((database) => database.name === name)
  if (!found) throw new Error(`There is no ${name}`)
  return found
}

async function read(connector: SqlConnector, id: string) {
  const entry = (await connector.readMany(account, [id])).get(id)
  if (!entry || isUnreadable(entry)) throw new Error(`There is no ${id}`)
  return entry
}

describe.each(names)('the columns of %s', (name) => {
  const key = name === 'MariaDB' ? 'VARCHAR(20) COLLATE utf8mb4_bin' : 'VARCHAR(20)'

  it('hold values in the form that is foreseen, written one by one and as a page', async () => {
    const table = `types_${name}`.toLowerCase()
    const all = cases[name]
    const columns = all.map(([type], place) => `c${place} ${type}`)
    await of(name).run(`CREATE TABLE ${table} (id ${key} PRIMARY KEY, ${columns.join(', ')})`)
    await using connector = of(name).connect({ table, keyColumn: 'id' })
    const attributes = Object.fromEntries(all.map(([, given], place) => [`c${place}`, given]))
    const created = ['a', 'b', 'c', 'd'].map((id) => ({
      operation: 'create' as const,
      attributes: id < 'c' ? { id, ...attributes } : { id },
    }))
    // Those that begin without values get them by updates of many rows.
    const changes = all.map(([, value], place) => ({ attribute: `c${place}`, kind: 'set' as const, value }))
    const updated = ['c', 'd'].map((id) => ({ operation: 'update' as const, id, changes }))
    const outcomes = await connector.writeMany(account, [...created, ...updated])
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
    for (const id of ['a', 'b', 'c', 'd']) {
      const object = await read(connector, id)
      for (const [place, [type, given, held]] of all.entries()) {
        const told = `${type} ${String(given)}`
        expect([told, connector.held(account, `c${place}`, given)]).toEqual([told, held])
        const found = object[`c${place}`]
        expect([told, found instanceof Uint8Array ? Uint8Array.from(found) : (found ?? null)]).toEqual([
          told,
          held,
        ])
      }
    }
  })

  it('refuse what they cannot hold, by name, before anything is written', async () => {
    const table = `refused_${name}`.toLowerCase()
    const decimal = name === 'SQLite' ? 'DECIMAL' : 'DECIMAL(5, 2)'
    const time = name === 'PostgreSQL' ? 'timestamp' : 'DATETIME'
    await of(name).run(
      `CREATE TABLE ${table} (id ${key} PRIMARY KEY, whole INT, exact ${decimal}, short VARCHAR(3), moment ${time}, truth BOOLEAN)`,
    )
    await using connector = of(name).connect({ table, keyColumn: 'id' })
    await connector.test()
    const bad: [string, Value][] = [
      ['whole', 1.5],
      ['whole', 'many'],
      ['exact', name === 'SQLite' ? '1234567890123456.5' : 1234.5],
      ['exact', 'much'],
      ['truth', 'perhaps'],
      ['whole', [1, 2]],
      ...(name === 'SQLite'
        ? []
        : ([
            ['short', 'long'],
            ['moment', '2026-02-30T00:00:00Z'],
            ['moment', 'soon'],
          ] as [string, Value][])),
    ]
    for (const [column, value] of bad) {
      const [refusal] = await connector.refusals(account, [
        { operation: 'create', attributes: { id: 'x', [column]: value } },
      ])
      expect([column, kindOfError(refusal)]).toEqual([column, 'invalidValue'])
      expect(refusal?.message).toContain(`The column ${column} `)
    }
  })
})

describe('times without a zone', () => {
  it('are UTC, whatever zone the server runs in', async () => {
    for (const name of ['PostgreSQL', 'MariaDB'] as const) {
      const zone = name === 'PostgreSQL' ? 'timestamptz' : 'TIMESTAMP NULL'
      await of(name).run(
        `CREATE TABLE zones (id VARCHAR(9) PRIMARY KEY, plain ${name === 'PostgreSQL' ? 'timestamp' : 'DATETIME'}, zoned ${zone})`,
      )
      await of(name).run("INSERT INTO zones VALUES ('a', '2026-07-01 12:00:00', '2026-07-01 12:00:00')")
      await using connector = of(name).connect({ table: 'zones', keyColumn: 'id' })
      expect(await read(connector, 'a')).toMatchObject({
        plain: '2026-07-01T12:00:00.000Z',
        zoned: '2026-07-01T12:00:00.000Z',
      })
    }
  })
})
