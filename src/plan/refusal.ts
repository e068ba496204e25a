import type { Action, Situation } from '../mapping/situation.ts'
import type { Holder } from './facts.ts'

export interface ActionFacts {
  readonly situation: Situation
  readonly sourceExists: boolean
  readonly targetId: string | undefined
  readonly targetExists: boolean
  readonly linked: boolean
  readonly linkingEnabled: boolean
  /** The targets that correlation found. */
  readonly candidates?: readonly { readonly id: string }[] | undefined
  /** What the target is linked to instead. */
  readonly holder?: Holder | undefined
}

/**
 * Why an action cannot be performed on these facts, or undefined if it can (engine §4.3, §4.5). Any
 * action may be configured for any situation. Some pairs lack an object to act on, and fail before the first effect.
 */
export function refusalOf(action: Action, facts: ActionFacts): string | undefined {
  switch (action) {
    case 'EXCEPTION':
      return `Situation ${facts.situation} marked as EXCEPTION${held(facts)}`
    case 'CREATE':
      if (!facts.sourceExists) return 'no source object to create target from'
      return facts.targetExists ? 'target object already exists' : undefined
    case 'UPDATE':
    case 'LINK':
      if (facts.targetId === undefined) return 'no target object to link'
      if (facts.holder && !facts.holder.isGone && facts.linkingEnabled)
        return `the target is linked to ${facts.holder.sourceId}, which is still there`
      return facts.linkingEnabled && !facts.linked && !facts.sourceExists
        ? 'no source object to link'
        : undefined
    default:
      return undefined
  }
}

/** How many candidates are named. */
const named = 10

/** The other party: which targets it might be, or who has the target, and what can be done about it. */
function held({ situation, holder, candidates = [] }: ActionFacts): string {
  if (situation === 'AMBIGUOUS' && candidates.length > 0) {
    const ids = candidates.slice(0, named).map(({ id }) => id)
    const more = candidates.length > named ? ` and ${candidates.length - named} more` : ''
    return `: it may be ${ids.join(', ')}${more}`
  }
  if (situation !== 'FOUND_ALREADY_LINKED' || !holder) return ''
  const linked = `: the target is linked to ${holder.sourceId}`
  return holder.isGone ? `${linked}, which is gone; UPDATE or LINK would carry the link over` : linked
}
