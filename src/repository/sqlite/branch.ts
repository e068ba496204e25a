import { setImmediate as turn } from 'node:timers/promises'
import { number, text } from './column.ts'
import type { Connection } from './connection.ts'

/** What happened, and what others are about to do, is not part of the state that a branch begins with. */
const left: ReadonlySet<string> = new Set([
  ...['audit', 'audit_head', 'audit_gaps', 'runs', 'run_entries', 'issues', 'sync_queue', 'leases'],
])

/** Rows that are copied at a stretch: meanwhile the process does nothing else. */
const stretch = 5_000

/**
 * Copies the state of a store into a new one of the same schema: as it is at one moment, whoever writes meanwhile. In stretches, so
 * that a server goes on answering.
 */
export async function copyState(from: string, to: Connection): Promise<void> {
  const { db } = to
  // It is thrown away after a crash, so nothing has to be safe from one.
  db.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF')
  db.prepare('ATTACH ? AS origin').run(from)
  // Not IMMEDIATE, which would keep others from writing the origin.
  db.exec('BEGIN')
  for (const table of tablesOf(to)) await copyTable(to, table)
  db.exec('COMMIT; DETACH origin; PRAGMA foreign_keys = ON')
}

interface Table {
  readonly name: string
  readonly sql: string
}

function tablesOf(to: Connection): readonly Table[] {
  return to.db
    .prepare(`SELECT name, sql FROM origin.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .all()
    .map(({ name, sql }) => ({ name: text(name), sql: text(sql) }))
    .filter(({ name }) => !left.has(name))
}

/** Names of tables are the program's own. Their indexes come after the rows: they are built at once. */
async function copyTable({ db }: Connection, { name, sql }: Table): Promise<void> {
  const isKnown = db.prepare('SELECT 1 FROM main.sqlite_schema WHERE name = ?').get(name) !== undefined
  if (!isKnown) db.exec(sql)
  if (/WITHOUT ROWID\s*$/i.test(sql)) db.exec(`INSERT INTO main.${name} SELECT * FROM origin.${name}`)
  else {
    const copy = db.prepare(
      `INSERT INTO main.${name} SELECT * FROM origin.${name} WHERE rowid > ? ORDER BY rowid LIMIT ${stretch}`,
    )
    const last = db.prepare(`SELECT max(rowid) AS last FROM main.${name}`)
    let after = Number.MIN_SAFE_INTEGER
    while (Number(copy.run(after).changes) > 0) {
      after = number(last.get()?.last)
      await turn()
    }
  }
  if (isKnown) return
  const indexes = db.prepare(
    `SELECT sql FROM origin.sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`,
  )
  for (const index of indexes.all(name)) {
    db.exec(text(index.sql))
    await turn()
  }
}
