import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import type { LinkUse } from '../../mapping/mapping.ts'
import type { Link, LinkSide, Links } from '../../repository/links.ts'

/** A stored link from one mapping's viewpoint, whichever direction the link set was defined in. */
export interface MappingLink {
  readonly stored: Link
  /** As their systems spell them, as far as the link knows; never to be compared as text. */
  readonly sourceId: string
  readonly targetId: string
}

export type MappingLinks = ReturnType<typeof mappingLinks>

/**
 * A mapping's view of its link set (engine §5.2–§5.4): swaps the sides of a set that is used in reverse, and compares ids in
 * lower case where the defining mapping says so, remembering their spelling. Keys of answers are ids as asked for.
 */
export function mappingLinks(links: Links, use: LinkUse) {
  const sides = sidesFor(use)
  const { view, normalSource, normalTarget } = sides
  return { view, normalSource, normalTarget, ...foundLinks(links, use, sides), ...madeLinks(use, sides) }
}

type Sides = ReturnType<typeof sidesFor>

/** How the ends of a link are read and written from the mapping's viewpoint. */
function sidesFor(use: LinkUse) {
  const [sourceSide, targetSide] = sidesOf(use)
  const normalSource = (id: string) => (use.sourceIgnoresCase ? id.toLowerCase() : id)
  const normalTarget = (id: string) => (use.targetIgnoresCase ? id.toLowerCase() : id)
  return {
    ...{ sourceSide, targetSide, normalSource, normalTarget },
    view: (stored: Link): MappingLink => ({
      stored,
      sourceId: spelledEnd(stored, sourceSide),
      targetId: spelledEnd(stored, targetSide),
    }),
    sourceEnd: (id: string) => end(sourceSide, id, normalSource(id)),
    targetEnd: (id: string) => end(targetSide, id, normalTarget(id)),
  }
}

/** Links that the store has. */
function foundLinks(links: Links, use: LinkUse, sides: Sides) {
  const { sourceSide, targetSide, normalSource, normalTarget, view } = sides
  const find = async (
    qualifier: string,
    side: LinkSide,
    ids: readonly string[],
    normal: (id: string) => string,
  ): Promise<ReadonlyMap<string, MappingLink>> => {
    const found = new Map<string, MappingLink>()
    if (!use.enabled || ids.length === 0) return found
    const stored = await links.find({ linkType: use.type, linkQualifier: qualifier }, side, ids.map(normal))
    for (const id of ids) {
      const link = stored.get(normal(id))
      if (link) found.set(id, view(link))
    }
    return found
  }
  return {
    ofSources: (qualifier: string, ids: readonly string[]) => find(qualifier, sourceSide, ids, normalSource),
    ofTargets: (qualifier: string, ids: readonly string[]) => find(qualifier, targetSide, ids, normalTarget),
    /** Which of these targets have a link under any qualifier. */
    async linkedTargets(ids: readonly string[]): Promise<ReadonlySet<string>> {
      if (!use.enabled || ids.length === 0) return new Set()
      const qualifiers = await links.qualifiersOf(use.type, targetSide, ids.map(normalTarget))
      return new Set(ids.filter((id) => qualifiers.has(normalTarget(id))))
    },
    /**
     * Links that sources of these ids have left behind (see `leftBehind`), the last of each: one query. No source that is there
     * has them.
     */
    async leftBySources(
      qualifier: string,
      ids: readonly string[],
    ): Promise<ReadonlyMap<string, MappingLink>> {
      if (!use.enabled || ids.length === 0) return new Map()
      const left = await leftLinks(links, use, qualifier, ids.map(normalSource))
      return new Map(
        ids.flatMap((id) => {
          const link = left.get(normalSource(id))
          return link ? [[id, view(link)]] : []
        }),
      )
    },
  }
}

/** Links that are to be stored, or removed. */
function madeLinks(use: LinkUse, { sourceEnd, targetEnd }: Sides) {
  return {
    /**
     * The link of a source that is gone, whose target could not be deleted or unlinked: kept for the next attempt under an id that
     * no source has, so that the next object with that id does not inherit it (engine §4.5, [D]).
     */
    leftBehind: (link: MappingLink): Link | undefined => {
      const { sourceId, stored } = link
      const mark = `${gone}${stored._id})`
      return sourceId.endsWith(mark) ? undefined : { ...stored, ...sourceEnd(`${sourceId}${mark}`) }
    },
    /** A new link, not yet stored. */
    draft(linkQualifier: string, sourceId: string, targetId: string) {
      const ends = { ...sourceEnd(sourceId), ...targetEnd(targetId) }
      return { _id: timeOrderedId(), linkType: use.type, linkQualifier, ...ends } as Omit<Link, '_rev'>
    },
    /** Removes them from the store, as they were read. */
    remove: (gone: readonly MappingLink[], store: Links) => store.delete(gone.map(({ stored }) => stored)),
    /** The same link, from another source or another spelling of it. */
    resourced: ({ stored }: MappingLink, sourceId: string, targetId?: string): Link => ({
      ...{ ...stored, ...sourceEnd(sourceId) },
      ...(targetId === undefined ? {} : targetEnd(targetId)),
    }),
    /** The same link leading to another target. */
    retargeted: ({ stored }: MappingLink, targetId: string): Link => ({ ...stored, ...targetEnd(targetId) }),
  }
}

/** Followed by the id of the link. */
const gone = ' (gone; link '

/** By the id that the source had. */
async function leftLinks(
  links: Links,
  use: LinkUse,
  qualifier: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Link>> {
  const [side] = sidesOf(use)
  const compared = (name: string, operator: 'eq' | 'sw', value: string) =>
    ({ kind: 'compare', operator, pointer: [name], value }) as const
  const begins = ids.map((id) => compared(side, 'sw', `${id}${gone}`))
  const set = [compared('linkType', 'eq', use.type), compared('linkQualifier', 'eq', qualifier)]
  const filter = { kind: 'and', filters: [...set, { kind: 'or', filters: begins }] } as const
  const { result } = await links.query({ filter })
  return new Map(result.map((link) => [link[side].slice(0, link[side].lastIndexOf(gone)), link]))
}

/** On which sides of its links a mapping has its sources and its targets. */
export function sidesOf({ reversed }: LinkUse): readonly [source: LinkSide, target: LinkSide] {
  return reversed ? ['secondId', 'firstId'] : ['firstId', 'secondId']
}

/** An end as its system spells it, as far as the link knows. */
export function spelledEnd(link: Link, side: LinkSide): string {
  return link[spellingOf[side]] ?? link[side]
}

const spellingOf = { firstId: 'firstSpelling', secondId: 'secondSpelling' } as const

/** One end of a link: the id as it is compared and, where that is not how its system spells it, the spelling. */
function end(side: LinkSide, id: string, normal: string): Partial<Link> {
  return { [side]: normal, [spellingOf[side]]: normal === id ? undefined : id }
}
