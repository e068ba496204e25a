import { foreseenId } from '../../../plan/plan-line.ts'
import { type Applied, goesOn, linksAnyway } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'
import { rememberValues } from './judged.ts'

/**
 * In a dry run later objects meet what earlier ones would have written, as far as correlation can tell. What a page gives up goes
 * first: one target may have the id of another then.
 */
export function foresee(sync: Synchronization, page: readonly Applied[]): void {
  for (const operation of page) leave(sync, operation)
  for (const operation of page) come(sync, operation)
}

/** What is not there any more. */
function leave(sync: Synchronization, operation: Applied): void {
  const { correlator, foreseen, targets } = sync
  const { action, target, targetId, link, linkQualifier } = operation
  if (!goesOn(operation)) return
  if (newIdOf(sync, operation) !== undefined && target) {
    foreseen.remove(target._id)
    if (link) foreseen.unlink(linkQualifier, link.sourceId, target._id)
  } else if (action === 'DELETE' || action === 'UNLINK') {
    if (link && targetId !== undefined) foreseen.unlink(linkQualifier, link.sourceId, targetId)
    if (action !== 'DELETE' || !target) return
    correlator.wrote(target._id, target, undefined)
    rememberValues(targets, foreseen, target._id, undefined)
    foreseen.remove(target._id)
  }
}

/** What is there then. */
function come(sync: Synchronization, operation: Applied): void {
  const { correlator, foreseen, targets, runId, rules } = sync
  const { action, desired, target, targetId, linkQualifier, sourceId } = operation
  const links = (id: string | undefined) => {
    if (rules.mapping.links.enabled && sourceId !== undefined && id !== undefined)
      foreseen.link(linkQualifier, sourceId, id)
  }
  if (linksAnyway(operation, rules.mapping)) links(targetId)
  if (!goesOn(operation)) return
  if (action === 'CREATE' && desired) {
    const known = targets.idOf({ operation: 'create', content: desired }, '')
    if (known) foreseen.put(known)
    const id = known || `${foreseenId}${sourceId} in ${runId})`
    correlator.wrote(id, undefined, desired)
    rememberValues(targets, foreseen, id, desired)
    links(id)
  } else if (action === 'UPDATE' || action === 'LINK') {
    const id = newIdOf(sync, operation)
    links(id ?? targetId)
    if (id !== undefined) foreseen.put(id)
    if (!desired || !target) return
    correlator.wrote(target._id, target, desired)
    rememberValues(targets, foreseen, target._id, desired)
  }
}

/** The other id that an update gives its target; undefined: it keeps its own. */
function newIdOf({ targets }: Synchronization, { action, desired, target }: Applied): string | undefined {
  if (!(action === 'UPDATE' || action === 'LINK') || !desired || !target) return undefined
  const id = targets.idOf({ operation: 'update', content: desired }, target._id)
  return id === target._id ? undefined : id
}
