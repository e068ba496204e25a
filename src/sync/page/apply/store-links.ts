import { asProblem, Problem } from '../../../model/problem.ts'
import type { Store } from '../../../repository/repository.ts'
import { type MappingLink, mappingLinks } from '../links.ts'
import type { Applied } from '../operation.ts'
import { onThose } from '../places.ts'
import type { Synchronization } from '../synchronization.ts'

/** UPDATE and LINK: link first, then write (engine §4.3, UPDATE 3). */
export async function storeLinksBefore(
  sync: Synchronization,
  page: readonly Applied[],
  store: Store,
): Promise<readonly Applied[]> {
  return insertLinks(sync, page, store)
}

/**
 * CREATE: a new link, or, where the source had one to a target that is gone, the same link leading to the new target.
 * UPDATE: the link follows a target that the write renamed (engine §4.3, [D]). DELETE and UNLINK: the link goes.
 */
export async function storeLinksAfter(
  sync: Synchronization,
  page: readonly Applied[],
  store: Store,
): Promise<readonly Applied[]> {
  const { links, rules } = sync
  if (!rules.mapping.links.enabled) return page
  const isNew = ({ action, link }: Applied) => action === 'CREATE' && !link
  const linked = await onThose(page, isNew, (some) => insertLinks(sync, some, store))
  const retargeted = (operation: Applied) => retargetedLink(sync, operation)
  const led = await onThose(
    linked,
    (operation) => retargeted(operation) !== undefined,
    (some) =>
      oneByOneOnFailure(some, async (together) => {
        await store.links.update(together.flatMap((operation) => retargeted(operation) ?? []))
        return together
      }),
  )
  const isLeaving = ({ action, link }: Applied) =>
    (action === 'DELETE' || action === 'UNLINK') && link !== undefined
  return onThose(led, isLeaving, (some) =>
    oneByOneOnFailure(some, async (together) => {
      await links.remove(
        together.flatMap(({ link }) => link ?? []),
        store.links,
      )
      return together
    }),
  )
}

/** The link as it has to be stored; undefined if it leads to the target already. */
function retargetedLink({ links }: Synchronization, { action, link, targetId }: Applied) {
  if (!(action === 'CREATE' || action === 'UPDATE') || !link || targetId === undefined) return undefined
  const isSame = links.normalTarget(targetId) === links.normalTarget(link.targetId)
  return isSame ? undefined : links.retargeted(link, targetId)
}

async function insertLinks(
  sync: Synchronization,
  page: readonly Applied[],
  store: Store,
): Promise<readonly Applied[]> {
  return oneByOneOnFailure(page, async (some) => {
    try {
      const stored = await store.links.insert(some.map((operation) => draftOf(sync, operation)))
      return some.map((operation, place) => {
        const link = stored[place]
        return link ? { ...operation, link: sync.links.view(link), linkCreated: true } : operation
      })
    } catch (error) {
      const [only, ...others] = some
      const link = only && others.length === 0 ? await sameLink(sync, only, store) : undefined
      if (!only || !link) throw error
      return [{ ...only, link }]
    }
  })
}

/** Somebody else has linked the very same pair meanwhile: the wish is fulfilled (engine §4.5). */
async function sameLink(
  { links, rules }: Synchronization,
  operation: Applied,
  store: Store,
): Promise<MappingLink | undefined> {
  const { sourceId, targetId } = ends(operation)
  const stored = mappingLinks(store.links, rules.mapping.links)
  const link = (await stored.ofSources(operation.linkQualifier, [sourceId])).get(sourceId)
  const isSame = link && links.normalTarget(link.targetId) === links.normalTarget(targetId)
  return isSame ? link : undefined
}

function draftOf({ links }: Synchronization, operation: Applied) {
  const { sourceId, targetId } = ends(operation)
  return links.draft(operation.linkQualifier, sourceId, targetId)
}

/** What is linked has both: an action without one of them is refused before. */
function ends({ sourceId, targetId }: Applied): { readonly sourceId: string; readonly targetId: string } {
  if (sourceId !== undefined && targetId !== undefined) return { sourceId, targetId }
  throw new Problem('INTERNAL', `a link of ${sourceId} to ${targetId} has no end`)
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

function isConflict(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'PRECONDITION_FAILED' || error.code === 'NOT_FOUND')
}
