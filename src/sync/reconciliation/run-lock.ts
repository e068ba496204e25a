import { Problem } from '../../model/problem.ts'
import type { Lease, Locks } from '../../repository/locks.ts'

/**
 * Keeps processes on one store from reconciling one link set at once (engine §7.2, [D]). CONFLICT, naming the run that does.
 */
export async function acquireRunLock(locks: Locks, linkType: string, runId: string): Promise<Lease> {
  const answer = await locks.lease(`reconciling ${linkType}`, `run ${runId}`)
  if (answer.taken) return answer.lease
  const { owner, process } = answer.by
  throw new Problem('CONFLICT', `${linkType} is being worked on already, by ${owner} of ${process}`)
}
