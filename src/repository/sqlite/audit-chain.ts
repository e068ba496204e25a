import { hash } from 'node:crypto'
import type { AuditVerdict } from '../repository.ts'
import type { Connection } from './connection.ts'
import type { Row } from './query.ts'

/** What a hash is made of: the hash before, and everything that the event says. */
export interface Chained {
  readonly topic: string
  readonly id: string
  readonly timestamp: string
  /** The event's JSON text, as it is stored. */
  readonly text: string
}

export function chainHash(before: string, { topic, id, timestamp, text }: Chained): string {
  return hash('sha256', `${before}\n${topic}\n${id}\n${timestamp}\n${text}`, 'base64url')
}

/** The end of the chain; whoever appends moves it on in the same transaction. */
export function readHead(connection: Connection): { readonly hash: string; readonly chained: number } {
  const row = connection.statement('SELECT hash, chained FROM audit_head').get() as Row
  return { hash: row.hash as string, chained: row.chained as number }
}

export function writeHead(
  connection: Connection,
  head: { readonly hash: string; readonly chained: number },
): void {
  connection.statement('UPDATE audit_head SET hash = ?, chained = ?').run(head.hash, head.chained)
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
  verdict: { chained: 0, unchained: 0, last: '', broken: undefined },
}

/** Follows the chain through one more portion of events. */
export function follow(
  connection: Connection,
  { seq, before, verdict }: Step,
  portion: number,
): Step | undefined {
  const rows = connection
    .statement(
      'SELECT seq, topic, id, timestamp, content, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?',
    )
    .all(seq, portion)
  if (rows.length === 0) return undefined
  let [hashBefore, { chained, unchained, broken }] = [before, verdict]
  for (const row of rows) {
    const { topic, id, timestamp } = row as unknown as Chained
    if (row.hash === null) {
      unchained++
      if (chained > 0)
        broken ??= { topic, id, timestamp, why: 'it was not written by Syncline: it is no part of the chain' }
      continue
    }
    const expected = chainHash(hashBefore, { topic, id, timestamp, text: row.content as string })
    if (row.hash !== expected)
      broken ??= { topic, id, timestamp, why: 'it was changed, or events before it were removed or put in' }
    hashBefore = row.hash as string
    chained++
  }
  const last = rows.at(-1) as Row
  return {
    seq: last.seq as number,
    before: hashBefore,
    verdict: { chained, unchained, last: hashBefore, broken },
  }
}

/** Events that were cut off at the end. */
export function withEnd(connection: Connection, verdict: AuditVerdict): AuditVerdict {
  const head = readHead(connection)
  if (verdict.broken || head.hash === verdict.last) return verdict
  const why = `the last events are missing: ${head.chained} were written, ${verdict.chained} are there`
  return { ...verdict, broken: { topic: '', id: '', timestamp: '', why } }
}
