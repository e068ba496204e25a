import type { Action, Situation } from '../mapping/situation.ts'
import type { Change } from '../model/diff.ts'

/**
 * One operation of a run as decided: what is, why, and what will be done about it. Plain data, so that it can be
 * shown, stored, compared and reviewed; applying it does nothing that it does not say.
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
  /** Why the action cannot be performed; undefined when it can. */
  readonly refusal: string | undefined
}

/** True for an entry that would change a target or a link. */
export function changesSomething(
  entry: PlanEntry,
  link: { readonly exists: boolean; readonly enabled: boolean },
): boolean {
  if (entry.refusal !== undefined) return false
  switch (entry.action) {
    case 'CREATE':
      return true
    case 'UPDATE':
    case 'LINK':
      return entry.changes.length > 0 || (link.enabled && !link.exists)
    case 'DELETE':
      return entry.targetId !== null || link.exists
    case 'UNLINK':
      return link.exists
    default:
      return false
  }
}
