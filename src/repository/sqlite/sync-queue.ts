import { longestWait, type QueuedEvent, type SyncQueue } from '../sync-queue.ts'
import { number } from './column.ts'
import type { Row } from './connection.ts'
import { documentOf, documentText } from './document.ts'
import { fragment } from './fragment.ts'
import { endedNow, isHeld } from './leases.ts'
import { documents } from './query.ts'
import type { Session } from './session.ts'

/** Changes that wait to be synchronized (engine §8.5), in the order in which they were stored. */
export function sqliteSyncQueue(session: Session): SyncQueue {
  return {
    async add(events) {
      await session.runEach(
        'INSERT INTO sync_queue (id, mapping, resource, state, due, attempts, content) VALUES (?, ?, ?, ?, ?, ?, ?)',
        events.map(({ id, mapping, resource, state, due, attempts, content }) => [
          ...[id, mapping, resource, state, due, attempts, documentText(content)],
        ]),
      )
    },
    async claim(mapping, { epoch, now }, limit, early = []) {
      // Polling the queue must not make writers wait.
      if (!(await session.row(() => true, anyDue, mapping, now, now + longestWait))) return []
      return session.write((connection) => {
        const times = [now, now + longestWait] as const
        const due = connection.rows(claimed, epoch, mapping, ...times, epoch, ...endedNow(), limit)
        const left = due.length === 0 ? 0 : Math.min(early.length, limit - due.length)
        const others =
          left > 0
            ? connection.rows(
                claimedEarly,
                ...[epoch, mapping, JSON.stringify(early), ...times, epoch, ...endedNow(), left],
              )
            : []
        return [...due, ...others].toSorted((a, b) => number(a.seq) - number(b.seq)).map(eventOf)
      })
    },
    finish: (ids, epoch) => session.run(`${removal} AND claim = ?`, JSON.stringify(ids), epoch),
    putBack: (events, epoch) =>
      session.runEach(
        `${replaced}, claim = NULL WHERE id = ? AND claim = ?`,
        events.map((event) => [...replacement(event), event.id, epoch]),
      ),
    nextDue: (mapping) => session.row(({ due }) => number(due), nextFirst, mapping, ...endedNow()),
    async update(events) {
      await session.runEach(
        `${replaced} WHERE id = ?`,
        events.map((event) => [...replacement(event), event.id]),
      )
    },
    remove: (ids) => session.run(removal, JSON.stringify(ids)),
    read: (id) => session.row(eventOf, 'SELECT * FROM sync_queue WHERE id = ?', id),
    // The content says all that the columns say.
    query: (query) => session.page(documents('sync_queue', fragment('1'), { ties: ['seq'] }), query),
    async releaseHeld() {
      await session.run("UPDATE sync_queue SET state = 'PENDING' WHERE state = 'HELD'")
    },
  }
}

const removal = 'DELETE FROM sync_queue WHERE id IN (SELECT value FROM json_each(?))'
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

/** With the parameters `endedNow`. A lease that was ended has no row any more. */
const isUnclaimed = `(own.claim IS NULL OR NOT EXISTS (
    SELECT 1 FROM leases WHERE leases.epoch = own.claim AND ${isHeld}
  ))`

/** What is due later than any wait is long was written before the clock was set back: it has waited. */
const isDue = '(due <= ? OR due > ?)'

const anyDue = `SELECT 1 FROM sync_queue WHERE mapping = ? AND state = 'PENDING' AND ${isDue} LIMIT 1`

const claimed = `
  UPDATE sync_queue SET claim = ? WHERE seq IN (
    SELECT seq FROM sync_queue AS own
    WHERE mapping = ? AND ${isDue} AND ${isFirst} AND (own.claim = ? OR ${isUnclaimed})
    ORDER BY seq LIMIT ?
  ) RETURNING *`

const claimedEarly = `
  UPDATE sync_queue SET claim = ? WHERE seq IN (
    SELECT seq FROM sync_queue AS own
    WHERE mapping = ? AND id IN (SELECT value FROM json_each(?)) AND NOT ${isDue} AND ${isFirst}
      AND (own.claim = ? OR ${isUnclaimed})
    ORDER BY seq LIMIT ?
  ) RETURNING *`

const nextFirst = `
  SELECT due FROM sync_queue AS own
  WHERE mapping = ? AND ${isFirst} AND ${isUnclaimed}
  ORDER BY due LIMIT 1`

function eventOf({ id, mapping, resource, state, due, attempts, content }: Row): QueuedEvent {
  return { id, mapping, resource, state, due, attempts, content: documentOf(content) } as QueuedEvent
}
