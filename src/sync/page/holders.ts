import { Problem } from '../../model/problem.ts'
import type { Entry } from '../../router/resources.ts'
import type { Found } from './correlate.ts'
import type { MappingLink } from './links.ts'
import type { Joined, ReadSource } from './operation.ts'
import { askThose } from './places.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * What the candidates of a page are linked to already, and whether those sources are still there: a source that is gone leaves
 * its link to the one that correlation finds for its target (engine §4.3, [D]). One read, and none without such candidates.
 */
export async function holdersOf(
  { sources, signal }: Pick<Synchronization, 'sources' | 'signal'>,
  found: readonly (Found | undefined)[],
): Promise<readonly Joined['holder'][]> {
  const present = await askThose(
    found,
    (one) => one?.held?.link && one.held.sourceId,
    async (ids) => {
      const read = await sources.readMany([...new Set(ids)], signal)
      return ids.map((id) => read.has(id))
    },
  )
  return found.map((one, place) => one?.held && { ...one.held, isGone: present[place] === false })
}

/**
 * Sources whose id is another one's to the links, because these ignore case (engine §5.4, [D]): the link belongs to the one
 * that it is spelled as, as long as that is there. One read, and none without such a link.
 */
export async function collisionsOf(
  sync: Synchronization,
  page: readonly ReadSource[],
  links: readonly (MappingLink | undefined)[],
): Promise<readonly (Problem | undefined)[]> {
  const { mapping } = sync.rules
  if (!mapping.links.sourceIgnoresCase) return []
  const spelled = page.map(({ sourceId, source, linkQualifier }, place) => {
    const other = links[place]?.sourceId ?? sync.foreseen.linkedAs(linkQualifier, sourceId)
    // A change that is told late may have the spelling of before.
    return source && other !== undefined && other !== source._id ? other : undefined
  })
  const others = await askThose(
    spelled,
    (other) => other,
    async (ids) => {
      const read = await sync.sources.readMany([...new Set(ids)], sync.signal)
      return ids.map((id) => isExact(id, read.get(id)))
    },
  )
  return page.map(({ sourceId }, place) => {
    const other = spelled[place]
    if (other === undefined || !others[place]) return undefined
    const fact = `${mapping.source} has "${other}" and "${sourceId}", which are one id to the links of ${mapping.links.type}`
    const message = `${fact}, for these ignore case: "${other}" has the link, and "${sourceId}" is left alone`
    return new Problem('SYNC_FAILED', message, { hint: 'Change one of the two ids at the source.' })
  })
}

/** Read by ids whose case does not matter, what is found may be the same object in another spelling. */
function isExact(id: string, object: Entry | undefined): boolean {
  return object?._id === id
}
