import { asProblem } from '../../../model/problem.ts'
import type { QueuedEvent } from '../../../repository/sync-queue.ts'
import type { Rules } from '../../page/rules.ts'
import type { SyncServices } from '../../services.ts'
import { failureOf, type NotifyOutcome } from '../notify.ts'
import { inState, requestIn } from './queued-change.ts'

interface Hopeless {
  readonly event: QueuedEvent
  /** Of the lease under which it is claimed. */
  readonly epoch: number
  readonly rules: Rules
  readonly results: NotifyOutcome['results']
}

/**
 * What becomes of a change that has failed too often, as the mapping's `postRetryAction` says (engine §8.5):
 * dropped, kept as a dead letter, or handed to a script. A script that fails leaves a dead letter: nothing is lost.
 */
export async function giveUp(
  { event, epoch, rules, results }: Hopeless,
  { repository, log }: Pick<SyncServices, 'repository' | 'log'>,
): Promise<void> {
  const action = rules.mapping.changes.queue?.postRetryAction
  const keep = async () => {
    await repository.syncQueue.putBack([inState(event, { state: 'DEAD' })], epoch)
  }
  if (action?.kind === 'dead-letter-queue') return keep()
  if (action?.kind !== 'script') {
    await repository.syncQueue.finish([event.id], epoch)
    return
  }
  const failureCause = failureOf({ results }) ?? null
  const variables = { syncFailure: event.content, failureCause }
  const [outcome] = await rules.ask('postAction', [{ script: action.script, variables }], {
    request: requestIn(event),
  })
  if (outcome?.ok) {
    await repository.syncQueue.finish([event.id], epoch)
    return
  }
  log('error', `${event.mapping}: the postRetryAction script failed: ${asProblem(outcome?.error).message}`)
  return keep()
}
