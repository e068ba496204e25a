import type { DeletedSituation } from '../mapping/situation.ts'
import type { DeletedFacts } from './facts.ts'

/** Which situation is a deleted source object in? (engine §3.3) Pure, like assess-source.ts. */
export function assessDeleted(facts: DeletedFacts): DeletedSituation {
  const { link, targetExists, targetIsValid, oldValue, oldValueIsValid, candidates } = facts
  if (link) {
    if (!targetExists) return 'LINK_ONLY'
    return targetIsValid ? 'SOURCE_MISSING' : 'TARGET_IGNORED'
  }
  if (!oldValue || candidates.length === 0) return 'ALL_GONE'
  if (candidates.length > 1) return oldValueIsValid ? 'AMBIGUOUS' : 'UNQUALIFIED'
  return oldValueIsValid ? 'UNASSIGNED' : 'TARGET_IGNORED'
}
