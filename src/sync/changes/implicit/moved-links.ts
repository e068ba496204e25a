import type { Link } from '../../../repository/repository.ts'
import type { MappingLink } from '../../page/links.ts'
import type { Synchronization } from '../../page/synchronization.ts'

/**
 * A source that was given another id keeps its target (engine §9, [D]): where there is no link of the new
 * id and one of the id before, that link is moved.
 */
export async function moveLinks(
  { links, repository }: Synchronization,
  qualifiers: readonly string[],
  previousId: string,
  id: string,
): Promise<void> {
  for (const qualifier of qualifiers) {
    const found = await links.ofSources(qualifier, [previousId, id])
    const link = found.get(previousId)
    if (!link || found.has(id)) continue
    await repository.links.update([moved(links.draft(qualifier, id, link.targetId), link)])
  }
}

/** The ends of the one, the identity of the other. */
function moved(ends: Omit<Link, '_rev'>, { stored }: MappingLink): Link {
  return { ...ends, _id: stored._id, _rev: stored._rev }
}
