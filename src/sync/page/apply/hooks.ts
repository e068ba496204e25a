import type { Hook } from '../../../mapping/mapping.ts'
import { copy } from '../../../model/equality.ts'
import type { Json, JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { type Operation, sourceIdOf } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'

/** Hooks between the writes, with the scopes of engine §4.2. */
export async function runHook(
  sync: Synchronization,
  hook: Hook,
  operations: readonly Operation[],
): Promise<void> {
  const script = sync.rules.mapping.hooks[hook]
  if (script === undefined) return
  const inputs = operations.map((operation) => ({ script, variables: hookScope(operation) }))
  const outcomes = await sync.rules.ask('runHook', inputs, sync.scripts)
  operations.forEach((operation, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) operation.failure = outcome?.error
    // Before an update only: what onLink changes there is written with the update (engine §4.2).
    else if (hook === 'onLink' && operation.action === 'UPDATE')
      operation.linkedTarget = outcome.value as JsonObject
  })
}

function hookScope(operation: Operation): JsonObject {
  const { source, oldSource, target, targetId, situation, linkQualifier, action } = operation
  const oldTarget = action === 'CREATE' ? undefined : (operation.oldTarget ?? target)
  return {
    source: (source ?? null) as Json,
    sourceId: sourceIdOf(operation) ?? null,
    target: (target ? copy(target as JsonObject) : null) as Json,
    targetId: targetId ?? null,
    oldSource: oldSource ?? null,
    oldTarget: (oldTarget ?? null) as Json,
    situation: situation ?? null,
    linkQualifier,
  }
}

/** `postAction` of the policy that decided; none where the default did (engine §2.5, [D]). */
export async function runPostAction(sync: Synchronization, operations: readonly Operation[]): Promise<void> {
  const { policies } = sync.rules.mapping
  const due = operations.flatMap((operation) => {
    const script = operation.policy === undefined ? undefined : policies[operation.policy]?.postAction
    return script === undefined ? [] : [{ operation, script }]
  })
  const inputs = due.map(({ operation, script }) => ({ script, variables: postActionScope(sync, operation) }))
  const outcomes = await sync.rules.ask('runPostAction', inputs, sync.scripts)
  due.forEach(({ operation }, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) operation.failure = outcome?.error
  })
}

function postActionScope({ runId }: Synchronization, operation: Operation): JsonObject {
  const { source, target, action, phase, situation, linkQualifier } = operation
  return {
    source: (source ?? null) as Json,
    target: (target ?? null) as Json,
    action: action ?? null,
    sourceAction: phase === 'source',
    situation: situation ?? null,
    linkQualifier,
    reconId: runId,
  }
}

/** `onError`: told about the failure, never able to replace it (engine §2.2, [D]). */
export async function runErrorHook(sync: Synchronization, failed: readonly Operation[]): Promise<void> {
  const script = sync.rules.mapping.hooks.onError
  if (script === undefined || failed.length === 0) return
  const inputs = failed.map((operation) => {
    return { script, variables: { ...hookScope(operation), error: errorJson(operation) } }
  })
  const outcomes = await sync.rules.ask('runHook', inputs, sync.scripts)
  for (const outcome of outcomes) if (!outcome.ok) sync.log('error', outcome.error.message)
}

/** As `cause` of a result: always a 409 (engine §8.2); what the failing part itself said is its `detail`. */
function errorJson({ failure, refusal }: Operation): JsonObject {
  const message = failure?.message ?? refusal ?? ''
  const own = failure?.cause instanceof Problem ? failure.cause : failure
  const detail = { code: own?.status ?? 409, message: own?.message ?? message, detail: own?.detail as Json }
  return { code: 409, reason: 'Conflict', message, detail }
}
