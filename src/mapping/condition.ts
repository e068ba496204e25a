import { matches } from '../model/filter/evaluate.ts'
import type { JsonObject } from '../model/json.ts'
import type { Call } from './call.ts'
import type { Condition } from './mapping.ts'

/**
 * Conditions (engine §2.6): an absent one is true; a filter is evaluated over the variables and ignores
 * case; a script is true only if its value is the boolean `true`.
 */
export function holds(condition: Condition | undefined, variables: JsonObject, call: Call): boolean {
  if (!condition) return true
  if (condition.kind === 'filter') return matches(condition.filter, variables, { ignoreCase: true })
  return call(condition.script, variables) === true
}
