import type { Action, Situation } from '../../mapping/situation.ts'
import { defaultAction } from '../../mapping/situation.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { refusalOf } from '../../plan/refusal.ts'
import { ambiguousIds, goesOn, type Operation, sourceIdOf } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/** Situation → action for a page of assessed operations, and why an action cannot be performed if so. */
export async function chooseActions(sync: Synchronization, operations: readonly Operation[]): Promise<void> {
  const going = operations.filter(goesOn)
  const outcomes = await sync.rules.ask(
    'choose',
    going.map((operation) => policyScope(sync, operation)),
    sync.scripts,
  )
  going.forEach((operation, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) {
      fail(operation, outcome?.error ?? new Problem('INTERNAL', 'no decision was made'))
      return
    }
    const { action, policy } = outcome.value as { action: Action; policy?: number }
    operation.action = action
    operation.policy = policy
    operation.refusal = refusalOf(action, {
      situation: operation.situation as Situation,
      sourceExists: operation.source !== undefined,
      targetId: operation.targetId,
      targetExists: operation.target !== undefined,
      linked: operation.link !== undefined,
      linkingEnabled: sync.rules.mapping.links.enabled,
    })
  })
}

/** A failed decision is recorded with the action that would have applied. */
function fail(operation: Operation, error: Problem): void {
  operation.failure = error
  operation.action = defaultAction[operation.situation as Situation]
}

/** engine §4.2: the scope of policies, `recon.actionParam` included. */
function policyScope({ rules: { mapping }, runId }: Synchronization, operation: Operation): Json {
  const { linkQualifier, situation, phase, targetId } = operation
  const target = (operation.target ?? null) as Json
  const ids = {
    reconId: runId,
    mapping: mapping.name,
    situation: situation as string,
    action: defaultAction[situation as Situation],
    linkQualifier,
    ambiguousTargetIds: [...ambiguousIds(operation)],
    _action: 'performAction',
    ...(targetId === undefined ? {} : { targetId }),
  }
  const actionParam =
    phase === 'source'
      ? { ...ids, sourceId: sourceIdOf(operation) ?? null }
      : { ...ids, target: 'true', oldSource: null }
  return {
    situation: situation as string,
    source: (operation.source ?? null) as Json,
    target,
    sourceAction: phase === 'source',
    linkQualifier,
    recon: { actionParam },
  }
}
