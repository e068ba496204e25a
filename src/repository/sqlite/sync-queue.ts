import type { JsonObject } from '../../model/json.ts'
import type { QueuedEvent, SyncQueue } from '../repository.ts'
import { documentOf, documentText } from './document.ts'
import { documentField } from './field.ts'
import { fragment } from './fragment.ts'
import { type Queryable, queried, type Row } from './query.ts'
import type { Session } from './session.ts'

/** Changes that wait to be carried on (engine §8.5), in the order in which they were stored. */
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
    due: (mapping, now, limit) =>
      session.read((connection) => connection.statement(dueFirst).all(mapping, now, limit).map(eventOf)),
    nextDue: (mapping) =>
      session.read((connection) => {
        const row = connection
          .statement("SELECT min(due) AS due FROM sync_queue WHERE mapping = ? AND state = 'PENDING'")
          .get(mapping)
        return (row?.due as number | null | undefined) ?? undefined
      }),
    update: (events) =>
      session.write((connection) => {
        const statement = connection.statement(
          'UPDATE sync_queue SET state = ?, due = ?, attempts = ?, content = ? WHERE id = ?',
        )
        for (const { id, state, due, attempts, content } of events)
          statement.run(state, due, attempts, documentText(content), id)
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

/** Nobody overtakes an older event about the same object, be it waiting for another try. */
const dueFirst = `
  SELECT * FROM sync_queue AS own
  WHERE mapping = ? AND state = 'PENDING' AND due <= ? AND NOT EXISTS (
    SELECT 1 FROM sync_queue AS older
    WHERE older.mapping = own.mapping AND older.resource = own.resource
      AND older.seq < own.seq AND older.state <> 'DEAD'
  )
  ORDER BY seq LIMIT ?`

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
