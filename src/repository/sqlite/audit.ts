import { printCookie } from '../../kit/cookies.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { type AuditEvent, type AuditEvents, type RecordedRun, type Removable, removals } from '../audit.ts'
import { parseCookie } from '../cookie.ts'
import { chainHash, follow, readHead, start, withEnd, writeHead } from './audit-chain.ts'
import { openGaps, removable } from './audit-gaps.ts'
import { number, optionalText, text } from './column.ts'
import type { Connection, Row } from './connection.ts'
import { documentOf, documentText } from './document.ts'
import { violatesConstraint } from './failure.ts'
import { column, documentField, type Field } from './field.ts'
import { fragment } from './fragment.ts'
import { documents, type Queryable } from './query.ts'
import type { Session } from './session.ts'

/**
 * Audit events (platform §9): appended by the hundred thousand, read by id, by run, or in the order of
 * writing. `reconId`, a text by engine §10, has a column and an index of its own.
 */
export function sqliteAudit(session: Session): AuditEvents {
  return {
    append: (events) => session.write((connection) => append(connection, events)),
    async verify() {
      for (let step = start; ; ) {
        // In portions, so that a server can answer meanwhile.
        const next = await session.read(
          (connection) => follow(connection, step, portion) ?? withEnd(connection, step.verdict),
        )
        if (!('verdict' in next)) return next
        step = next
      }
    },
    remove: (what, limit, by) => session.write((connection) => remove(connection, what, limit, by)),
    recordedRuns: () => session.read(recordedRuns),
    since: (seq, limit) =>
      session.rows(
        (row) => ({ seq: number(row.seq), topic: text(row.topic), content: documentOf(row.content) }),
        'SELECT seq, topic, content FROM audit WHERE seq > ? ORDER BY seq LIMIT ?',
        seq,
        limit,
      ),
    lastSeq: async () => (await session.row(({ seq }) => number(seq), lastSeq)) ?? 0,
    read: (topic, id) =>
      session.row(contentOf, 'SELECT content FROM audit WHERE id = ? AND topic = ?', id, topic),
    query: (topic, query) => session.page(eventsOf(topic), query),
    async ofObject(objectId, { limit, cookie }) {
      const [before] = typeof cookie === 'string' ? parseCookie(cookie, 1) : [null]
      const rows = await session.rows((row) => row, ofObject, objectId, before as number | null, limit + 1)
      const page = rows.slice(0, limit)
      return {
        result: page.map((row) => ({ topic: text(row.topic), content: contentOf(row) })),
        cookie: rows.length > limit ? printCookie([number(page.at(-1)?.seq)]) : null,
      }
    },
  }
}

const lastSeq = 'SELECT seq FROM audit ORDER BY seq DESC LIMIT 1'

function contentOf({ content }: Row): JsonObject {
  return documentOf(content)
}

const portion = 2000

/** One look into each index, newest first; an event that names the object twice comes once. */
const ofObject = `
  SELECT seq, topic, content FROM audit WHERE seq IN (
    SELECT seq FROM audit WHERE json_extract(content, '$.sourceObjectId') = ?1
    UNION SELECT seq FROM audit WHERE json_extract(content, '$.targetObjectId') = ?1
    UNION SELECT seq FROM audit WHERE json_extract(content, '$.objectId') = ?1
  ) AND (?2 IS NULL OR seq < ?2) ORDER BY seq DESC LIMIT ?3`

function append(connection: Connection, events: readonly AuditEvent[]): void {
  const head = readHead(connection)
  const last = events.reduce((before, event) => appendOne(connection, event, before), head.hash)
  writeHead(connection, { hash: last, chained: head.chained + events.length })
}

/** The event that records it comes first: a number that was the last one is never given again. */
function remove(
  connection: Connection,
  what: Removable,
  limit: number,
  { id, timestamp, content }: Pick<AuditEvent, 'id' | 'timestamp' | 'content'>,
): number {
  const gaps = removable(connection, what, limit)
  if (gaps.length === 0) return 0
  const facts = openGaps(connection, gaps)
  append(connection, [
    { id, timestamp, topic: removals, content: { ...content, topic: what.topic, ...facts } },
  ])
  for (const { first } of gaps) connection.run('DELETE FROM audit WHERE seq = ?', first)
  return gaps.length
}

function appendOne(
  connection: Connection,
  { id, topic, timestamp, content }: AuditEvent,
  before: string,
): string {
  const reconId = typeof content.reconId === 'string' ? content.reconId : null
  const document = { _id: id, ...content }
  document._id = id
  const text = documentText(document)
  const hash = chainHash(before, { topic, id, timestamp, text })
  const sql = 'INSERT INTO audit (topic, id, timestamp, recon_id, content, hash) VALUES (?, ?, ?, ?, ?, ?)'
  try {
    connection.run(sql, topic, id, timestamp, reconId, text, hash)
    return hash
  } catch (error) {
    if (!violatesConstraint(error)) throw error
    const message = `The audit entry ${topic}/${id} exists already`
    throw new Problem('PRECONDITION_FAILED', message, { cause: error })
  }
}

/** How the events of a topic are queried. */
export function eventsOf(topic: string): Queryable<JsonObject> {
  return { ...documents('audit', fragment('topic = ?', topic)), fieldOf }
}

function fieldOf(pointer: Pointer): Field {
  const isReconId = pointer.length === 1 && pointer[0] === 'reconId'
  return isReconId ? column('recon_id', { optional: true }) : documentField(pointer)
}

/** From one run to the next through the index by run: entries are many, runs are few. */
const runIds = `
  WITH RECURSIVE run (id) AS (
    SELECT min(recon_id) FROM audit WHERE topic = 'recon' AND recon_id IS NOT NULL
    UNION ALL
    SELECT (SELECT min(recon_id) FROM audit WHERE topic = 'recon' AND recon_id > run.id)
    FROM run WHERE run.id IS NOT NULL
  )
  SELECT id FROM run WHERE id IS NOT NULL`

const lastEvent = `
  SELECT seq, timestamp, json_extract(content, '$.mapping') AS mapping FROM audit
  WHERE topic = 'recon' AND recon_id = ? ORDER BY seq DESC LIMIT 1`

function recordedRuns(connection: Connection): readonly RecordedRun[] {
  return connection
    .rows(runIds)
    .map(({ id }) => ({ id: text(id), last: connection.row(lastEvent, text(id)) }))
    .toSorted((a, b) => Number(a.last?.seq) - Number(b.last?.seq))
    .map(({ id, last }) => ({
      reconId: id,
      mapping: optionalText(last?.mapping) ?? null,
      timestamp: text(last?.timestamp),
    }))
}
