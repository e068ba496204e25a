import type { TargetSituation } from '../mapping/situation.ts'
import type { TargetFacts } from './facts.ts'

/** Which situation is a target without a source object in? (engine §3.4) Pure. */
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
