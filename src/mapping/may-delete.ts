import type { GuardLimits } from './guard.ts'
import type { Mapping } from './mapping.ts'
import { type Action, defaultAction, type Situation, situations } from './situation.ts'

/** Settings by which a source object may not qualify. */
type Selecting = 'consentRequired' | 'validSource' | 'sourceCondition'

/** Can the mapping delete anything, according to its configuration? Scripts always can. */
export function mayDelete(mapping: Pick<Mapping, 'policies' | Selecting>): boolean {
  return mayDo(mapping, 'DELETE')
}

/** The same for unlinking. */
export function mayUnlink(mapping: Pick<Mapping, 'policies' | Selecting>): boolean {
  return mayDo(mapping, 'UNLINK')
}

/** Can it delete the target of a source that is there and linked, or remove their link? */
export function mayLose(mapping: Pick<Mapping, 'policies' | Selecting>): boolean {
  return mayDo(mapping, 'DELETE', ofLinked) || mayDo(mapping, 'UNLINK', ofLinked)
}

/** In which a source may be that exists and is linked. */
const ofLinked: readonly Situation[] = ['CONFIRMED', 'MISSING', 'UNQUALIFIED']

function mayDo(
  mapping: Pick<Mapping, 'policies' | Selecting>,
  wanted: Action,
  among: readonly Situation[] = situations,
): boolean {
  const selects = mapping.consentRequired || mapping.validSource || mapping.sourceCondition
  return among.some((situation) => {
    if (situation === 'UNQUALIFIED' && !selects) return false
    const possible = possibleActions(mapping, situation)
    return possible.includes(wanted) || possible.includes('any')
  })
}

function possibleActions(
  { policies }: Pick<Mapping, 'policies'>,
  situation: Situation,
): readonly (Action | 'any')[] {
  const possible: (Action | 'any')[] = []
  for (const { action, condition } of policies.filter((policy) => policy.situation === situation)) {
    possible.push(action.kind === 'action' ? action.action : 'any')
    if (condition === undefined) return possible
  }
  return [...possible, defaultAction[situation]]
}

/** Does a property of the mapping write an attribute by which targets are disabled? What scripts set is seen when it is written. */
export function mayDisable({ properties }: Pick<Mapping, 'properties'>, { disabling }: GuardLimits): boolean {
  return properties.some(({ target }) => Object.hasOwn(disabling, target.join('/')))
}
