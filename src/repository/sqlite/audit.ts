import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { type AuditEvent, type AuditEvents, type Removable, removals } from '../audit.ts'
import { parseCookie, printCookie } from '../cookie.ts'
import { chainHash, follow, readHead, type Step, start, withEnd, writeHead } from './audit-chain.ts'
import { openGaps, removable } from './audit-gaps.ts'
import { recordedRuns } from './audit-runs.ts'
import { number, text } from './column.ts'
import type { Connection } from './connection.ts'
import { documentOf, documentText } from './document.ts'
import { violatesConstraint } from './failure.ts'
import { column, documentField, type Field } from './field.ts'
import { fragment } from './fragment.ts'
import { type Queryable, queried } from './query.ts'
import type { Session } from './session.ts'

/**
 * Audit events (platform §9): appended by the hundred thousand, read by id, by run, or in the order of
 * writing. `reconId`, a text by engine §10, has a column and an index of its own.
 */
export function sqliteAudit(session: Session): AuditEvents {
  return {
    append: (events) => session.write((connection) => appendAll(connection, events)),
    async verify() {
      let step = start
      for (let next: Step | undefined = step; next; ) {
        step = next
        // In portions, so that a server goes on answering meanwhile.
        next = await session.read((connection) => follow(connection, step, portion))
      }
      return session.read((connection) => {
        // What was written meanwhile belongs to it.
        for (let next = follow(connection, step, portion); next; next = follow(connection, step, portion))
          step = next
        return withEnd(connection, step.verdict)
      })
    },
    remove: (what, limit, by) => session.write((connection) => remove(connection, what, limit, by)),
    recordedRuns: () => session.read(recordedRuns),
    since: (seq, limit) =>
      session.read((connection) =>
        connection
          .statement('SELECT seq, topic, content FROM audit WHERE seq > ? ORDER BY seq LIMIT ?')
          .all(seq, limit)
          .map((row) => ({
            seq: number(row.seq),
            topic: text(row.topic),
            content: documentOf(row.content),
          })),
      ),
    lastSeq: () =>
      session.read((connection) => {
        const row = connection.statement('SELECT coalesce(max(seq), 0) AS seq FROM audit').get()
        return number(row?.seq)
      }),
    read: (topic, id) =>
      session.read((connection) => {
        const row = connection
          .statement('SELECT content FROM audit WHERE id = ? AND topic = ?')
          .get(id, topic)
        return row && documentOf(row.content)
      }),
    query: (topic, query) => session.read((connection) => queried(connection, eventsOf(topic), query)),
    ofObject: (objectId, { limit, cookie }) =>
      session.read((connection) => {
        const [before] = typeof cookie === 'string' ? parseCookie(cookie, 1) : [null]
        const rows = connection.statement(ofObject).all(objectId, before as number | null, limit + 1)
        const page = rows.slice(0, limit)
        return {
          result: page.map(({ topic, content }) => ({
            topic: text(topic),
            content: documentOf(content),
          })),
          cookie: rows.length > limit ? printCookie([number(page.at(-1)?.seq)]) : null,
        }
      }),
  }
}

const portion = 2000

/** One look into each index, newest first; an event that names the object twice comes once. */
const ofObject = `
  SELECT seq, topic, content FROM audit WHERE seq IN (
    SELECT seq FROM audit WHERE json_extract(content, '$.sourceObjectId') = ?1
    UNION SELECT seq FROM audit WHERE json_extract(content, '$.targetObjectId') = ?1
    UNION SELECT seq FROM audit WHERE json_extract(content, '$.objectId') = ?1
  ) AND (?2 IS NULL OR seq < ?2) ORDER BY seq DESC LIMIT ?3`

function appendAll(connection: Connection, events: readonly AuditEvent[]): void {
  const statement = connection.statement(
    'INSERT INTO audit (topic, id, timestamp, recon_id, content, hash) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const head = readHead(connection)
  let last = head.hash
  for (const event of events) last = append(statement, event, last)
  writeHead(connection, { hash: last, chained: head.chained + events.length })
}

/** The event that records it comes first: a number that was the last one is never given again. */
function remove(
  connection: Connection,
  what: Removable,
  limit: number,
  { id, timestamp, content }: Pick<AuditEvent, 'id' | 'timestamp' | 'content'>,
): number {
  const rows = removable(connection, what, limit)
  if (rows.length === 0) return 0
  const facts = openGaps(connection, rows)
  appendAll(connection, [
    { id, timestamp, topic: removals, content: { ...content, topic: what.topic, ...facts } },
  ])
  const statement = connection.statement('DELETE FROM audit WHERE seq = ?')
  for (const { seq } of rows) statement.run(seq)
  return rows.length
}

function append(
  statement: ReturnType<Connection['statement']>,
  { id, topic, timestamp, content }: AuditEvent,
  before: string,
): string {
  const reconId = typeof content.reconId === 'string' ? content.reconId : null
  const document = { _id: id, ...content }
  document._id = id
  const text = documentText(document)
  const hash = chainHash(before, { topic, id, timestamp, text })
  try {
    statement.run(topic, id, timestamp, reconId, text, hash)
    return hash
  } catch (error) {
    if (!violatesConstraint(error)) throw error
    throw new Problem('PRECONDITION_FAILED', `The audit entry ${topic}/${id} exists already`, {
      cause: error,
    })
  }
}

/** How the events of a topic are queried. */
export function eventsOf(topic: string): Queryable<JsonObject> {
  return {
    from: 'audit',
    scope: fragment('topic = ?', topic),
    fieldOf,
    json: 'content',
    select: 'seq, id, content',
    natural: ['seq'],
    ties: ['id'],
    objectOf: (row) => documentOf(row.content),
  }
}

function fieldOf(pointer: Pointer): Field {
  const isReconId = pointer.length === 1 && pointer[0] === 'reconId'
  return isReconId ? column('recon_id', { optional: true }) : documentField(pointer)
}
