import type { Action, Situation } from '../mapping/situation.ts'
import type { Change } from '../model/diff.ts'

/**
 * One decided operation of a run: its situation, the reason, and the action. Plain data, so that it can be shown, stored,
 * compared and reviewed. Applying it does nothing that is not in it.
 */
export interface PlanEntry {
  readonly mapping: string
  readonly phase: 'source' | 'target'
  readonly linkQualifier: string
  /** Local ids; null where there is none. */
  readonly sourceId: string | null
  readonly targetId: string | null
  /** Null if a rule failed before the situation was known. */
  readonly situation: Situation | null
  readonly action: Action | null
  /** Index into the mapping's policies; undefined when the situation's default action applies. */
  readonly policy: number | undefined
  readonly ambiguousTargetIds: readonly string[]
  /** Attribute changes of the target; empty when nothing differs or the action writes no attributes. */
  readonly changes: readonly Change[]
  /** True if performing the entry changes a target or a link; hooks not counted. */
  readonly writes: boolean
  /** Why the action cannot be performed; undefined when it can. */
  readonly refusal: string | undefined
  /** Why a plan could not run a hook that shapes the target; undefined if `changes` are complete. */
  readonly unforeseen: string | undefined
  /** The target is not deleted before this time (ISO 8601), but disabled. */
  readonly deleteAfter?: string
}

/** The facts that determine `writes`. */
export interface WriteFacts extends Pick<PlanEntry, 'action' | 'changes' | 'targetId' | 'refusal'> {
  readonly linkingEnabled: boolean
  /** Before the entry was performed. */
  readonly linked: boolean
}

export function writesSomething(facts: WriteFacts): boolean {
  const { action, changes, targetId, refusal, linked, linkingEnabled } = facts
  if (refusal !== undefined) return false
  switch (action) {
    case 'CREATE':
      return true
    case 'UPDATE':
      return changes.length > 0 || (linkingEnabled && !linked)
    case 'LINK':
      return linkingEnabled && !linked
    case 'DELETE':
      return targetId !== null || linked
    case 'UNLINK':
      return linked
    default:
      return false
  }
}
