import { Problem } from '../../../model/problem.ts'
import { type Operation, sourceIdOf } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'

/**
 * Carries on what was written to the targets: a managed object has mappings of its own, and an `onSync` that may take the
 * change back (engine §8.1, §8.3). Only now, with the link stored: a mapping back to the source would not
 * know the object otherwise, and make it a second time (engine §4.4). A change that was taken back takes its link along.
 */
export async function carryOutConsequences(
  sync: Synchronization,
  operations: readonly Operation[],
): Promise<void> {
  for (const operation of operations) {
    const { consequence } = operation
    operation.consequence = undefined
    if (!consequence) continue
    try {
      await consequence()
    } catch (cause) {
      const message = `the change of the target could not be carried on: ${(cause as Error).message}`
      sync.log('error', `${sync.rules.mapping.name}: ${operation.targetId}: ${message}`)
      operation.failure ??= new Problem('SYNC_FAILED', message, { cause })
      await followTarget(sync, operation)
    }
  }
}

/** The link as the target is now: gone with a new target that is gone, back with a deleted one that is back. */
async function followTarget(sync: Synchronization, operation: Operation): Promise<void> {
  const { targets, links, repository, rules } = sync
  const { effect, link, targetId, linkQualifier } = operation
  if (!rules.mapping.links.enabled || targetId === undefined || !link) return
  const exists = (await targets.readMany([targetId])).has(targetId)
  if (effect === 'created' && !exists) {
    await links.remove([link], repository.links)
    operation.linkCreated = false
  } else if (effect === 'deleted' && exists) {
    await repository.links.insert([links.draft(linkQualifier, sourceIdOf(operation) as string, targetId)])
  }
}
