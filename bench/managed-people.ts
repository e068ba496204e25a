/**
 * What the floors of loads into systems outside share: they read the managed people of a store, and write the links and audit entries
 * as Syncline has them after the same work.
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { v7 as timeOrderedId } from 'uuid'
import type { JsonObject } from '../src/model/json.ts'
import { pragmas } from '../src/repository/sqlite/connection.ts'

export const pageSize = 500

/** Where the people go: the mapping, the object set, and the names of their properties there. */
export interface Destination {
  readonly mapping: string
  readonly target: string
  readonly properties: Readonly<Record<string, string>>
}

export interface Person extends JsonObject {
  readonly _id: string
}

export function openStore(data: string): DatabaseSync {
  const db = new DatabaseSync(join(data, 'syncline.db'))
  db.exec(pragmas)
  return db
}

export function closeStore(db: DatabaseSync): void {
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}

export function* pagesOfPeople(db: DatabaseSync): Generator<readonly Person[]> {
  const id = db.prepare("SELECT id FROM collections WHERE name = 'managed/user'").get()?.id
  const select = db.prepare(
    `SELECT id, content FROM objects_${id} WHERE id > ? ORDER BY id LIMIT ${pageSize}`,
  )
  for (let after = ''; ; ) {
    const people = select
      .all(after)
      .map((row) => ({ ...JSON.parse(String(row.content)), _id: String(row.id) }))
    if (people.length === 0) return
    yield people
    after = people.at(-1)?._id ?? ''
  }
}

/** Each entry of the audit with its values, and in the chain of the audit. `targetIds`: of the people, in their order. */
export function pageWriter(
  db: DatabaseSync,
  destination: Destination,
): (people: readonly Person[], targetIds: readonly string[]) => void {
  const { mapping } = destination
  const runId = timeOrderedId()
  db.prepare('INSERT OR IGNORE INTO link_sets (link_type, qualifier) VALUES (?, ?)').run(mapping, 'default')
  const setId = Number(db.prepare('SELECT id FROM link_sets WHERE link_type = ?').get(mapping)?.id)
  db.prepare(
    'INSERT INTO runs (id, mapping, analysis, state, started, content) VALUES (?, ?, 0, ?, ?, ?)',
  ).run(...[runId, mapping, 'ACTIVE', new Date().toISOString(), '{}'])
  const link = db.prepare('INSERT INTO links (id, rev, set_id, first_id, second_id) VALUES (?, ?, ?, ?, ?)')
  const audit = db.prepare(
    'INSERT INTO audit (topic, id, timestamp, recon_id, content, hash) VALUES (?, ?, ?, ?, ?, ?)',
  )
  let before = ''
  let entries = 0
  return (people, targetIds) => {
    db.exec('BEGIN IMMEDIATE')
    people.forEach((person, place) => {
      const timestamp = new Date().toISOString()
      const id = `${runId}-${entries++}`
      const targetId = targetIds[place] ?? ''
      link.run(timeOrderedId(), '1', setId, person._id, targetId)
      const text = JSON.stringify({
        _id: id,
        ...reconEntry(destination, { runId, timestamp, targetId }, person),
      })
      before = hash('sha256', `${before}\nrecon\n${id}\n${timestamp}\n${text}`, 'base64url')
      audit.run('recon', id, timestamp, runId, text, before)
    })
    db.exec('COMMIT')
  }
}

function reconEntry(
  { mapping, target, properties }: Destination,
  {
    runId,
    timestamp,
    targetId,
  }: { readonly runId: string; readonly timestamp: string; readonly targetId: string },
  person: Person,
) {
  const values = Object.entries(properties).map(([own, other]) => [`/${other}`, { after: person[own] }])
  return {
    ...{ eventName: 'recon', transactionId: runId, timestamp, userId: 'openidm-admin', trackingIds: null },
    ...{ mapping, status: 'SUCCESS', message: null, entryType: 'entry', reconId: runId },
    ...{ reconciling: 'source', linkQualifier: 'default', situation: 'ABSENT', action: 'CREATE' },
    sourceObjectId: `managed/user/${person._id}`,
    targetObjectId: `${target}/${targetId}`,
    ...{ ambiguousTargetObjectIds: '', messageDetail: null, exception: null },
    changes: Object.fromEntries(values),
  }
}
