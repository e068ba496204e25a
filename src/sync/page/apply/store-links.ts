import { Problem } from '../../../model/problem.ts'
import type { Link, Store } from '../../../repository/repository.ts'
import { type MappingLink, mappingLinks } from '../links.ts'
import { type Operation, sourceIdOf } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'

/** UPDATE and LINK: link first, then write (engine §4.3, UPDATE 3). */
export async function storeLinksBefore(
  sync: Synchronization,
  operations: readonly Operation[],
  store: Store,
): Promise<void> {
  await insertLinks(sync, operations, store)
}

/**
 * CREATE: a new link, or, where the source had one to a target that is gone, the same link leading to the new target.
 * UPDATE: the link follows a target that the write renamed (engine §4.3, [D]). DELETE and UNLINK: the link goes.
 */
export async function storeLinksAfter(
  sync: Synchronization,
  operations: readonly Operation[],
  store: Store,
): Promise<void> {
  if (!sync.rules.mapping.links.enabled) return
  const creating = operations.filter(({ action }) => action === 'CREATE')
  await insertLinks(
    sync,
    creating.filter(({ link }) => !link),
    store,
  )
  const renamed = operations.filter(
    (operation) => operation.action === 'UPDATE' && leadsElsewhere(sync, operation),
  )
  await retarget(
    sync,
    [...creating.filter((operation) => leadsElsewhere(sync, operation)), ...renamed],
    store,
  )
  const leaving = operations.filter(
    ({ action, link }) => (action === 'DELETE' || action === 'UNLINK') && link,
  )
  await oneByOneOnFailure(leaving, (some) =>
    sync.links.remove(
      some.map(({ link }) => link as MappingLink),
      store.links,
    ),
  )
}

function leadsElsewhere({ links }: Synchronization, { link, targetId }: Operation): boolean {
  return (
    link !== undefined &&
    targetId !== undefined &&
    links.normalTarget(targetId) !== links.normalTarget(link.targetId)
  )
}

async function insertLinks(
  sync: Synchronization,
  operations: readonly Operation[],
  store: Store,
): Promise<void> {
  await oneByOneOnFailure(operations, async (some) => {
    const [first, ...others] = some
    try {
      const stored = await store.links.insert(some.map((operation) => draftOf(sync, operation)))
      some.forEach((operation, position) => {
        operation.link = sync.links.view(stored[position] as Link)
        operation.linkCreated = true
      })
    } catch (error) {
      if (!first || others.length > 0 || !(await isLinkedAlready(sync, first, store))) throw error
    }
  })
}

/** Somebody else has linked the very same pair meanwhile: the wish is fulfilled (engine §4.5). */
async function isLinkedAlready(
  { links, rules }: Synchronization,
  operation: Operation,
  store: Store,
): Promise<boolean> {
  const sourceId = sourceIdOf(operation) as string
  const found = await mappingLinks(store.links, rules.mapping.links).ofSources(operation.linkQualifier, [
    sourceId,
  ])
  const link = found.get(sourceId)
  if (!link || links.normalTarget(link.targetId) !== links.normalTarget(operation.targetId as string))
    return false
  operation.link = link
  return true
}

function draftOf({ links }: Synchronization, operation: Operation): Omit<Link, '_rev'> {
  return links.draft(operation.linkQualifier, sourceIdOf(operation) as string, operation.targetId as string)
}

async function retarget(
  { links }: Synchronization,
  operations: readonly Operation[],
  store: Store,
): Promise<void> {
  await oneByOneOnFailure(operations, async (some) => {
    await store.links.update(
      some.map(({ link, targetId }) =>
        links.retargeted(link as NonNullable<typeof link>, targetId as string),
      ),
    )
  })
}

/** A page of links is kept or refused as a whole; if one is in the way, the others must not suffer. */
async function oneByOneOnFailure(
  operations: readonly Operation[],
  write: (operations: readonly Operation[]) => Promise<void>,
): Promise<void> {
  if (operations.length === 0) return
  try {
    await write(operations)
  } catch (error) {
    if (!isConflict(error)) throw error
    for (const operation of operations) await writeOrFail(operation, write)
  }
}

async function writeOrFail(
  operation: Operation,
  write: (operations: readonly Operation[]) => Promise<void>,
): Promise<void> {
  try {
    await write([operation])
  } catch (cause) {
    if (!isConflict(cause)) throw cause
    const { targetId, effect } = operation
    // The target's id goes into the record: the object is there without a link (engine §4.5, [D]).
    const stays = effect === 'created' ? `; target ${targetId} was created and stays without a link` : ''
    operation.failure = new Problem(
      'SYNC_FAILED',
      `the link could not be stored: ${(cause as Error).message}${stays}`,
      { cause },
    )
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'PRECONDITION_FAILED' || error.code === 'NOT_FOUND')
}
