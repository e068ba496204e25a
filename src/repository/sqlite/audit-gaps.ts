import { createHash } from 'node:crypto'
import { type Removable, removals } from '../audit.ts'
import { number, optionalNumber, text } from './column.ts'
import type { Connection, Row } from './connection.ts'
import { documentOf } from './document.ts'

/**
 * Events that Syncline itself removed leave gaps: numbers without an event, and the hash at the end of the gap, from which
 * the chain continues. The last event of the topic `retention` contains a digest of all gaps, and is itself part of the
 * chain. So an event that was removed by other means cannot be disguised as a gap.
 */
export interface Gap {
  readonly first: number
  readonly last: number
  /** Empty where nothing before it was in the chain. */
  readonly hash: string
  readonly events: number
}

/** The oldest events that `what` describes, in their order, each as the gap that it leaves. */
export function removable(connection: Connection, what: Removable, limit: number): readonly Gap[] {
  const { topic, before, keep, runs, upTo } = what
  const bound = Math.min(upTo ?? Number.MAX_SAFE_INTEGER, keep === undefined ? Infinity : newest(keep))
  const sql = `SELECT seq AS first, seq AS last, coalesce(hash, '') AS hash, 1 AS events, timestamp FROM audit
    WHERE topic = ?1 AND seq <= ?2 AND (?3 IS NULL OR recon_id IN (SELECT value FROM json_each(?3)))
    ORDER BY seq LIMIT ?4`
  const rows = connection.rows(sql, topic, bound, runs ? JSON.stringify(runs) : null, limit)
  const end = before === undefined ? -1 : rows.findIndex(({ timestamp }) => text(timestamp) >= before)
  return (end < 0 ? rows : rows.slice(0, end)).map(gapOf)

  /** The number of the newest event that need not be kept. */
  function newest(kept: number): number {
    const sql = 'SELECT seq FROM audit WHERE topic = ? ORDER BY seq DESC LIMIT 1 OFFSET ?'
    return optionalNumber(connection.row(sql, topic, kept)?.seq) ?? 0
  }
}

/** Stores the gaps, joined with those beside them; what is to be recorded about it. */
export function openGaps(
  connection: Connection,
  rows: readonly Gap[],
): { readonly removed: number; readonly gaps: number; readonly digest: string } {
  const before = allGaps(connection)
  const after = joined([...before, ...rows].toSorted((a, b) => a.first - b.first))
  for (const { first } of new Set(before).difference(new Set(after)))
    connection.run('DELETE FROM audit_gaps WHERE first = ?', first)
  const insert = 'INSERT INTO audit_gaps (first, last, hash, events) VALUES (?, ?, ?, ?)'
  for (const { first, last, hash, events } of new Set(after).difference(new Set(before)))
    connection.run(insert, first, last, hash, events)
  return { removed: rows.length, gaps: after.length, digest: digestOf(after) }
}

/** Neighbours become one; the others stay the objects that they are. */
function joined(gaps: readonly Gap[]): readonly Gap[] {
  const result: Gap[] = []
  for (const gap of gaps) {
    const previous = result.at(-1)
    if (previous?.last !== gap.first - 1) {
      result.push(gap)
      continue
    }
    const { first, hash, events } = previous
    result.splice(-1, 1, { first, last: gap.last, hash: gap.hash || hash, events: events + gap.events })
  }
  return result
}

/** The gaps that end after one number and do not begin after another, in order. */
export function gapsBetween(connection: Connection, after: number, upTo: number): Gap[] {
  return connection
    .rows('SELECT * FROM audit_gaps WHERE last > ? AND first <= ? ORDER BY first', after, upTo)
    .map(gapOf)
}

function gapOf({ first, last, hash, events }: Row): Gap {
  return { first: number(first), last: number(last), hash: text(hash), events: number(events) }
}

/** Why the gaps are not those that were recorded; undefined if they are. */
export function unvouchedGaps(connection: Connection): string | undefined {
  const last = connection.row('SELECT content FROM audit WHERE topic = ? ORDER BY seq DESC LIMIT 1', removals)
  const gaps = allGaps(connection)
  if (!last) return gaps.length === 0 ? undefined : 'events were removed, and no event records it'
  return documentOf(last.content).digest === digestOf(gaps)
    ? undefined
    : 'other events were removed than are recorded as removed'
}

function allGaps(connection: Connection): readonly Gap[] {
  return gapsBetween(connection, 0, Number.MAX_SAFE_INTEGER)
}

function digestOf(gaps: readonly Gap[]): string {
  const digest = createHash('sha256')
  for (const { first, last, hash, events } of gaps) digest.update(`${first} ${last} ${hash} ${events}\n`)
  return digest.digest('base64url')
}
