import type { Call } from '../mapping/call.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { type Action, defaultAction, type Situation } from '../mapping/situation.ts'
import { copy } from '../model/equality.ts'
import type { JsonObject } from '../model/json.ts'
import { type PlainProblem, plainProblem } from '../model/plain-problem.ts'
import { assessDeleted } from './assess-deleted.ts'
import { assessSource } from './assess-source.ts'
import { assessTarget } from './assess-target.ts'
import { type Choice, choose, matchingPolicy, type PolicyScope } from './choose.ts'
import type { Candidate, Holder, LinkFact } from './facts.ts'
import { acceptsTarget, qualify, type Verdict } from './question.ts'
import { refusalOf } from './refusal.ts'
import { type Shaped, type ShapeInput, type ShapingHooks, shaped } from './shape.ts'

/** Everything that was read of one operation. Whoever assembles it does the I/O; `decide` does none. */
export type Facts = SourceFound | SourceGone | TargetLeft

interface Known {
  readonly linkQualifier: string
  readonly sourceId: string | null
  readonly source: JsonObject | null
  /** As it was before the change that is synchronized. */
  readonly oldSource?: JsonObject | undefined
  readonly link: LinkFact | null
  /** What correlation found; none where a link made correlation unnecessary. */
  readonly candidates: readonly Candidate[]
  /** What the only candidate is linked to already. */
  readonly holder?: Holder | undefined
  readonly targetId: string | null
  /** Null: there is none, or it is gone. */
  readonly target: JsonObject | null
  readonly wanted: Wanted
}

/** A source object exists (engine §3.2); `qualifies` is the answer to its question. */
interface SourceFound extends Known, Verdict {
  readonly kind: 'source'
  readonly source: JsonObject
}

/** A source object was deleted (engine §3.3); `qualifies` is about it as it was. */
interface SourceGone extends Known, Verdict {
  readonly kind: 'deleted'
  readonly source: null
}

/** A target object that no source led to (engine §3.4). */
interface TargetLeft extends Known {
  readonly kind: 'target'
}

/** What is wanted of a decision, the same for all operations of a run. */
export interface Wanted {
  /** The run's id, for scripts. */
  readonly reconId: string
  readonly hooks: ShapingHooks
  readonly until: Extent
  /** True: which attributes hooks changed is to be told. */
  readonly tellsHooked: boolean
  /** The caller's action, whatever the policies say (engine §8.6). */
  readonly action?: Action | undefined
}

/** How far a decision goes. */
export type Extent = 'situation' | 'action' | 'shape'

/** What is to be done about one operation, and as much as is known where a rule failed on the way. */
export interface Decision extends Verdict, Partial<Choice>, Shaped {
  /** Undefined if a rule failed before it was known. */
  readonly situation?: Situation
  /** Why the action cannot be performed. */
  readonly refusal?: string | undefined
  /** What was thrown before there was anything to shape. */
  readonly problem?: PlainProblem
}

/**
 * Situation, policy, action, refusal, and what the action writes (engine §3, §4.1). Pure given the scripts. A rule
 * that throws fails its own operation only, and what was decided before it holds.
 */
export function decide(facts: Facts, mapping: Mapping, call: Call): Decision {
  let assessment: Assessment
  try {
    assessment = assess(facts, mapping, call)
  } catch (thrown) {
    return { ...verdictOf(facts), problem: plainProblem(thrown, 'SYNC_FAILED') }
  }
  const { situation } = assessment
  if (facts.wanted.until === 'situation') return assessment
  let choice: Choice
  try {
    choice = chosen(facts, situation, mapping, call)
  } catch (thrown) {
    // Recorded with the action that would have applied.
    const action = defaultAction[situation]
    return { ...assessment, action, problem: plainProblem(thrown, 'SYNC_FAILED') }
  }
  const refusal = refusalOf(choice.action, {
    situation,
    sourceExists: facts.source !== null,
    targetId: facts.targetId ?? undefined,
    targetExists: facts.target !== null,
    linked: facts.link !== null,
    linkingEnabled: mapping.links.enabled,
    holder: facts.holder,
    candidates: facts.candidates,
  })
  if (refusal !== undefined) return { ...assessment, ...choice, refusal }
  const decision = { ...assessment, ...choice }
  if (facts.wanted.until === 'action' || awaitsOnLink(facts, choice.action, mapping)) return decision
  const input = shapeInputOf(facts, situation, choice.action)
  return input ? { ...decision, ...shaped(mapping, input, call) } : decision
}

interface Assessment extends Verdict {
  readonly situation: Situation
}

function assess(facts: Facts, mapping: Mapping, call: Call): Assessment {
  const { linkQualifier, candidates, oldSource } = facts
  const targetExists = facts.target !== null
  const link = facts.link ?? undefined
  const targetIsValid = () =>
    facts.target !== null && acceptsTarget(mapping, own(facts.target, mapping), linkQualifier, call)
  switch (facts.kind) {
    case 'source': {
      const verdict = verdictOf(facts)
      return { ...verdict, situation: assessSource({ ...verdict, link, targetExists, candidates }) }
    }
    case 'deleted': {
      const about = { link, targetExists, candidates, oldValue: oldSource, oldValueIsValid: facts.qualifies }
      return { qualifies: true, situation: assessDeleted({ ...about, targetIsValid: targetIsValid() }) }
    }
    case 'target': {
      const isValid = targetIsValid()
      const verdict = facts.source
        ? qualify(mapping, { source: own(facts.source, mapping), linkQualifier }, call)
        : { qualifies: true }
      const situation = assessTarget({
        targetIsValid: isValid,
        linked: link !== undefined,
        sourceExists: facts.source !== null,
        sourceQualifies: verdict.qualifies,
      })
      return { ...verdict, situation }
    }
  }
}

function verdictOf(facts: Facts): Verdict {
  if (facts.kind !== 'source') return { qualifies: true }
  const { qualifies, disqualifiedBy } = facts
  return { qualifies, disqualifiedBy }
}

function chosen(facts: Facts, situation: Situation, mapping: Mapping, call: Call): Choice {
  const { action } = facts.wanted
  // Of most situations no policy speaks, and their scope is not needed.
  if (!mapping.policies.some((policy) => policy.situation === situation))
    return { action: action ?? defaultAction[situation], policy: undefined }
  const scope = policyScope(facts, situation, mapping)
  if (action === undefined) return choose(mapping, situation, scope, call)
  return { action, policy: matchingPolicy(mapping, situation, scope, call) }
}

/** engine §4.2: the scope of policies, `recon.actionParam` included. */
export function policyScope(facts: Facts, situation: Situation, mapping: Mapping): PolicyScope {
  const { kind, source, target, targetId, sourceId, linkQualifier, candidates, wanted } = facts
  const about = {
    reconId: wanted.reconId,
    mapping: mapping.name,
    situation,
    action: defaultAction[situation],
    linkQualifier,
    ambiguousTargetIds: candidates.length > 1 ? candidates.map(({ id }) => id) : [],
    _action: 'performAction',
    ...(targetId === null ? {} : { targetId }),
  }
  const actionParam =
    kind === 'target' ? { ...about, target: 'true', oldSource: null } : { ...about, sourceId }
  return {
    source: source && own(source, mapping),
    target: target && own(target, mapping),
    sourceAction: kind !== 'target',
    linkQualifier,
    recon: { actionParam },
  }
}

/** What a script makes of its variables is not for the next one. */
function own(object: JsonObject, { validSource, validTarget, sourceCondition, policies }: Mapping) {
  const scripted =
    (validSource ?? validTarget) !== undefined ||
    sourceCondition?.kind === 'script' ||
    policies.some(({ action, condition }) => action.kind === 'script' || condition?.kind === 'script')
  return scripted ? copy(object) : object
}

/** Undefined where the action writes no attributes: an UPDATE without source or target takes only its other steps (engine §4.3). */
export function shapeInputOf(facts: Facts, situation: Situation, action: Action): ShapeInput | undefined {
  const { source, sourceId, target, targetId, oldSource, linkQualifier, wanted } = facts
  if (!source || !(action === 'CREATE' || (action === 'UPDATE' && target))) return undefined
  const { hooks, tellsHooked } = wanted
  const existing = action === 'CREATE' ? null : target
  return {
    source,
    sourceId,
    target: existing,
    targetId,
    oldSource,
    situation,
    linkQualifier,
    hooks,
    tellsHooked,
  }
}

/** An `onLink` before an update may change what is shaped: such targets are shaped when it has run, and once only. */
export function awaitsOnLink(
  { wanted, link }: Pick<Facts, 'wanted' | 'link'>,
  action: Action,
  { links, hooks }: Pick<Mapping, 'links' | 'hooks'>,
): boolean {
  return wanted.hooks === 'run' && action === 'UPDATE' && !link && links.enabled && hooks.onLink !== undefined
}
