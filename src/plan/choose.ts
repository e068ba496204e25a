import type { Call } from '../mapping/call.ts'
import { holds } from '../mapping/condition.ts'
import type { Mapping, Policy } from '../mapping/mapping.ts'
import { type Action, actions, defaultAction, isAction, type Situation } from '../mapping/situation.ts'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'

/** The variables of policies (engine §4.2, rows policy `condition` and policy `action`). */
export interface PolicyScope {
  readonly source: JsonObject | null
  readonly target: JsonObject | null
  readonly sourceAction: boolean
  readonly linkQualifier: string
  /** The script variable `recon`. */
  readonly recon: JsonObject
}

export interface Choice {
  readonly action: Action
  /** Index of the policy that decided; undefined when the situation's default did. */
  readonly policy: number | undefined
}

/**
 * Situation → action: the first policy of the situation whose condition is true, else the default
 * (engine §2.5). If no policy matches, there is no post action either (engine §2.5, [D]).
 */
export function choose(
  mapping: Pick<Mapping, 'policies'>,
  situation: Situation,
  scope: PolicyScope,
  call: Call,
): Choice {
  const index = matchingPolicy(mapping, situation, scope, call)
  const policy = index === undefined ? undefined : mapping.policies[index]
  if (!policy) return { action: defaultAction[situation], policy: undefined }
  return { action: chosenAction(policy, scope, call), policy: index }
}

/** The first policy of the situation whose condition is true. `onChecked` is called with the result of each checked policy. */
export function matchingPolicy(
  { policies }: Pick<Mapping, 'policies'>,
  situation: Situation,
  { source, linkQualifier }: Pick<PolicyScope, 'source' | 'linkQualifier'>,
  call: Call,
  onChecked: (policy: number, held: boolean) => void = () => {},
): number | undefined {
  const index = policies.findIndex((policy, position) => {
    if (policy.situation !== situation) return false
    const held = holds(policy.condition, { object: source, linkQualifier }, call)
    onChecked(position, held)
    return held
  })
  return index < 0 ? undefined : index
}

function chosenAction({ action }: Policy, scope: PolicyScope, call: Call): Action {
  if (action.kind === 'action') return action.action
  const { source, target, sourceAction, linkQualifier, recon } = scope
  const result = call(action.script, { source, target, sourceAction, linkQualifier, recon })
  if (result === null || result === undefined)
    throw new Problem('SCRIPT_FAILED', 'action script returned null value')
  if (!isAction(result)) {
    throw new Problem(
      'SCRIPT_FAILED',
      `action script returned invalid action ${JSON.stringify(result)}; allowed: ${actions.join(', ')}`,
    )
  }
  return result
}
