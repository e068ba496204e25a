import type { Mapping } from './mapping.ts'
import { type Action, defaultAction, type Situation, situations } from './situation.ts'

/** What may keep a source object from qualifying. */
type Selecting = 'consentRequired' | 'validSource' | 'sourceCondition'

/** Could the mapping delete anything at all, as far as its configuration tells? Scripts may always. */
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
