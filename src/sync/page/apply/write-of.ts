import { isJsonObject, type JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { ObjectSet, ObjectWriteRequest } from '../../../router/resources.ts'
import { withoutSecrets } from '../hidden-failure.ts'
import type { Applied } from '../operation.ts'

/** What an operation asks of its target; undefined: nothing. */
export function writeOf(
  operation: Applied,
  { updatesInPart, leavesAlone }: ObjectSet,
): ObjectWriteRequest | undefined {
  const { action, desired, target, targetId, newId } = operation
  if (action === 'DELETE') return target && { operation: 'delete', id: target._id, rev: target._rev }
  if (!desired) return undefined
  if (action === 'CREATE') return { operation: 'create', id: idOf(desired._id) ?? newId, content: desired }
  const whole = updatesInPart ? withClearedAttributes(operation, desired) : desired
  const content = leavesAlone ? withoutUntouched(operation, whole, leavesAlone) : whole
  const id = target?._id ?? targetId
  return id === undefined ? undefined : { operation: 'update', id, rev: target?._rev, content }
}

/** Attributes that a script has deleted from the target, as the set understands it. */
function withClearedAttributes({ changes }: Applied, desired: JsonObject): JsonObject {
  const deleted = changes.filter(({ pointer, after }) => pointer.length === 1 && after === undefined)
  if (deleted.length === 0) return desired
  return { ...desired, ...Object.fromEntries(deleted.map(({ pointer }) => [pointer[0], null])) }
}

/** What others have changed meanwhile stays, where the mapping has no wish of its own. */
function withoutUntouched(
  { changes }: Applied,
  desired: JsonObject,
  leavesAlone: (property: string) => boolean,
): JsonObject {
  const changed = new Set(changes.map(({ pointer: [name] }) => name))
  const kept = Object.entries(desired).filter(([name]) => changed.has(name) || !leavesAlone(name))
  const cleared = changes.flatMap(({ pointer: [name = ''], after }) =>
    after === undefined && leavesAlone(name) && desired[name] === undefined ? [[name, null] as const] : [],
  )
  return Object.fromEntries([...kept, ...cleared])
}

function idOf(id: unknown): string | undefined {
  return id === undefined || id === null ? undefined : String(id)
}

/** The operation whose write the target has refused, or would refuse. */
export function notWritten(operation: Applied, error: Error, consequence: Applied['consequence']): Applied {
  const { action, targetId } = operation
  // It was deleted meanwhile: the wish is fulfilled.
  if (action === 'DELETE' && error instanceof Problem && error.status === 404)
    return { ...operation, consequence, effect: 'deleted' }
  const verb = action === 'CREATE' ? 'create' : action === 'DELETE' ? 'delete' : 'update'
  const what = targetId === undefined ? 'the target' : `target ${targetId}`
  const cause = withoutSecrets(error, operation)
  const why = `${cause.message}${violatedPolicies(cause)}`
  const failure = new Problem('SYNC_FAILED', `could not ${verb} ${what}: ${why}`, { cause })
  return { ...operation, consequence, inDoubt: leavesDoubt(error), refusedByTarget: true, failure }
}

/** ` (mail: VALID_EMAIL_ADDRESS_FORMAT)`: which policies the target refused, so that the message says it all. */
function violatedPolicies(error: Error | undefined): string {
  const detail = error instanceof Problem ? error.detail : undefined
  const failed = isJsonObject(detail) ? detail.failedPolicyRequirements : undefined
  if (!Array.isArray(failed)) return ''
  const requirements = new Map<string, string[]>()
  for (const { property, policyRequirements } of failed.filter(isJsonObject)) {
    const named = Array.isArray(policyRequirements) ? policyRequirements.filter(isJsonObject) : []
    const known = requirements.get(String(property)) ?? []
    requirements.set(String(property), [...known, ...named.map((one) => String(one.policyRequirement))])
  }
  return ` (${[...requirements].map(([property, names]) => `${property}: ${names.join(', ')}`).join('; ')})`
}

/** True for failures that do not say that nothing was written. */
function leavesDoubt(error: Error | undefined): boolean {
  return !(error instanceof Problem) || error.status >= 500
}
