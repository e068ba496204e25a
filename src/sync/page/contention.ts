import { isJsonObject, type Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { type Applied, succeeded } from './operation.ts'

/**
 * True for an operation that did nothing because another object has what it wants: a unique value, an id, the target. Another
 * operation of the same run may give that up, whatever their order: such an operation is tried once more at the end.
 */
export function lostToAnother(operation: Applied): boolean {
  const { effect, failure, refusal, situation, holder, stale } = operation
  if (effect !== 'none' || stale !== undefined) return false
  if (failure) return isTaken(failure.cause)
  if (refusal === undefined) return false
  if (situation === 'AMBIGUOUS') return operation.action === 'EXCEPTION'
  return situation === 'FOUND_ALREADY_LINKED' && holder !== undefined && !holder.isGone
}

/** The source that keeps the target of an operation, although it is gone: what it left must not be deleted with it. */
export function abandonedBy(operation: Applied): string | undefined {
  const { holder, action } = operation
  if (!holder?.isGone || (succeeded(operation) && action !== 'EXCEPTION')) return undefined
  return holder.sourceId
}

function isTaken(cause: unknown): boolean {
  if (!(cause instanceof Problem)) return false
  if (cause.code === 'PRECONDITION_FAILED') return true
  return uniqueViolations(cause).length > 0
}

/** The properties whose values other objects have; none where more than that was refused. */
export function uniqueViolations(cause: unknown): readonly string[] {
  const detail = cause instanceof Problem && cause.code === 'POLICY_FAILED' ? cause.detail : undefined
  const failed = isJsonObject(detail) ? detail.failedPolicyRequirements : undefined
  if (!Array.isArray(failed)) return []
  const isUnique = (one: Json) =>
    isJsonObject(one) &&
    Array.isArray(one.policyRequirements) &&
    one.policyRequirements.every((each) => isJsonObject(each) && each.policyRequirement === 'UNIQUE')
  return failed.every(isUnique)
    ? failed.flatMap((one) => (isJsonObject(one) ? String(one.property) : []))
    : []
}
