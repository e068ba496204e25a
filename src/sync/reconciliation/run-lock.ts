import { Problem } from '../../model/problem.ts'
import type { Lease, Locks } from '../../repository/locks.ts'

/**
 * Keeps two processes on one store (a server and a command line, two cron jobs) from reconciling the same link set at once
 * (engine §7.2, [D]). CONFLICT, naming the run, if a living process holds it.
 */
export async function acquireRunLock(locks: Locks, linkType: string, runId: string): Promise<Lease> {
  const answer = await locks.lease(`reconciling ${linkType}`, `run ${runId}`)
  if (answer.taken) return answer.lease
  const { owner, process } = answer.by
  throw new Problem('CONFLICT', `${linkType} is being worked on already, by ${owner} of ${process}`)
}
