import type { Mapping } from '../mapping/mapping.ts'
import type { Pointer } from '../model/pointer.ts'
import type { PlanEntry } from './entry.ts'

/** A mapping whose source is the target of a plan: what the plan writes flows on to it. */
export interface FlowsOn {
  readonly mapping: string
  readonly target: string
  /** How many of the writes it is told of. */
  readonly changes: number
  /** True: through its queue, and so later. */
  readonly queued?: boolean
  /** What the mapping would do with them, as the rehearsal showed; absent: it was not asked. */
  readonly decided?: DecidedFlow
}

export interface DecidedFlow {
  /** Situation → action → how many. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly writes: Writes
  /** How many would fail. */
  readonly failed: number
  /** How many its guard would hold back, until a person releases them. */
  readonly heldBack?: number
  /** Why, the most frequent first; not all where there are many. */
  readonly failures: readonly FlowFailure[]
}

/** How many entries write what. */
export interface Writes {
  readonly creates: number
  readonly updates: number
  readonly deletes: number
  readonly others: number
}

/** Failures of one cause. */
export interface FlowFailure {
  readonly count: number
  readonly message: string
  /** The id of one of them. */
  readonly example: string | null
}

/** What performing a plan showed that the plan does not say. */
export interface Rehearsed {
  /** Entries that failed although nothing stands against them in the plan. */
  readonly unexpected: readonly FlowFailure[]
  /** Entries that did not hold any more when they were performed: something has changed since the plan was made. */
  readonly stale: number
  /** What scripts wanted outside, and was not done: paths, and how often. */
  readonly notDone: Readonly<Record<string, number>>
  /** Why the rehearsal ended before its end. */
  readonly broken?: string
}

/** The mappings that are told at once, or through a queue, of what this mapping writes. */
export function mappingsBehind(
  { target }: Pick<Mapping, 'target'>,
  all: readonly Mapping[],
): readonly Mapping[] {
  return target.startsWith('managed/')
    ? all.filter(({ source, changes }) => source === target && changes.enabled)
    : []
}

/** True if performing the entry writes something that this mapping is told of (`triggerSyncProperties`). */
export function isToldOf(
  { changes: { properties } }: Pick<Mapping, 'changes'>,
  { writes, refusal, action, changes, deleteAfter }: PlanEntry,
): boolean {
  if (!writes || refusal !== undefined) return false
  if (action === 'CREATE' || (action === 'DELETE' && deleteAfter === undefined)) return true
  return changes.some(({ pointer }) => !properties || properties.some((one) => touches(one, pointer)))
}

/** One is the other, or is in it. */
function touches(a: Pointer, b: Pointer): boolean {
  return a.every((name, level) => level >= b.length || name === b[level])
}
