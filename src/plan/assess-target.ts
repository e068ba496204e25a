import type { TargetSituation } from '../mapping/situation.ts'
import type { TargetFacts } from './facts.ts'

/** Which situation is a target in that no source object led to? (engine §3.4) Pure. */
export function assessTarget({
  targetIsValid,
  linked,
  sourceExists,
  sourceQualifies,
}: TargetFacts): TargetSituation {
  if (!targetIsValid) return 'TARGET_IGNORED'
  if (!linked) return 'UNASSIGNED'
  if (!sourceExists) return 'SOURCE_MISSING'
  return sourceQualifies ? 'CONFIRMED' : 'UNQUALIFIED'
}
