import type { JsonObject } from '../../model/json.ts'
import type { QueuedEvent, SyncQueue } from '../sync-queue.ts'
import { number, optionalNumber } from './column.ts'
import { documentOf, documentText } from './document.ts'
import { documentField } from './field.ts'
import { fragment } from './fragment.ts'
import { type Queryable, queried, type Row } from './query.ts'
import type { Session } from './session.ts'

/** Changes that wait to be synchronized (engine §8.5), in the order in which they were stored. */
export function sqliteSyncQueue(session: Session): SyncQueue {
  return {
    add: (events) =>
      session.write((connection) => {
        const insert = connection.statement(
          'INSERT INTO sync_queue (id, mapping, resource, state, due, attempts, content) VALUES (?, ?, ?, ?, ?, ?, ?)',
        )
        for (const { id, mapping, resource, state, due, attempts, content } of events)
          insert.run(id, mapping, resource, state, due, attempts, documentText(content))
      }),
    async claim(mapping, { epoch, now }, limit) {
      // Polling the queue must not make writers wait.
      if (!(await session.read((connection) => connection.statement(anyDue).get(mapping, now)))) return []
      return session.write((connection) => {
        const rows = connection.statement(claimed).all(epoch, mapping, now, epoch, Date.now(), limit)
        return rows.toSorted((a, b) => number(a.seq) - number(b.seq)).map(eventOf)
      })
    },
    finish: (ids, epoch) =>
      session.write((connection) => {
        const sql = 'DELETE FROM sync_queue WHERE claim = ? AND id IN (SELECT value FROM json_each(?))'
        return Number(connection.statement(sql).run(epoch, JSON.stringify(ids)).changes)
      }),
    putBack: (events, epoch) =>
      session.write((connection) => {
        const statement = connection.statement(`${replaced}, claim = NULL WHERE id = ? AND claim = ?`)
        const changes = events.map((event) => statement.run(...replacement(event), event.id, epoch).changes)
        return changes.reduce<number>((sum, count) => sum + Number(count), 0)
      }),
    nextDue: (mapping) =>
      session.read((connection) => {
        const row = connection.statement(nextFirst).get(mapping, Date.now())
        return optionalNumber(row?.due)
      }),
    update: (events) =>
      session.write((connection) => {
        const statement = connection.statement(`${replaced} WHERE id = ?`)
        for (const event of events) statement.run(...replacement(event), event.id)
      }),
    remove: (ids) =>
      session.write((connection) => {
        const sql = 'DELETE FROM sync_queue WHERE id IN (SELECT value FROM json_each(?))'
        return Number(connection.statement(sql).run(JSON.stringify(ids)).changes)
      }),
    read: (id) =>
      session.read((connection) => {
        const row = connection.statement('SELECT * FROM sync_queue WHERE id = ?').get(id)
        return row && eventOf(row)
      }),
    query: (query) => session.read((connection) => queried(connection, events, query)),
    releaseHeld: () =>
      session.write((connection) => {
        connection.statement("UPDATE sync_queue SET state = 'PENDING' WHERE state = 'HELD'").run()
      }),
  }
}

const replaced = 'UPDATE sync_queue SET state = ?, due = ?, attempts = ?, content = ?'

function replacement({ state, due, attempts, content }: QueuedEvent) {
  return [state, due, attempts, documentText(content)] as const
}

/** No event overtakes an older one about the same object, even if that waits for a retry. */
const isFirst = `own.state = 'PENDING' AND NOT EXISTS (
    SELECT 1 FROM sync_queue AS older
    WHERE older.mapping = own.mapping AND older.resource = own.resource
      AND older.seq < own.seq AND older.state <> 'DEAD'
  )`

/** The parameter is the time. A lease that was ended has no row any more. */
const isUnclaimed = `(own.claim IS NULL OR NOT EXISTS (
    SELECT 1 FROM leases WHERE leases.epoch = own.claim AND leases.expires > ?
  ))`

const anyDue = "SELECT 1 FROM sync_queue WHERE mapping = ? AND state = 'PENDING' AND due <= ? LIMIT 1"

const claimed = `
  UPDATE sync_queue SET claim = ? WHERE seq IN (
    SELECT seq FROM sync_queue AS own
    WHERE mapping = ? AND due <= ? AND ${isFirst} AND (own.claim = ? OR ${isUnclaimed})
    ORDER BY seq LIMIT ?
  ) RETURNING *`

const nextFirst = `
  SELECT due FROM sync_queue AS own
  WHERE mapping = ? AND ${isFirst} AND ${isUnclaimed}
  ORDER BY due LIMIT 1`

function eventOf({ id, mapping, resource, state, due, attempts, content }: Row): QueuedEvent {
  return { id, mapping, resource, state, due, attempts, content: documentOf(content) } as QueuedEvent
}

/** Queries see the content, which says all that the columns say. */
const events: Queryable<JsonObject> = {
  from: 'sync_queue',
  scope: fragment('1'),
  fieldOf: documentField,
  json: 'content',
  select: 'seq, id, content',
  natural: ['seq'],
  ties: ['seq'],
  objectOf: ({ content }) => documentOf(content),
}
