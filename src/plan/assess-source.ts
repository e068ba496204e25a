import type { SourceSituation } from '../mapping/situation.ts'
import type { SourceFacts } from './facts.ts'

/**
 * Which situation is a source object in? (engine §3.2, "Source exists")
 *
 * Pure: every fact has been read beforehand, so nothing here reads, logs or throws. What to do about a situation is
 * chosen in decide.ts.
 */
export function assessSource({ qualifies, link, targetExists, candidates }: SourceFacts): SourceSituation {
  const [match, ...others] = candidates
  if (!qualifies) return link || match ? 'UNQUALIFIED' : 'SOURCE_IGNORED'
  if (link) return targetExists ? 'CONFIRMED' : 'MISSING'
  if (!match) return 'ABSENT'
  if (others.length > 0) return 'AMBIGUOUS'
  return match.linked ? 'FOUND_ALREADY_LINKED' : 'FOUND'
}

/** The target that an operation is about: the linked one, else the only candidate (engine §3.1, §3.2). */
export function boundTarget({
  link,
  candidates,
}: Pick<SourceFacts, 'link' | 'candidates'>): string | undefined {
  if (link) return link.targetId
  return candidates.length === 1 ? candidates[0]?.id : undefined
}
