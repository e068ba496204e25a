import { equal } from '../model/equality.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { PlanEntry } from './entry.ts'
import type { FlowsOn, Rehearsed, Writes } from './flows-on.ts'
import type { Counts } from './guard.ts'

/** Fingerprints of what was read; null: there was nothing. */
export interface Read {
  readonly source: string | null
  readonly target: string | null
  readonly link: string | null
}

/** An entry as stored in a plan: with the reason for its situation, and fingerprints to check that it is still valid. */
export interface PlanLine extends PlanEntry {
  readonly reason: string
  readonly read: Read
  /** What people call the object. */
  readonly name?: string
  /** The record of the operation that it undoes. */
  readonly undoes?: string
  /** Of a deletion: the attributes that go with the target. Secrets are masked. */
  readonly lost?: JsonObject
}

/** Ids of objects that a plan foresees and that do not exist yet. */
export const foreseenId = '(new target of '

/**
 * Why a line of a plan is stale, compared with the same operation now; undefined if it is still valid. An entry without
 * changes is valid as long as its situation and action are the same.
 */
export function stalenessOf(planned: PlanLine, now: PlanLine | undefined): string | undefined {
  if (!now) return 'the object is gone'
  if (planned.writes || now.writes) {
    if (planned.read.source !== now.read.source) return 'the source has changed'
    if (planned.read.link !== now.read.link) return 'the link has changed'
    if (planned.read.target !== now.read.target) return 'the target has changed'
  }
  if (planned.situation !== now.situation || planned.action !== now.action)
    return `it is ${now.situation ?? 'undecided'} now, ${now.action ?? 'nothing'} would be done`
  if (!planned.writes && !now.writes) return undefined
  if (!sameTarget(planned.targetId, now.targetId)) return `its target is ${now.targetId} now`
  if (now.refusal !== planned.refusal) return now.refusal ?? 'it would not fail any more'
  // Through JSON, because the plan was stored as JSON: both omit the same members.
  return equal(plain(planned.changes), plain(now.changes)) ? undefined : 'it would change something else now'
}

/** True if the result of the line already exists: there is nothing left to do. */
export function isDone(planned: PlanLine, now: PlanLine | undefined): boolean {
  if (!planned.writes) return false
  if (!now) return planned.action === 'DELETE'
  if (planned.action === 'LINK') return now.read.link !== null && now.targetId === planned.targetId
  return !now.writes && (now.refusal === planned.refusal || planned.action === 'UNLINK')
}

function sameTarget(planned: string | null, now: string | null): boolean {
  return planned === now || (planned?.startsWith(foreseenId) ?? false)
}

function plain(changes: PlanLine['changes']): Json {
  return JSON.parse(JSON.stringify(changes)) as Json
}

/** The first line of a plan. */
export interface PlanHeader {
  /** Version of this format. */
  readonly plan: 1
  readonly mapping: string
  /** The run that made it. */
  readonly runId: string
  /** Digest of the mapping with its scripts and the link set that it uses. */
  readonly configuration: string
  /** ISO 8601. */
  readonly created: string
  readonly createdBy: string
  /** The request of the run; the same applies when the plan is applied. */
  readonly request: { readonly sourceId?: string; readonly overrides: JsonObject }
  readonly targetPhase: boolean
  /** The run that it undoes. */
  readonly undoes?: string
  /** The filters of the plan; empty: it is the whole run. */
  readonly filters: PlanFilters
  readonly entries: number
  /** Situation → action → how many. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly writes: Writes
  /** Where what is written in a managed set flows on to; absent: nowhere. */
  readonly flowsOn?: readonly FlowsOn[]
  /** Scripts that run when it is performed, and whose doings are not in it; absent: there are none. */
  readonly notForeseen?: readonly string[]
  /** Lines of the mappings behind, after those of the plan; absent: it was not performed in a rehearsal. */
  readonly behind?: number
  readonly rehearsed?: Rehearsed
  /** The mappings that must be performed first: it was made on what a rehearsal of them left. */
  readonly after?: readonly string[]
  /** What else the guard counts: what disables, unlinks, or changes an attribute that has a limit. */
  readonly counted?: Readonly<Counts>
  /** The result of the guard. */
  readonly guard: { readonly passes: boolean; readonly exceeded: readonly string[] }
  /** SHA-256 of the text of the lines below. */
  readonly checksum: string
}

/** Which entries of a plan to select. */
export interface PlanFilters {
  readonly actions?: readonly string[]
  /** Source or target ids. */
  readonly ids?: readonly string[]
  readonly limit?: number
}

/** Selects entries one after the other; `limit` counts the selected ones. */
export function planFilter({ actions, ids, limit }: PlanFilters): (entry: PlanEntry) => boolean {
  let left = limit ?? Number.POSITIVE_INFINITY
  return ({ action, sourceId, targetId }) => {
    if (left <= 0) return false
    if (actions && (action === null || !actions.includes(action))) return false
    if (ids && !ids.some((id) => id === sourceId || id === targetId)) return false
    left--
    return true
  }
}
