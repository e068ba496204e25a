import type { Mapping } from '../../mapping/mapping.ts'
import type { Action, Situation } from '../../mapping/situation.ts'
import type { Change } from '../../model/diff.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { Problem } from '../../model/problem.ts'
import { maskChanges } from '../../model/secrecy.ts'
import { type PlanEntry, writesSomething } from '../../plan/entry.ts'
import type { Candidate } from '../../plan/facts.ts'
import type { Resource } from '../../router/resources.ts'
import type { MappingLink } from './links.ts'

/**
 * One object's way through a run, under one link qualifier: read → joined → assessed → decided → shaped → applied →
 * recorded. Each step fills in its fields from top to bottom and passes over operations that failed before it.
 */
export interface Operation {
  readonly phase: 'source' | 'target'
  readonly linkQualifier: string
  /** Of link clean-up, not of either phase: no plan keeps it, and no policy decides about it. */
  readonly cleanUp?: boolean

  // read
  readonly sourceId: string | undefined
  source: Resource | undefined
  /** As it was before the change that is carried on; known to implicit synchronization only. */
  oldSource?: JsonObject | undefined
  /** Others have worked on it since the run queried its sets: what the run knows of it is not to be relied on. */
  overtaken?: boolean

  // joined
  qualifies: boolean
  /** Which rule said no. */
  disqualifiedBy?: string | undefined
  link: MappingLink | undefined
  /** What was asked of the target; undefined if correlation was not needed or not possible. */
  correlation?: Filter | undefined
  candidates: readonly Candidate[]
  targetId: string | undefined
  target: Resource | undefined

  // assessed and decided
  situation?: Situation
  action?: Action
  policy?: number | undefined
  refusal?: string | undefined

  // shaped
  linkedTarget?: JsonObject | undefined
  desired?: JsonObject | undefined
  changes: readonly Change[]
  /** Why a plan could not evaluate `onCreate` or `onUpdate`; the run may change more than is foreseen. */
  unforeseen?: string | undefined
  /** It was the shaping that failed. An UPDATE links first (engine §4.3): its link is made all the same. */
  shapingFailed?: boolean

  // applied
  /** Under which id the target will stand, fixed before it is created. */
  newId?: string | undefined
  /** What was written down before the target is written. */
  intent?: string | undefined
  /** Left out, because it is not what its plan says any more; `done` if nothing is left to do for it. */
  stale?: { readonly why: string; readonly done: boolean } | undefined
  /** The target did not say whether it has written. */
  inDoubt?: boolean
  /** The first thing that went wrong; later steps are not taken. */
  failure?: Problem | undefined
  /** The target as it was before the write changed it; undefined if nothing was there, or nothing was changed. */
  oldTarget?: Resource | undefined
  /** What follows from the write, handed over by the target set: to be done when link and target agree. */
  consequence?: (() => Promise<void>) | undefined
  effect: 'none' | 'created' | 'updated' | 'unchanged' | 'deleted'
  linkCreated: boolean
}

export function sourceOperation(
  sourceId: string,
  source: Resource | undefined,
  linkQualifier: string,
): Operation {
  return { ...untouched, phase: 'source', linkQualifier, sourceId, source, targetId: undefined }
}

export function targetOperation(targetId: string, linkQualifier: string): Operation {
  return { ...untouched, phase: 'target', linkQualifier, sourceId: undefined, source: undefined, targetId }
}

const untouched = {
  qualifies: true,
  link: undefined,
  candidates: [],
  target: undefined,
  changes: [],
  effect: 'none',
  linkCreated: false,
} as const

/** True while nothing stands in the way of the next step. */
export function goesOn(operation: Operation): boolean {
  return operation.failure === undefined && operation.refusal === undefined
}

/** An EXCEPTION that was chosen is reported, not failed (engine §4.3, §12.6). */
export function succeeded({ failure, refusal, action, stale }: Operation): boolean {
  if (stale) return stale.done
  return failure === undefined && (refusal === undefined || action === 'EXCEPTION')
}

export function sourceIdOf(operation: Operation): string | undefined {
  return operation.sourceId ?? operation.link?.sourceId
}

/** True for an update whose shaping failed after the step that links it (engine §4.3, §4.5). */
export function linksAnyway(operation: Operation, { links }: Mapping): boolean {
  const { action, link, linkCreated, shapingFailed } = operation
  return shapingFailed === true && action === 'UPDATE' && links.enabled && (!link || linkCreated)
}

/** The ids of an ambiguous correlation; empty when there was one match or none. */
export function ambiguousIds({ candidates }: Operation): readonly string[] {
  return candidates.length > 1 ? candidates.map(({ id }) => id) : []
}

/** `isSecret` names attributes whose values are not for those who read plans. */
export function planEntry(
  mapping: Mapping,
  operation: Operation,
  isSecret?: (pointer: Pointer) => boolean,
): PlanEntry {
  const { name, links } = mapping
  const { action = null, changes, link, linkCreated } = operation
  const targetId = operation.targetId ?? null
  const refusal = operation.failure?.message ?? operation.refusal
  const linked = link !== undefined && !linkCreated
  return {
    mapping: name,
    phase: operation.phase,
    linkQualifier: operation.linkQualifier,
    sourceId: sourceIdOf(operation) ?? null,
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
  }
}
