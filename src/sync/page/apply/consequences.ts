import { asProblem, Problem } from '../../../model/problem.ts'
import type { Applied } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'

/**
 * Does what follows from the writes: a managed object has mappings of its own, and an `onSync` that may take the change back
 * (engine §8.1, §8.3), its link included. Only when the link is stored: a mapping back to the source would not know the object
 * otherwise, and create it a second time (engine §4.4).
 */
export async function carryOutConsequences(
  sync: Synchronization,
  page: readonly Applied[],
): Promise<readonly Applied[]> {
  if (page.every(({ consequence }) => consequence === undefined)) return page
  const done: Applied[] = []
  for (const operation of page) done.push(await carryOut(sync, operation))
  return done
}

async function carryOut(sync: Synchronization, operation: Applied): Promise<Applied> {
  const { consequence } = operation
  if (!consequence) return operation
  const rest = { ...operation, consequence: undefined }
  try {
    await consequence()
    return rest
  } catch (cause) {
    const message = `the change of the target could not be carried on: ${asProblem(cause).message}`
    sync.log('error', `${sync.rules.mapping.name}: ${operation.targetId}: ${message}`)
    const failure = operation.failure ?? new Problem('SYNC_FAILED', message, { cause })
    return followTarget(sync, { ...rest, failure })
  }
}

/** The link as the target is now: gone with a new target that is gone, back with a deleted one that is back. */
async function followTarget(sync: Synchronization, operation: Applied): Promise<Applied> {
  const { targets, links, repository, rules } = sync
  const { effect, link, sourceId, targetId, linkQualifier } = operation
  if (!rules.mapping.links.enabled || targetId === undefined || !link) return operation
  const exists = (await targets.readMany([targetId])).has(targetId)
  if (effect === 'created' && !exists) {
    await links.remove([link], repository.links)
    return { ...operation, linkCreated: false }
  }
  if (effect === 'deleted' && exists && sourceId !== undefined)
    await repository.links.insert([links.draft(linkQualifier, sourceId, targetId)])
  return operation
}
