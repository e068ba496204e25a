/** The rules of reused link sets (engine §2.3, §5.2). */
import type { DocumentFinding } from '../../model/finding.ts'
import { nearest } from '../nearest.ts'
import type { ConfiguredMapping } from '../project.ts'
import { findingIn } from './entry.ts'

export function linkProblems(
  mappings: readonly ConfiguredMapping[],
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

function unknownOwner(links: string, mappings: readonly ConfiguredMapping[]): Fault {
  const allowed = mappings.filter(ownsLinks).map(({ name }) => name)
  const suggestion = nearest(links, allowed)
  const meant = suggestion === undefined ? '.' : `; did you mean ${suggestion}?`
  const choices = allowed.length === 0 ? 'No mapping defines one' : `Allowed: ${allowed.join(', ')}`
  return {
    message: `there is no mapping ${JSON.stringify(links)} whose link set could be used${meant} ${choices}`,
    allowed,
    suggestion,
  }
}

function unsuitableOwner(mapping: ConfiguredMapping, owner: ConfiguredMapping): Fault | undefined {
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

function ownsLinks({ name, content: { links } }: ConfiguredMapping): boolean {
  return links === undefined || links === name
}

/** Valid mappings whose link set is defined by an invalid one. */
export function brokenLinkSets(
  usable: readonly ConfiguredMapping[],
  declared: readonly ConfiguredMapping[],
): readonly DocumentFinding[] {
  return usable.flatMap((mapping) => {
    const { links } = mapping.content
    if (typeof links !== 'string' || usable.some(({ name }) => name === links)) return []
    const file = declared.find(({ name }) => name === links)?.document.file ?? `conf/mapping-${links}.json`
    const message = `the mapping ${links}, which defines this link set, has errors; correct it in ${file} first`
    return [findingIn(mapping, ['links'], { message, found: links })]
  })
}
