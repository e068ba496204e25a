import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { standaloneHost } from '../kit/host.ts'
import { databaseTableKind } from './kind.ts'
import { sqlSettings } from './settings.ts'

const table = { table: 'people', keyColumn: 'id' }

function addressOf(settings: JsonObject) {
  return sqlSettings({ ...table, ...settings }, standaloneHost({ projectFolder: '/project' })).address
}

describe('the database', () => {
  it('is chosen by the scheme of the URL, or else by the driver', () => {
    const place = { host: 'db', port: '1234', database: 'hr' }
    for (const [settings, expected] of [
      [
        { jdbcDriver: 'org.postgresql.Driver', ...place },
        { client: 'postgres', host: 'db', port: 1234, database: 'hr' },
      ],
      [
        { driverClassName: 'com.mysql.cj.jdbc.Driver', ...place, port: null },
        { client: 'mysql', host: 'db', port: 3306 },
      ],
      [
        { jdbcUrlTemplate: 'jdbc:mysql://%h:%p/%d', jdbcDriver: 'org.postgresql.Driver', ...place },
        { client: 'mysql', port: 1234, database: 'hr' },
      ],
      [
        { jdbcUrlTemplate: 'jdbc:postgresql://%h:%p/%d?ssl=true', host: 'db', database: 'hr' },
        { port: 5432, tls: 'verified' },
      ],
      [
        { url: 'jdbc:mariadb://db.example.com/hr?user=me&sslMode=REQUIRED' },
        { host: 'db.example.com', port: 3306, user: 'me', tls: 'encrypted' },
      ],
      [
        { url: 'jdbc:postgresql://[::1]:5433/hr?sslmode=disable', username: 'you' },
        { host: '::1', port: 5433, user: 'you', tls: 'off' },
      ],
      [{ url: 'jdbc:sqlite:data/people.db' }, { client: 'sqlite', database: '/project/data/people.db' }],
      [
        { jdbcDriver: 'org.sqlite.JDBC', database: '/var/people.db' },
        { client: 'sqlite', database: '/var/people.db' },
      ],
      [
        { jdbcDriver: 'com.microsoft.sqlserver.jdbc.SQLServerDriver', host: 'db', database: 'hr' },
        { client: 'sqlserver', host: 'db', port: 1433, tls: 'verified' },
      ],
      [
        { jdbcUrlTemplate: 'jdbc:sqlserver://%h:%p;databaseName=%d', ...place },
        { client: 'sqlserver', host: 'db', port: 1234, database: 'hr' },
      ],
      [
        { url: 'jdbc:sqlserver://db:1444;DatabaseName={h}}r;};encrypt=true;trustServerCertificate=true' },
        { host: 'db', port: 1444, database: 'h}r;', tls: 'encrypted' },
      ],
      [
        { url: 'jdbc:sqlserver://;serverName=::1;portNumber=1;database=hr;encrypt=false;userName=me' },
        { host: '::1', port: 1, database: 'hr', user: 'me', tls: 'off' },
      ],
    ] as const)
      expect(addressOf(settings)).toMatchObject(expected)
  })

  it('is a configuration error if Syncline has no client for it, or none is named', () => {
    expect(() => addressOf({ jdbcDriver: 'com.informix.jdbc.IfxDriver' })).toThrow(
      'jdbcDriver is com.informix.jdbc.IfxDriver; Syncline can use org.postgresql.Driver',
    )
    expect(() => addressOf({ jdbcUrlTemplate: 'jdbc:informix-sqli://%h:%p/%d' })).toThrow(
      'jdbcUrlTemplate is no URL of a database that Syncline can use',
    )
    expect(() => addressOf({})).toThrow('jdbcDriver is missing')
    expect(() => addressOf({ url: 'jdbc:postgresql://db/' })).toThrow('database is missing')
    expect(() => addressOf({ datasource: 'java:comp/env/jdbc/hr' })).toThrow(
      'datasource names a data source of a Java container',
    )
  })
})

it.each([
  [
    { jdbcDriver: 'oracle.jdbc.driver.OracleDriver' },
    /jdbcDriver is of Oracle, .* such as PostgreSQL with oracle_fdw/,
  ],
  [{ jdbcUrlTemplate: 'jdbc:oracle:thin:@%h:%p:%d' }, /jdbcUrlTemplate is of Oracle/],
  [{ url: 'jdbc:h2:file:./people' }, /url is of H2, .* start H2 with its PostgreSQL server/],
  [{ driverClassName: 'org.h2.Driver' }, /jdbcDriver is of H2/],
  [{ url: 'jdbc:jtds:sqlserver://db/hr' }, /url is of jTDS.* jdbc:sqlserver:/],
])('a database that is known, but has no client, is refused with a way to its data: %o', (settings, fact) => {
  expect(() => addressOf(settings)).toThrow(fact)
})

describe('the settings of a table', () => {
  const postgres = { ...table, url: 'jdbc:postgresql://db/hr' }

  it('name the table and its key', () => {
    expect(() => sqlSettings({ url: postgres.url, keyColumn: 'id' }, standaloneHost())).toThrow(
      'table is missing',
    )
    expect(() => sqlSettings({ ...postgres, keyColumn: '' }, standaloneHost())).toThrow(
      'keyColumn is missing',
    )
  })

  it('name special columns that must differ', () => {
    for (const name of ['passwordColumn', 'statusColumn', 'changeLogColumn'])
      expect(() => sqlSettings({ ...postgres, [name]: 'ID' }, standaloneHost())).toThrow(
        `${name} names the same column as keyColumn: ID`,
      )
  })

  it('name one way to find changes, and a slot only of PostgreSQL', () => {
    const slot = { replicationSlot: 'syncline_people' }
    expect(sqlSettings({ ...postgres, ...slot }, standaloneHost()).replicationSlot).toBe('syncline_people')
    for (const [settings, fact] of [
      [{ ...postgres, ...slot, changeLogColumn: 'changed' }, 'two ways to find changes'],
      [{ ...postgres, ...slot, url: 'jdbc:mysql://db/hr' }, 'is only for PostgreSQL'],
      [{ ...postgres, replicationSlot: 'My-Slot' }, 'names of slots have lower case letters'],
    ] as const)
      expect(() => sqlSettings(settings, standaloneHost())).toThrow(fact)
  })

  it('name a table or a query', () => {
    const { table: _, ...withoutTable } = postgres
    expect(sqlSettings({ ...withoutTable, query: 'SELECT 1' }, standaloneHost()).query).toBe('SELECT 1')
    expect(() => sqlSettings({ ...postgres, query: 'SELECT 1' }, standaloneHost())).toThrow(
      'give one of them',
    )
    expect(() => sqlSettings(withoutTable, standaloneHost())).toThrow('table is missing')
  })

  it('take the limits of Java pools for the pool of connections', () => {
    const settings = { ...postgres, maxActive: 3, minIdle: 0, maxWait: 5, minEvictableIdleTimeMillis: 7 }
    expect(sqlSettings(settings, standaloneHost()).pool).toEqual({ max: 3, min: 0, patience: 5, idleTime: 7 })
  })

  it('name in the log the parameters of the URL that do nothing', () => {
    const lines: string[] = []
    const log = (_: string, message: string) => lines.push(message)
    databaseTableKind.create(
      { ...postgres, url: `${postgres.url}?prepareThreshold=0&user=a` },
      standaloneHost({ log }),
    )
    expect(lines).toEqual(['The URL of the database has parameters without effect: prepareThreshold'])
  })

  it('say of every setting without effect why, so that check warns', () => {
    const { properties } = databaseTableKind.configurationSchema as { properties: Record<string, JsonObject> }
    for (const name of [
      'rethrowAllSQLExceptions',
      'nativeTimestamps',
      'allNative',
      'jndiProperties',
      'initialSize',
      'maxIdle',
    ])
      expect([name, typeof properties[name]?.['x-noEffect']]).toEqual([name, 'string'])
  })
})
