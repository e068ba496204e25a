import type { Json, JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { deepestCause, Problem } from '../../model/problem.ts'
import { recordedChanges } from '../../model/recorded-changes.ts'
import { causeOf } from './cause.ts'
import { type Applied, type Decided, dueOf, succeeded } from './operation.ts'

/** What became of an operation, as every record of it says (engine §10). */
export function outcomeOf(operation: Decided | Applied) {
  const { failure, refusal } = operation
  const due = dueOf(operation)
  const waits = due === undefined ? null : `disabled; to be deleted after ${due}`
  const status: 'SUCCESS' | 'FAILURE' = succeeded(operation) ? 'SUCCESS' : 'FAILURE'
  if (!failure) return { status, message: refusal ?? waits, messageDetail: null, exception: null }
  const root = deepestCause(failure)
  const cause = root !== failure && root instanceof Error ? `. Root cause: ${root.message}` : ''
  return {
    status,
    message: `${failure.message}${cause}`,
    messageDetail: detailOf(failure),
    exception: failure.code,
  }
}

/** The first problem below: its own facts where it has some (engine §10). */
function detailOf(failure: Problem): Json {
  const first = failure.cause instanceof Problem ? failure.cause : failure
  return jsonDetail(first) ?? { code: first.status, message: first.message }
}

/** What a problem has as its detail is sent in answers: it is JSON, whatever its type says. */
export function jsonDetail({ detail }: Problem): Json | undefined {
  return detail as Json | undefined
}

/** Beyond the specification: which policy decided, what was written, and the cause of a failure, for the history of the object. */
export function historyOf(
  operation: Applied,
  isSecret: ((pointer: Pointer) => boolean) | undefined,
): JsonObject {
  const { policy, effect, changes, undoes, lost = [] } = operation
  const cause = causeOf(operation)?.id
  const written = effect === 'created' || effect === 'updated'
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(written ? { changes: recordedChanges(changes, isSecret) } : {}),
    ...(lost.length > 0 ? { changes: recordedChanges(lost, isSecret) } : {}),
    ...(undoes === undefined ? {} : { undoes }),
    ...(cause === undefined ? {} : { cause }),
  }
}
