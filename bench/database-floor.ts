/**
 * The floor of what is done with a table of PostgreSQL.
 *
 *     node database-floor.ts load <port> <count> <data>   managed objects into the table, with links and audit entries
 *     node database-floor.ts cursor <port> <count>        read the table with the driver's cursor
 *     node database-floor.ts connector <port> <count>     the same with the connector, which is measured
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { v7 as timeOrderedId } from 'uuid'
import { standaloneHost } from '../src/connectors/kit/host.ts'
import { databaseTableKind } from '../src/connectors/sql/kind.ts'
import { everything } from '../src/model/filter/filter.ts'
import type { JsonObject } from '../src/model/json.ts'
import { pragmas } from '../src/repository/sqlite/connection.ts'
import { loadMapping, peopleColumns } from './database.ts'

const [job = '', port = '', wanted = '', data = ''] = process.argv.slice(2)
const pageSize = 500
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
  const db = new DatabaseSync(join(data, 'syncline.db'))
  db.exec(pragmas)
  const id = db.prepare("SELECT id FROM collections WHERE name = 'managed/user'").get()?.id
  const select = db.prepare(
    `SELECT id, content FROM objects_${id} WHERE id > ? ORDER BY id LIMIT ${pageSize}`,
  )
  const write = pageWriter(db)
  let after = ''
  for (let loaded = 0; ; ) {
    const objects = select
      .all(after)
      .map((row) => ({ ...JSON.parse(String(row.content)), _id: String(row.id) }))
    if (objects.length === 0) {
      await client.end()
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      db.close()
      return loaded
    }
    const cells = objects.flatMap((object) => names.map(([property]) => object[property]))
    const rows = objects.map(
      (_, row) => `(${names.map((_, place) => `$${row * names.length + place + 1}`).join(', ')})`,
    )
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO people (${names.map(([, column]) => column).join(', ')}) VALUES ${rows.join(', ')}`,
      cells,
    )
    await client.query('COMMIT')
    write(objects)
    loaded += objects.length
    after = objects.at(-1)?._id ?? ''
  }
}

/** Links and audit entries as Syncline has them after the same work: each entry with its values, and in the chain of the audit. */
function pageWriter(
  db: DatabaseSync,
): (objects: readonly { readonly _id: string; readonly userName: string }[]) => void {
  const runId = timeOrderedId()
  db.prepare('INSERT OR IGNORE INTO link_sets (link_type, qualifier) VALUES (?, ?)').run(
    loadMapping,
    'default',
  )
  const setId = Number(db.prepare('SELECT id FROM link_sets WHERE link_type = ?').get(loadMapping)?.id)
  db.prepare(
    'INSERT INTO runs (id, mapping, analysis, state, started, content) VALUES (?, ?, 0, ?, ?, ?)',
  ).run(...[runId, loadMapping, 'ACTIVE', new Date().toISOString(), '{}'])
  const link = db.prepare('INSERT INTO links (id, rev, set_id, first_id, second_id) VALUES (?, ?, ?, ?, ?)')
  const audit = db.prepare(
    'INSERT INTO audit (topic, id, timestamp, recon_id, content, hash) VALUES (?, ?, ?, ?, ?, ?)',
  )
  let before = ''
  let entries = 0
  return (objects) => {
    db.exec('BEGIN IMMEDIATE')
    for (const object of objects) {
      const timestamp = new Date().toISOString()
      const id = `${runId}-${entries++}`
      link.run(timeOrderedId(), '1', setId, object._id, object.userName)
      const text = JSON.stringify({ _id: id, ...reconEntry(runId, timestamp, object) })
      before = hash('sha256', `${before}\nrecon\n${id}\n${timestamp}\n${text}`, 'base64url')
      audit.run('recon', id, timestamp, runId, text, before)
    }
    db.exec('COMMIT')
  }
}

function reconEntry(runId: string, timestamp: string, object: JsonObject) {
  const values = names.map(([property, column]) => [`/${column}`, { after: object[property] }])
  return {
    ...{ eventName: 'recon', transactionId: runId, timestamp, userId: 'openidm-admin', trackingIds: null },
    ...{ mapping: loadMapping, status: 'SUCCESS', message: null, entryType: 'entry', reconId: runId },
    ...{ reconciling: 'source', linkQualifier: 'default', situation: 'ABSENT', action: 'CREATE' },
    sourceObjectId: `managed/user/${object._id}`,
    targetObjectId: `system/database/account/${object.userName}`,
    ...{ ambiguousTargetObjectIds: '', messageDetail: null, exception: null },
    changes: Object.fromEntries(values),
  }
}
