import type { Mapping } from '../../mapping/mapping.ts'
import type { Action, Situation } from '../../mapping/situation.ts'
import type { Change } from '../../model/diff.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { maskChanges } from '../../model/secrecy.ts'
import { parted } from '../../model/unreadable.ts'
import { type PlanEntry, writesSomething } from '../../plan/entry.ts'
import type { Candidate, Holder } from '../../plan/facts.ts'
import type { Entry, Resource } from '../../router/resources.ts'
import type { MappingLink } from './links.ts'

/**
 * One object's way through a mapping under one link qualifier, as values:
 *
 *     Read → Joined → Decided → Applied
 *
 * A step takes operations of one stage and answers those of the next; none changes what it was given. So a page can be decided
 * again, applied again in another transaction, or handed on.
 */
export type Operation = ReadSource | ReadTarget | Joined | Decided | Applied

export interface ReadSource {
  readonly stage: 'read'
  readonly phase: 'source'
  readonly linkQualifier: string
  readonly sourceId: string
  /** Undefined: it is gone, or unreadable. */
  readonly source: Resource | undefined
  /** Why the object cannot be read. */
  readonly unreadable?: Problem
  /** As it was before the change that is synchronized; known to implicit synchronization only. */
  readonly oldSource?: JsonObject | undefined
  /** Others have worked on it since the run queried its sets: what the run knows of it is not to be relied on. */
  readonly overtaken?: boolean
}

export interface ReadTarget {
  readonly stage: 'read'
  readonly phase: 'target'
  readonly linkQualifier: string
  readonly targetId: string
}

/** A source operation has a source, a target operation a target; the other end is known if something leads there. */
type Ends =
  | { readonly phase: 'source'; readonly sourceId: string; readonly targetId: string | undefined }
  | { readonly phase: 'target'; readonly sourceId: string | undefined; readonly targetId: string }

interface JoinedFacts extends Pick<ReadSource, 'linkQualifier' | 'oldSource'> {
  readonly source: Resource | undefined
  readonly link: MappingLink | undefined
  /** What was asked of the target; undefined if correlation was not needed or not possible. */
  readonly correlation: Filter | undefined
  readonly candidates: readonly Candidate[]
  /** What the only candidate is linked to already; with the stored link, which may be carried over if that source is gone. */
  readonly holder?: (Holder & { readonly link: MappingLink | undefined }) | undefined
  readonly target: Resource | undefined
  readonly qualifies: boolean
  /** Which rule said no. */
  readonly disqualifiedBy: string | undefined
  /** The first thing that went wrong; later steps are not taken. */
  readonly failure: Problem | undefined
}
export type Joined = Ends & JoinedFacts & { readonly stage: 'joined' }

interface DecidedFacts extends JoinedFacts {
  /** Undefined, as is the action, if a rule failed before. */
  readonly situation: Situation | undefined
  readonly action: Action | undefined
  readonly policy: number | undefined
  readonly refusal: string | undefined
  /** What is to be written; undefined: nothing. */
  readonly desired: JsonObject | undefined
  readonly changes: readonly Change[]
  /** Why a plan could not evaluate `onCreate` or `onUpdate`; the run may change more than is foreseen. */
  readonly unforeseen: string | undefined
  /** It was the shaping that failed. An UPDATE links first (engine §4.3): its link is made all the same. */
  readonly shapingFailed: boolean
  /** Left out, because it is not what its plan says any more; `done` if nothing is left to do for it. */
  readonly stale?: { readonly why: string; readonly done: boolean }
  /** The targets that have what it wants: a unique value, an id. */
  readonly heldBy?: readonly string[] | undefined
  /** Where a target is not deleted at once (grace.ts); absent: it has nothing to do with that. */
  readonly grace?: GraceStep
  /** The record of the operation that it undoes. */
  readonly undoes?: string | undefined
  /** Of link clean-up, not of either phase: no plan keeps it, and no policy decides about it. */
  readonly cleanUp?: boolean
}
export type GraceStep =
  /** The target is disabled, and is deleted at that time (ISO 8601). `before`: what it had, by pointer. */
  | { readonly kind: 'begins'; readonly link: string; readonly due: string; readonly before: JsonObject }
  | { readonly kind: 'waits'; readonly due: string }
  /** It is deleted, or its source is back. */
  | { readonly kind: 'ends'; readonly link: string }

/** When the target is to be deleted; undefined: it does not wait for that. */
export function dueOf({ grace }: Pick<DecidedFacts, 'grace'>): string | undefined {
  return grace === undefined || grace.kind === 'ends' ? undefined : grace.due
}

export type Decided = Ends & DecidedFacts & { readonly stage: 'decided' }

/** Written, as far as nothing failed, and what stands in the records. */
export type Applied = Ends & AppliedFacts & { readonly stage: 'applied' }

interface AppliedFacts extends DecidedFacts {
  readonly effect: 'none' | 'created' | 'updated' | 'unchanged' | 'deleted'
  readonly linkCreated: boolean
  /** The target as it was before the write changed it; undefined if nothing was there, or nothing was changed. */
  readonly oldTarget: Resource | undefined
  /** The target after an `onLink` that precedes the update. */
  readonly linkedTarget?: JsonObject | undefined
  /** Under which id the target will stand, fixed before it is created. */
  readonly newId?: string | undefined
  /** What was written down before the target is written. */
  readonly intent?: string | undefined
  /** Of a deletion: the attributes that went with the target. */
  readonly lost?: readonly Change[]
  /** It was not written, although it was tried, or would have been. */
  readonly refusedByTarget?: boolean
  /** The target did not say whether it has written. */
  readonly inDoubt?: boolean
  /** What follows from the write, handed over by the target set: to be done when link and target agree. */
  readonly consequence?: (() => Promise<void>) | undefined
}

export function readSource(
  sourceId: string,
  found: Entry | undefined,
  linkQualifier: string,
  oldSource?: JsonObject,
): ReadSource {
  const { object: source, problem } = parted(found)
  const read = { stage: 'read', phase: 'source', linkQualifier, sourceId, source } as const
  if (problem) return { ...read, unreadable: problem }
  return oldSource === undefined ? read : { ...read, oldSource }
}

export function readTarget(targetId: string, linkQualifier: string): ReadTarget {
  return { stage: 'read', phase: 'target', linkQualifier, targetId }
}

/** A joined operation before its decision. */
export const nothingDecided = {
  situation: undefined,
  action: undefined,
  policy: undefined,
  refusal: undefined,
  desired: undefined,
  changes: [],
  unforeseen: undefined,
  shapingFailed: false,
} as const

/** A decided operation before anything is done. */
export const nothingApplied = { effect: 'none', linkCreated: false, oldTarget: undefined } as const

/** True while nothing stands in the way of the next step. */
export function goesOn({ failure, refusal }: Pick<DecidedFacts, 'failure' | 'refusal'>): boolean {
  return failure === undefined && refusal === undefined
}

/** An EXCEPTION that was chosen is reported, not failed (engine §4.3, §12.6). */
export function succeeded({ failure, refusal, action, stale }: DecidedFacts): boolean {
  if (stale) return stale.done
  return failure === undefined && (refusal === undefined || action === 'EXCEPTION')
}

/** True for a write that failed because the object was changed between its reading and its writing. */
export function wasOvertaken(failure: Problem | undefined): boolean {
  return failure?.cause instanceof Problem && failure.cause.code === 'PRECONDITION_FAILED'
}

/** True for an update that fails after the step that links it: in its shaping, or at the target (engine §4.3, §4.5). */
export function linksAnyway(operation: Decided | Applied, { links }: Mapping): boolean {
  const { action, shapingFailed } = operation
  const fails = shapingFailed || (operation.stage === 'applied' && operation.refusedByTarget === true)
  return fails && action === 'UPDATE' && links.enabled && !wasLinked(operation)
}

/** True if there was a link before the operation was applied. */
export function wasLinked(operation: Decided | Applied): boolean {
  return operation.link !== undefined && (operation.stage === 'decided' || !operation.linkCreated)
}

/** The ids of an ambiguous correlation; empty when there was one match or none. */
export function ambiguousIds({ candidates }: Pick<JoinedFacts, 'candidates'>): readonly string[] {
  return candidates.length > 1 ? candidates.map(({ id }) => id) : []
}

/** `isSecret` names attributes whose values are not for those who read plans. */
export function planEntry(
  mapping: Mapping,
  operation: Decided | Applied,
  isSecret?: (pointer: Pointer) => boolean,
): PlanEntry {
  const { name, links } = mapping
  const { action = null, changes } = operation
  const targetId = operation.targetId ?? null
  const refusal = operation.failure?.message ?? operation.refusal
  const linked = wasLinked(operation)
  const deleteAfter = dueOf(operation)
  return {
    mapping: name,
    phase: operation.phase,
    linkQualifier: operation.linkQualifier,
    sourceId: operation.sourceId ?? null,
    targetId,
    situation: operation.situation ?? null,
    action,
    policy: operation.policy,
    ambiguousTargetIds: ambiguousIds(operation),
    changes: maskChanges(changes, isSecret),
    writes:
      linksAnyway(operation, mapping) ||
      writesSomething({ action, changes, targetId, refusal, linked, linkingEnabled: links.enabled }),
    refusal,
    unforeseen: operation.unforeseen,
    ...(deleteAfter === undefined ? {} : { deleteAfter }),
  }
}
