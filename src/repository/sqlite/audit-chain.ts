import { hash } from 'node:crypto'
import type { AuditEvent, AuditVerdict } from '../audit.ts'
import { gapsBetween, unvouchedGaps } from './audit-gaps.ts'
import { number, text } from './column.ts'
import type { Connection } from './connection.ts'

/** The input of a hash: the previous hash, and the whole event. */
interface Chained extends Pick<AuditEvent, 'topic' | 'id' | 'timestamp'> {
  /** The event's JSON text, as it is stored. */
  readonly text: string
}

export function chainHash(before: string, { topic, id, timestamp, text }: Chained): string {
  return hash('sha256', `${before}\n${topic}\n${id}\n${timestamp}\n${text}`, 'base64url')
}

/** The end of the chain. An append updates it in the same transaction. */
interface Head {
  readonly hash: string
  readonly chained: number
}

export function readHead(connection: Connection): Head {
  const row = connection.row('SELECT hash, chained FROM audit_head')
  return { hash: text(row?.hash), chained: number(row?.chained) }
}

export function writeHead(connection: Connection, { hash, chained }: Head): void {
  connection.run('UPDATE audit_head SET hash = ?, chained = ?', hash, chained)
}

/** The verdict so far, and where to go on; undefined there: that was all. */
export interface Step {
  readonly seq: number
  readonly before: string
  readonly verdict: AuditVerdict
}

export const start: Step = {
  seq: 0,
  before: '',
  verdict: { chained: 0, unchained: 0, removed: 0, last: '', broken: undefined },
}

/** Follows the chain through one more portion of events, and over the gaps between them. */
export function follow(
  connection: Connection,
  { seq, before, verdict }: Step,
  portion: number,
): Step | undefined {
  const rows = connection.rows('SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?', seq, portion)
  const last = rows.at(-1)
  if (!last) return undefined
  const gaps = gapsBetween(connection, seq, number(last.seq))
  let [hashBefore, { chained, unchained, removed, broken }] = [before, verdict]
  for (const row of rows) {
    const [topic, id, timestamp] = [text(row.topic), text(row.id), text(row.timestamp)]
    const place = number(row.seq)
    for (let gap = gaps[0]; gap && gap.first <= place; gap = gaps[0]) {
      if (place <= gap.last)
        broken ??= { topic, id, timestamp, why: 'it was put in where events had been removed' }
      hashBefore = gap.hash || hashBefore
      removed += gap.events
      gaps.shift()
    }
    if (row.hash === null) {
      unchained++
      if (chained > 0)
        broken ??= { topic, id, timestamp, why: 'it was not written by Syncline: it is no part of the chain' }
      continue
    }
    const expected = chainHash(hashBefore, { topic, id, timestamp, text: text(row.content) })
    if (row.hash !== expected)
      broken ??= { topic, id, timestamp, why: 'it was changed, or events before it were removed or put in' }
    hashBefore = expected
    chained++
  }
  return {
    seq: number(last.seq),
    before: hashBefore,
    verdict: { chained, unchained, removed, last: hashBefore, broken },
  }
}

/** Events that were cut off at the end, and gaps that are not recorded. */
export function withEnd(connection: Connection, verdict: AuditVerdict): AuditVerdict {
  if (verdict.broken) return verdict
  const head = readHead(connection)
  const why =
    unvouchedGaps(connection) ??
    (head.hash === verdict.last
      ? undefined
      : `the last events are missing: ${head.chained} were written, ${verdict.chained + verdict.removed} are there`)
  return why === undefined ? verdict : { ...verdict, broken: { topic: '', id: '', timestamp: '', why } }
}
