import type { JsonObject } from '../../model/json.ts'
import type { Objects, ObjectWrite, ObjectWriteOutcome, StoredObject } from '../objects.ts'
import { ensureTable, setIndexes, tableOf } from './collections.ts'
import { number, text } from './column.ts'
import type { Connection } from './connection.ts'
import { documentText, storedObjectOf } from './document.ts'
import { documentField } from './field.ts'
import { fragment } from './fragment.ts'
import { type Queryable, queried } from './query.ts'
import type { Session } from './session.ts'

/** Objects of collections. The stored document is the object as on the wire, `_id` and `_rev` first. */
export function sqliteObjects(session: Session, nextRevision: () => string): Objects {
  return {
    declare: (collection, searchable) =>
      session.write((connection) => setIndexes(connection, ensureTable(connection, collection), searchable)),
    read: (collection, ids) => session.read((connection) => read(connection, collection, ids)),
    existing: (collection, ids) => session.read((connection) => existing(connection, collection, ids)),
    ids: (collection, pageSize = 500) => idPages(session, collection, pageSize),
    query: (collection, query) =>
      session.read((connection) => {
        const table = tableOf(connection, collection)
        if (table) return queried(connection, objectsIn(table), query)
        return { result: [], cookie: null, ...(query.total && { total: 0 }) }
      }),
    write: (collection, writes) =>
      session.write((connection) => {
        const write = writer(connection, ensureTable(connection, collection), nextRevision)
        return writes.map(write)
      }),
    count: (collection) =>
      session.read((connection) => {
        const table = tableOf(connection, collection)
        return table ? number(connection.statement(`SELECT count(*) AS n FROM ${table}`).get()?.n) : 0
      }),
    collections: () =>
      session.read((connection) =>
        connection
          .statement('SELECT name FROM collections ORDER BY name')
          .all()
          .map((row) => text(row.name)),
      ),
  }
}

function read(
  connection: Connection,
  collection: string,
  ids: readonly string[],
): ReadonlyMap<string, StoredObject> {
  const table = tableOf(connection, collection)
  if (!table) return new Map()
  const sql = `SELECT o.id, o.content FROM json_each(?) AS wanted CROSS JOIN ${table} AS o ON o.id = wanted.value`
  const rows = connection.statement(sql).all(JSON.stringify(ids))
  return new Map(rows.map((row) => [text(row.id), storedObjectOf(row.content)]))
}

function existing(connection: Connection, collection: string, ids: readonly string[]): ReadonlySet<string> {
  const table = tableOf(connection, collection)
  if (!table) return new Set()
  const sql = `SELECT o.id FROM json_each(?) AS wanted CROSS JOIN ${table} AS o ON o.id = wanted.value`
  return new Set(
    connection
      .statement(sql)
      .all(JSON.stringify(ids))
      .map(({ id }) => text(id)),
  )
}

async function* idPages(
  session: Session,
  collection: string,
  pageSize: number,
): AsyncIterable<readonly string[]> {
  for (let last: string | undefined = ''; last !== undefined; ) {
    const after: string = last
    const page = await session.read((connection) => idsAfter(connection, collection, after, pageSize))
    if (page.length > 0) yield page
    last = page.length < pageSize ? undefined : page.at(-1)
  }
}

function idsAfter(
  connection: Connection,
  collection: string,
  last: string,
  pageSize: number,
): readonly string[] {
  const table = tableOf(connection, collection)
  if (!table) return []
  const statement = connection.statement(`SELECT id FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`)
  return statement.all(last, pageSize).map((row) => text(row.id))
}

function writer(
  connection: Connection,
  table: string,
  nextRevision: () => string,
): (write: ObjectWrite) => ObjectWriteOutcome {
  const insert = connection.statement(
    `INSERT INTO ${table} (id, rev, content) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  )
  // A revision of null stands for any.
  const update = connection.statement(
    `UPDATE ${table} SET rev = ?2, content = ?3 WHERE id = ?1 AND (?4 IS NULL OR rev = ?4)`,
  )
  const remove = connection.statement(
    `DELETE FROM ${table} WHERE id = ?1 AND (?2 IS NULL OR rev = ?2) RETURNING content`,
  )
  const exists = connection.statement(`SELECT 1 FROM ${table} WHERE id = ?`)
  const refusal = (id: string): ObjectWriteOutcome => ({
    ok: false,
    reason: exists.get(id) ? 'changed' : 'missing',
  })

  return (write) => {
    const { operation, id } = write
    if (operation === 'delete') {
      const row = remove.get(id, write.rev ?? null)
      return row ? { ok: true, object: storedObjectOf(row.content) } : refusal(id)
    }
    const object = stored(write.content, id, nextRevision())
    const json = documentText(object)
    if (operation === 'create') {
      return insert.run(id, object._rev, json).changes
        ? { ok: true, object }
        : { ok: false, reason: 'exists' }
    }
    return update.run(id, object._rev, json, write.rev ?? null).changes ? { ok: true, object } : refusal(id)
  }
}

/** Whatever identity the content claims, it is stored under the one given. */
function stored(content: JsonObject, id: string, rev: string): StoredObject {
  const object = { _id: id, _rev: rev, ...content }
  object._id = id
  object._rev = rev
  return object
}

/** How the objects of a collection's table are queried. */
export function objectsIn(table: string): Queryable<StoredObject> {
  return {
    from: table,
    scope: fragment('1'),
    fieldOf: documentField,
    json: 'content',
    select: 'id, rev, content',
    natural: ['id'],
    ties: ['id'],
    objectOf: (row) => storedObjectOf(row.content),
  }
}
