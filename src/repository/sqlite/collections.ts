import { createHash } from 'node:crypto'
import { type Pointer, parsePointer } from '../../model/pointer.ts'
import { number, text } from './column.ts'
import type { Connection } from './connection.ts'
import { hasPath, jsonField } from './field.ts'

/**
 * Collections: each is a table of its own, so that its indexes hold nothing of others. Tables are numbered; a
 * collection's name never becomes SQL.
 */
export function tableOf(connection: Connection, collection: string): string | undefined {
  let id = connection.collections.get(collection)
  if (id === undefined) {
    const row = connection.row('SELECT id FROM collections WHERE name = ?', collection)
    if (!row) return undefined
    id = number(row.id)
    connection.collections.set(collection, id)
  }
  return `objects_${id}`
}

export function ensureTable(connection: Connection, collection: string): string {
  const existing = tableOf(connection, collection)
  if (existing) return existing
  const { lastInsertRowid } = connection
    .statement('INSERT INTO collections (name) VALUES (?)')
    .run(collection)
  const table = `objects_${lastInsertRowid}`
  connection.db.exec(`CREATE TABLE ${table} (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    rev TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT`)
  connection.collections.set(collection, Number(lastInsertRowid))
  return table
}

/** Builds the indexes that are missing and drops those that are not wanted any more. */
export function setIndexes(connection: Connection, table: string, searchable: readonly string[]): void {
  const wanted = new Map(
    searchable
      .map((text) => parsePointer(text))
      .filter(isIndexable)
      .map((pointer) => [indexName(table, pointer), pointer]),
  )
  const existing = new Set(indexesOf(connection, table))
  for (const name of existing) if (!wanted.has(name)) connection.db.exec(`DROP INDEX ${name}`)
  for (const [name, pointer] of wanted) {
    if (existing.has(name)) continue
    const { rank, value } = jsonField(pointer)
    connection.db.exec(`CREATE INDEX ${name} ON ${table} (${rank}, ${value}, id)`)
  }
}

/** `_id` has its index anyway, and a pointer that may lead into an array has no expression to index. */
function isIndexable(pointer: Pointer): boolean {
  return pointer.length > 0 && pointer[0] !== '_id' && hasPath(pointer)
}

function indexesOf(connection: Connection, table: string): readonly string[] {
  const sql = `SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`
  return connection.rows(sql, table).map(({ name }) => text(name))
}

/** A digest, for names have rules that pointers do not. */
function indexName(table: string, pointer: Pointer): string {
  const digest = createHash('sha256').update(JSON.stringify(pointer)).digest('hex').slice(0, 16)
  return `${table}_${digest}`
}
