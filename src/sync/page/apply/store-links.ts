import { asProblem, Problem } from '../../../model/problem.ts'
import { keepPending } from '../grace.ts'
import { type MappingLink, mappingLinks } from '../links.ts'
import type { Applied } from '../operation.ts'
import { onThose } from '../places.ts'
import type { Applying } from '../synchronization.ts'

/**
 * CREATE: a new link, or, where the source had one to a target that is gone, the same link leading to the new target.
 * UPDATE: the link follows a target that the write renamed (engine §4.3, [D]). DELETE and UNLINK: the link goes.
 */
export async function storeLinksAfter(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  const { links, rules, store } = sync
  if (!rules.mapping.links.enabled) return page
  // A target that is made again without its source, which is gone, has no link.
  const isNew = ({ action, link, sourceId }: Applied) =>
    action === 'CREATE' && !link && sourceId !== undefined
  // First those that lead somewhere else now: a new target may have the id that another one has given up.
  const led = await changeLinks(
    page,
    (operation) => retargetedLink(sync, operation),
    (some) => store.links.update(some),
  )
  const linked = await onThose(led, isNew, (some) => insertLinks(sync, some))
  const left = await changeLinks(linked, leavingLink, (some) => links.remove(some, store.links))
  if (rules.mapping.grace) await keepPending(sync, left)
  return left
}

/** Stores what becomes of the links of those operations that change theirs. */
function changeLinks<T>(
  page: readonly Applied[],
  changeOf: (operation: Applied) => T | undefined,
  change: (links: readonly T[]) => Promise<unknown>,
): Promise<readonly Applied[]> {
  return onThose(
    page,
    (operation) => changeOf(operation) !== undefined,
    (some) =>
      oneByOneOnFailure(some, async (together) => {
        await change(together.map(changeOf).filter((link) => link !== undefined))
        return together
      }),
  )
}

function leavingLink({ action, link }: Applied) {
  return action === 'DELETE' || action === 'UNLINK' ? link : undefined
}

/** The link as it has to be stored; undefined if it leads to the target already, and from the source as that is spelled now. */
function retargetedLink({ links }: Applying, { action, link, source, targetId }: Applied) {
  if (!(action === 'CREATE' || action === 'UPDATE') || !link || targetId === undefined) return undefined
  const isSame = links.normalTarget(targetId) === links.normalTarget(link.targetId)
  if (source && link.sourceId !== source._id) return links.resourced(link, source._id, targetId)
  return isSame ? undefined : links.retargeted(link, targetId)
}

/** The link of an operation: a new one, or one that is carried over, because the source that had it is gone (engine §4.3, [D]). */
export async function linkTargets(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  const inserted = await onThose(
    page,
    (operation) => heldLink(operation) === undefined,
    (some) => insertLinks(sync, some),
  )
  return onThose(
    inserted,
    (operation) => heldLink(operation) !== undefined,
    (some) => carryOver(sync, some),
  )
}

function heldLink({ holder }: Applied): MappingLink | undefined {
  return holder?.isGone ? holder.link : undefined
}

function carryOver({ links, store }: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  return oneByOneOnFailure(page, async (some) => {
    const moved = some.flatMap((operation) => {
      const link = heldLink(operation)
      return link ? [links.resourced(link, ends(operation).sourceId)] : []
    })
    const stored = await store.links.update(moved)
    return some.map((operation, place) => {
      const link = stored[place]
      return link ? { ...operation, link: links.view(link), linkCreated: true } : operation
    })
  })
}

async function insertLinks(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  const { links, store } = sync
  return oneByOneOnFailure(page, async (some) => {
    try {
      const drafts = some.map((operation) => {
        const { sourceId, targetId } = ends(operation)
        return links.draft(operation.linkQualifier, sourceId, targetId)
      })
      const stored = await store.links.insert(drafts)
      return some.map((operation, place) => {
        const link = stored[place]
        return link ? { ...operation, link: links.view(link), linkCreated: true } : operation
      })
    } catch (error) {
      const [only, ...others] = some
      const link = only && others.length === 0 ? await sameLink(sync, only) : undefined
      if (!only || !link) throw error
      return [{ ...only, link }]
    }
  })
}

/** The very same pair was linked meanwhile: the wish is fulfilled (engine §4.5). */
async function sameLink({ links, rules, store }: Applying, operation: Applied) {
  const { sourceId, targetId } = ends(operation)
  const stored = mappingLinks(store.links, rules.mapping.links)
  const link = (await stored.ofSources(operation.linkQualifier, [sourceId])).get(sourceId)
  return link && links.normalTarget(link.targetId) === links.normalTarget(targetId) ? link : undefined
}

/** What is linked has both: an action without one of them is refused before. */
function ends({ sourceId, targetId }: Pick<Applied, 'sourceId' | 'targetId'>) {
  if (sourceId !== undefined && targetId !== undefined) return { sourceId, targetId }
  throw new Problem('INTERNAL', `a link of ${sourceId} to ${targetId} has no end`)
}

/** Links whose target stays although it should have gone with its source: no later object with that id may inherit them. */
export async function leaveBehind({ links, store }: Applying, page: readonly Applied[]): Promise<void> {
  const left = page.flatMap((operation) => {
    const { failure, source } = operation
    const link = failure && !source ? leavingLink(operation) : undefined
    return (link && links.leftBehind(link)) ?? []
  })
  for (const link of left)
    await store.links.update([link]).catch((error) => {
      // Others have changed or removed it.
      if (!isConflict(error)) throw error
    })
}

type Write = (page: readonly Applied[]) => Promise<readonly Applied[]>

/** A page of links is kept or refused as a whole; if one is in the way, the others must not suffer. */
async function oneByOneOnFailure(page: readonly Applied[], write: Write): Promise<readonly Applied[]> {
  if (page.length === 0) return page
  try {
    return await write(page)
  } catch (error) {
    if (!isConflict(error)) throw error
    const written: Applied[] = []
    for (const operation of page) written.push(...(await writeOrFail(operation, write)))
    return written
  }
}

async function writeOrFail(operation: Applied, write: Write): Promise<readonly Applied[]> {
  try {
    return await write([operation])
  } catch (cause) {
    if (!isConflict(cause)) throw cause
    const { targetId, effect } = operation
    // The target's id goes into the record: the object is there without a link (engine §4.5, [D]).
    const stays = effect === 'created' ? `; target ${targetId} was created and stays without a link` : ''
    const message = `the link could not be stored: ${asProblem(cause).message}${stays}`
    return [{ ...operation, failure: new Problem('SYNC_FAILED', message, { cause }) }]
  }
}

/** Links that were changed or removed meanwhile. */
export function isConflict(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'PRECONDITION_FAILED' || error.code === 'NOT_FOUND')
}
