import { isJsonObject, type Json } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Notified, ObjectChange } from './changes.ts'
import type { Apply, WriteContext } from './entry.ts'
import { restoring, standingOf, writtenByOthers } from './take-back.ts'
import { hasFailed, whatStays } from './what-stays.ts'

export interface Compensation extends WriteContext {
  readonly repository: Repository
  readonly apply: Apply
}

/**
 * The shipped `onSync` (engine §8.4): a change that could not be synchronized is undone. Undoing is synchronized, too, through
 * every mapping, so it restores the systems that already had the change, and what mappings back have written. Then the client
 * gets the first failure, and what could not be set back. A failure while undoing is not compensated again. `request` has
 * remembered its writes since the change.
 */
export async function compensate(
  context: Compensation,
  change: ObjectChange,
  { success, syncDetails }: Notified,
  request: RequestContext,
): Promise<void> {
  const { compensating } = request.chain ?? {}
  if (compensating) return compensating(syncDetails)
  if (success) return
  const left = await setBack(context, change, syncDetails, request)
  const failed = syncDetails.find(hasFailed)
  const cause = isJsonObject(failed) && isJsonObject(failed.cause) ? failed.cause : {}
  const message = [cause.message ?? 'synchronization failed', ...left].join('; and ')
  throw new Problem('SYNC_FAILED', message, { detail: syncDetails.map(withoutValues) })
}

/** Answers what stays. */
async function setBack(
  { apply, repository }: Compensation,
  change: ObjectChange,
  forward: readonly Json[],
  request: RequestContext,
): Promise<readonly string[]> {
  const path = `${change.path}/${joinPath(change.id)}`
  const standing = await standingOf(repository, change, request)
  if (standing.kind === 'written by others') return [`${path} could not be set back: ${writtenByOthers}`]
  const write = restoring(change, standing.current)
  if (!write) return []
  const back: Json[] = []
  const chain = { ...request.chain, compensating: (results: readonly Json[]) => void back.push(...results) }
  try {
    const [outcome] = await apply([write], { ...request, chain })
    if (outcome && !outcome.ok) throw outcome.error
  } catch (error) {
    return [`${path} could not be set back: ${asProblem(error).message}`]
  }
  return whatStays(change, back, forward)
}

/** Scripts need the target's former value to set it back. A client may not be allowed to see it. */
function withoutValues(result: Json): Json {
  if (!isJsonObject(result)) return result
  const { oldTargetValue: _, ...shown } = result
  return shown
}
