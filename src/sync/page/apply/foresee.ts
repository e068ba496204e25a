import { type Applied, goesOn, linksAnyway } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'

/** In a dry run later objects meet what earlier ones would have written, as far as correlation can tell. */
export function foresee(
  { correlator, runId, rules: { mapping } }: Synchronization,
  operation: Applied,
): void {
  const { action, desired, target, targetId, link, linkQualifier } = operation
  if (linksAnyway(operation, mapping) && targetId !== undefined)
    correlator.planned(linkQualifier, targetId, true)
  if (!goesOn(operation)) return
  if (action === 'CREATE' && desired) {
    const id = `(new target of ${operation.sourceId} in ${runId})`
    correlator.wrote(id, undefined, desired)
    correlator.planned(linkQualifier, id, true)
  } else if (action === 'UPDATE' || action === 'LINK') {
    if (targetId !== undefined) correlator.planned(linkQualifier, targetId, true)
    if (desired && target) correlator.wrote(target._id, target, desired)
  } else if (action === 'DELETE' || action === 'UNLINK') {
    if (link && targetId !== undefined) correlator.planned(linkQualifier, targetId, false)
    if (action === 'DELETE' && target) correlator.wrote(target._id, target, undefined)
  }
}
