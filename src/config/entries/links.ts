/** The rules of reused link sets (engine §2.3, §5.2). */
import type { DocumentFinding } from '../../model/finding.ts'
import { notAllowed } from '../../model/nearest.ts'
import type { ConfiguredEntry } from '../project.ts'
import { findingIn } from './entry.ts'

export function linkProblems(
  mappings: readonly ConfiguredEntry[],
  broken: ReadonlySet<string>,
): readonly DocumentFinding[] {
  return mappings.flatMap((mapping) => {
    const { links } = mapping.content
    if (typeof links !== 'string' || links === mapping.name || broken.has(`mapping/${links}`)) return []
    const owner = mappings.find(({ name }) => name === links)
    const fault = owner === undefined ? unknownOwner(links, mappings) : unsuitableOwner(mapping, owner)
    if (fault === undefined) return []
    return [findingIn(mapping, ['links'], { ...fault, found: links })]
  })
}

type Fault = Pick<DocumentFinding, 'message' | 'allowed' | 'suggestion'>

function unknownOwner(links: string, mappings: readonly ConfiguredEntry[]): Fault {
  const allowed = mappings.filter(ownsLinks).map(({ name }) => name)
  const fact = `there is no mapping ${JSON.stringify(links)} whose link set could be used`
  return notAllowed(fact, links, allowed, allowed.length === 0 ? 'No mapping defines one' : undefined)
}

function unsuitableOwner(mapping: ConfiguredEntry, owner: ConfiguredEntry): Fault | undefined {
  if (!ownsLinks(owner)) {
    const { links } = owner.content
    return {
      message: `the mapping ${owner.name} itself uses the link set ${JSON.stringify(links)} and cannot be reused; name ${links}`,
      suggestion: String(links),
    }
  }
  const [source, target] = [mapping.content.source, mapping.content.target]
  const [first, second] = [owner.content.source, owner.content.target]
  if ((source === first && target === second) || (source === second && target === first)) return undefined
  return {
    message:
      `the link set of ${owner.name} joins ${first} and ${second}, but this mapping goes from ${source} to ${target}; ` +
      'a reused link set has the same object sets or exactly the reverse',
  }
}

function ownsLinks({ name, content: { links } }: ConfiguredEntry): boolean {
  return links === undefined || links === name
}

/** Valid mappings whose link set is defined by an invalid one. */
export function brokenLinkSets(
  usable: readonly ConfiguredEntry[],
  declared: readonly ConfiguredEntry[],
): readonly DocumentFinding[] {
  return usable.flatMap((mapping) => {
    const { links } = mapping.content
    if (typeof links !== 'string' || usable.some(({ name }) => name === links)) return []
    const file = declared.find(({ name }) => name === links)?.document.file ?? `conf/mapping-${links}.json`
    const message = `the mapping ${links}, which defines this link set, has errors; correct it in ${file} first`
    return [findingIn(mapping, ['links'], { message, found: links })]
  })
}
