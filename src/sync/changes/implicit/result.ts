import { auditEvent } from '../../../audit/events.ts'
import type { Mapping } from '../../../mapping/mapping.ts'
import { copy } from '../../../model/equality.ts'
import { isJsonObject, type JsonObject } from '../../../model/json.ts'
import type { Problem } from '../../../model/problem.ts'
import type { RequestContext } from '../../../router/resources.ts'
import { issueRecorder } from '../../issues/issue.ts'
import type { Recorder } from '../../page/apply/apply.ts'
import { abandonedBy, lostToAnother } from '../../page/contention.ts'
import { type Applied, ambiguousIds, succeeded } from '../../page/operation.ts'
import { historyOf, jsonDetail, outcomeOf } from '../../page/outcome.ts'
import type { Synchronization } from '../../page/synchronization.ts'

/** What a change came to under one mapping and qualifier (engine §8.2). */
export function syncResult(
  mapping: Mapping,
  sourceId: string,
  operation: Applied,
  oldTargetValue: JsonObject | null,
): JsonObject {
  const { linkQualifier, situation, action, targetId } = operation
  const waits = operation.stale !== undefined
  const failed = !waits && (!succeeded(operation) || action === 'EXCEPTION')
  const ambiguous = ambiguousIds(operation)
  const result: JsonObject = {
    ...resultOf(mapping, sourceId, linkQualifier, waits ? 'POSTPONED' : failed ? 'FAILED' : 'SUCCESSFUL'),
    situation: situation ?? null,
    action: action ?? null,
    targetId: targetId ?? null,
    ambiguousTargetIds: ambiguous.length > 0 ? [...ambiguous] : null,
    oldTargetValue: action === 'IGNORE' || !oldTargetValue ? null : copy(oldTargetValue),
    ...(failed || waits ? { cause: causeOf(operation) } : {}),
  }
  if (failed) reasons.set(result, { lost: lostToAnother(operation), keeps: abandonedBy(operation) })
  return result
}

/** Why an operation failed, for those who synchronize several changes; its result is for clients. */
export interface FailureReason {
  /** Another object has what it wants: it may succeed when the others are done. */
  readonly lost: boolean
  /** The source that is gone and whose target correlation found. */
  readonly keeps: string | undefined
}

const reasons = new WeakMap<JsonObject, FailureReason>()

/** Undefined for results that did not fail, or of which nothing more is known. */
export function reasonOf(result: JsonObject): FailureReason | undefined {
  return reasons.get(result)
}

/** A mapping or qualifier that was not come to, because one before it failed (engine §8.2, [D]). */
export function skippedResult(mapping: Mapping, sourceId: string, linkQualifier: string | null): JsonObject {
  return resultOf(mapping, sourceId, linkQualifier, 'SKIPPED')
}

/** A mapping that failed before there was an operation: its qualifiers, or its own configuration. */
export function failedResult(mapping: Mapping, sourceId: string, problem: Problem): JsonObject {
  const detail = jsonDetail(problem) ?? null
  const cause = { code: 409, reason: 'Conflict', message: problem.message, detail }
  return { ...resultOf(mapping, sourceId, null, 'FAILED'), cause }
}

function resultOf(
  { name, target }: Mapping,
  sourceId: string,
  linkQualifier: string | null,
  result: 'SUCCESSFUL' | 'FAILED' | 'SKIPPED' | 'POSTPONED',
): JsonObject {
  return {
    ...{ mapping: name, targetObjectSet: target, linkQualifier, reconId: null, sourceId, result },
    ...{ situation: null, action: null, targetId: null, ambiguousTargetIds: null, oldTargetValue: null },
  }
}

/** Why the guard holds a change back; undefined if it does not. */
export function heldBackBy(results: readonly JsonObject[]): string | undefined {
  const cause = results.find(({ result }) => result === 'POSTPONED')?.cause
  return isJsonObject(cause) ? String(cause.message) : undefined
}

/** Always a 409, whatever the root error. */
function causeOf(operation: Applied): JsonObject {
  const { message, messageDetail } = outcomeOf(operation)
  return { code: 409, reason: 'Conflict', message: message ?? '', detail: messageDetail }
}

/** A person chose the action, whatever the policies say. */
function byHand({ reason }: { readonly reason?: string | undefined }): JsonObject {
  return { trigger: 'performAction', ...(reason !== undefined && { reason }) }
}

/**
 * `audit/sync` (engine §10): an entry for every action, NOREPORT too. The source id is qualified, the target id is local. `by`: the
 * action is one that a person chose.
 */
export function syncRecorder(
  sync: Synchronization,
  requestOf: (sourceId: string) => RequestContext,
  by: { readonly reason?: string | undefined } | undefined = undefined,
): Recorder {
  const { targets } = sync
  const { mapping } = sync.rules
  const noteIssues = issueRecorder(sync, '', { byHand: by !== undefined })
  return {
    async record(page, store) {
      await noteIssues(page, store)
      const timestamp = new Date().toISOString()
      const events = page.map((operation) => {
        const { linkQualifier, situation, action, targetId, sourceId } = operation
        const { userId, transactionId } = requestOf(sourceId ?? '')
        return auditEvent.sync({
          ...{ timestamp, userId, transactionId, mapping: mapping.name, linkQualifier, situation, action },
          sourceObjectId: sourceId === undefined ? null : `${mapping.source}/${sourceId}`,
          targetObjectId: targetId ?? null,
          objectId: targetId === undefined ? null : `${mapping.target}/${targetId}`,
          ...{ ambiguousIds: ambiguousIds(operation), outcome: outcomeOf(operation) },
          history: { ...historyOf(operation, targets.isSecret), ...(by && byHand(by)) },
        })
      })
      await store.audit.append(events)
    },
  }
}
