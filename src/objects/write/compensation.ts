import { isJsonObject, type Json } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Notified, ObjectChange } from './changes.ts'
import type { Apply } from './managed-write.ts'
import { takenBack } from './taken-back.ts'

/**
 * The shipped `onSync` (engine §8.4): where a change could not be carried on, it is taken back, which carries
 * itself on and so restores the systems that had followed already. Then the client gets the first failure. A
 * failure while taking back is not compensated again.
 */
export async function compensate(
  change: ObjectChange,
  { success, syncDetails }: Notified,
  apply: Apply,
  request: RequestContext,
): Promise<void> {
  if (success || request.chain?.compensating) return
  const chain = { ...request.chain, compensating: true }
  const [outcome] = await apply([takenBack(change)], { ...request, chain }).catch((error) => [
    { ok: false as const, error },
  ])
  throw failureOf(change, syncDetails as readonly Json[], outcome?.ok ? undefined : outcome?.error)
}

function failureOf(change: ObjectChange, results: readonly Json[], unreverted: Error | undefined): Problem {
  const failed = results.find((result) => isJsonObject(result) && result.result === 'FAILED')
  const cause = isJsonObject(failed) && isJsonObject(failed.cause) ? failed.cause : {}
  const left = unreverted
    ? `; and ${change.path}/${change.id} could not be set back: ${asProblem(unreverted).message}`
    : ''
  return new Problem('SYNC_FAILED', `${cause.message ?? 'synchronization failed'}${left}`, {
    detail: results,
  })
}
