import type { Mapping } from './mapping.ts'
import { type Action, defaultAction, type Situation, situations } from './situation.ts'

/** Settings by which a source object may not qualify. */
type Selecting = 'consentRequired' | 'validSource' | 'sourceCondition'

/** Can the mapping delete anything, according to its configuration? Scripts always can. */
export function mayDelete(mapping: Pick<Mapping, 'policies' | Selecting>): boolean {
  const selects = mapping.consentRequired || mapping.validSource || mapping.sourceCondition
  return situations.some((situation) => {
    if (situation === 'UNQUALIFIED' && !selects) return false
    return possibleActions(mapping, situation).includes('DELETE')
  })
}

function possibleActions({ policies }: Pick<Mapping, 'policies'>, situation: Situation): readonly Action[] {
  const possible: Action[] = []
  for (const { action, condition } of policies.filter((policy) => policy.situation === situation)) {
    possible.push(action.kind === 'action' ? action.action : 'DELETE')
    if (condition === undefined) return possible
  }
  return [...possible, defaultAction[situation]]
}
