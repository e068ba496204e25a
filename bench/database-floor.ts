/**
 * The floor of what is done with a table of PostgreSQL.
 *
 *     node database-floor.ts load <port> <count> <data>   managed objects into the table, with links and audit entries
 *     node database-floor.ts cursor <port> <count>        read the table with the driver's cursor
 *     node database-floor.ts connector <port> <count>     the same with the connector, which is measured
 */
import pg from 'pg'
import Cursor from 'pg-cursor'
import { standaloneHost } from '../src/connectors/kit/host.ts'
import { databaseTableKind } from '../src/connectors/sql/kind.ts'
import { everything } from '../src/model/filter/filter.ts'
import { loadMapping, peopleColumns } from './database.ts'
import { closeStore, openStore, pageSize, pagesOfPeople, pageWriter } from './managed-people.ts'

const [job = '', port = '', wanted = '', data = ''] = process.argv.slice(2)
/** Readings are repeated: one takes less time than the start of the process. */
const times = 10
const settings = { host: '127.0.0.1', port: Number(port), user: 'tests', database: 'postgres' }
const names = Object.entries(peopleColumns)

const jobs: Readonly<Record<string, () => Promise<number>>> = { load, cursor, connector }
const count = await jobs[job]?.()
if (count !== Number(wanted)) throw new Error(`${count} of ${wanted} rows`)

async function cursor(): Promise<number> {
  const client = new pg.Client(settings)
  await client.connect()
  let read = 0
  for (let time = 0; time < times; time++) {
    const select = client.query(
      new Cursor(`SELECT ${Object.values(peopleColumns).join(', ')} FROM people ORDER BY login`),
    )
    for (;;) {
      const rows = await select.read(pageSize)
      read += rows.length
      if (rows.length < pageSize) break
    }
    await select.close()
  }
  await client.end()
  return read / times
}

async function connector(): Promise<number> {
  const given = {
    jdbcUrlTemplate: 'jdbc:postgresql://%h:%p/%d',
    table: 'people',
    keyColumn: 'login',
    ...settings,
  }
  await using connected = databaseTableKind.create(given, standaloneHost())
  let read = 0
  for (let time = 0; time < times; time++)
    for await (const page of connected.search?.({
      objectClass: '__ACCOUNT__',
      filter: everything,
      pageSize,
    }) ?? [])
      read += page.length
  return read / times
}

async function load(): Promise<number> {
  const client = new pg.Client(settings)
  await client.connect()
  const db = openStore(data)
  const write = pageWriter(db, {
    mapping: loadMapping,
    target: 'system/database/account',
    properties: peopleColumns,
  })
  let loaded = 0
  for (const people of pagesOfPeople(db)) {
    const cells = people.flatMap((person) => names.map(([property]) => person[property]))
    const rows = people.map(
      (_, row) => `(${names.map((_, place) => `$${row * names.length + place + 1}`).join(', ')})`,
    )
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO people (${names.map(([, column]) => column).join(', ')}) VALUES ${rows.join(', ')}`,
      cells,
    )
    await client.query('COMMIT')
    write(
      people,
      people.map(({ userName }) => String(userName)),
    )
    loaded += people.length
  }
  await client.end()
  closeStore(db)
  return loaded
}
