import type { JsonObject } from '../../model/json.ts'
import type { Objects, ObjectWrite, ObjectWriteOutcome, StoredObject } from '../objects.ts'
import { ensureTable, setIndexes, tableOf } from './collections.ts'
import { number, text } from './column.ts'
import type { Connection } from './connection.ts'
import { documentText, storedObjectOf } from './document.ts'
import { fragment } from './fragment.ts'
import { documents, pagesByKey, type Queryable, queried } from './query.ts'
import type { Session } from './session.ts'

/** Objects of collections. The stored document is the object as on the wire, `_id` and `_rev` first. */
export function sqliteObjects(session: Session, nextRevision: () => string): Objects {
  /** Reads from the table of a collection; `none`: the result if the collection does not exist. */
  const inTable = <T>(collection: string, none: T, read: (connection: Connection, table: string) => T) =>
    session.read((connection) => {
      const table = tableOf(connection, collection)
      return table === undefined ? none : read(connection, table)
    })
  return {
    declare: (collection, searchable) =>
      session.write((connection) => setIndexes(connection, ensureTable(connection, collection), searchable)),
    read: (collection, ids) =>
      inTable(collection, new Map(), (connection, table) => {
        const rows = connection.rows(wanted('o.id, o.content', table), JSON.stringify(ids))
        return new Map(rows.map((row) => [text(row.id), storedObjectOf(row.content)]))
      }),
    existing: (collection, ids) =>
      inTable(collection, new Set(), (connection, table) => {
        const rows = connection.rows(wanted('o.id', table), JSON.stringify(ids))
        return new Set(rows.map(({ id }) => text(id)))
      }),
    ids: (collection, pageSize = 500) =>
      pagesByKey(
        pageSize,
        (id) => id,
        (last) =>
          inTable<readonly string[]>(collection, [], (connection, table) => {
            const sql = `SELECT id FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`
            return connection.rows(sql, last, pageSize).map(({ id }) => text(id))
          }),
      ),
    query: (collection, query) =>
      inTable(
        collection,
        { result: [], cookie: null, ...(query.total && { total: 0 }) },
        (connection, table) => queried(connection, objectsIn(table), query),
      ),
    write: (collection, writes) =>
      session.write((connection) => {
        const write = writer(connection, ensureTable(connection, collection), nextRevision)
        return writes.map(write)
      }),
    count: (collection) =>
      inTable(collection, 0, (connection, table) =>
        number(connection.row(`SELECT count(*) AS n FROM ${table}`)?.n),
      ),
    collections: () => session.rows(({ name }) => text(name), 'SELECT name FROM collections ORDER BY name'),
  }
}

function wanted(columns: string, table: string): string {
  return `SELECT ${columns} FROM json_each(?) AS wanted CROSS JOIN ${table} AS o ON o.id = wanted.value`
}

function writer(
  connection: Connection,
  table: string,
  nextRevision: () => string,
): (write: ObjectWrite) => ObjectWriteOutcome {
  const insert = `INSERT INTO ${table} (id, rev, content) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`
  // A revision of null stands for any.
  const update = `UPDATE ${table} SET rev = ?2, content = ?3 WHERE id = ?1 AND (?4 IS NULL OR rev = ?4)`
  const remove = `DELETE FROM ${table} WHERE id = ?1 AND (?2 IS NULL OR rev = ?2) RETURNING content`
  const refusal = (id: string): ObjectWriteOutcome => {
    const exists = connection.row(`SELECT 1 FROM ${table} WHERE id = ?`, id)
    return { ok: false, reason: exists ? 'changed' : 'missing' }
  }
  return (write) => {
    const { operation, id } = write
    if (operation === 'delete') {
      const row = connection.row(remove, id, write.rev ?? null)
      return row ? { ok: true, object: storedObjectOf(row.content) } : refusal(id)
    }
    const object = stored(write.content, id, nextRevision())
    const json = documentText(object)
    if (operation === 'create')
      return connection.run(insert, id, object._rev, json)
        ? { ok: true, object }
        : { ok: false, reason: 'exists' }
    return connection.run(update, id, object._rev, json, write.rev ?? null)
      ? { ok: true, object }
      : refusal(id)
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
    ...documents(table, fragment('1'), { natural: 'id' }),
    objectOf: (row) => storedObjectOf(row.content),
  }
}
