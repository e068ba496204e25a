import type { Hook } from '../../../mapping/mapping.ts'
import { copy } from '../../../model/equality.ts'
import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { withoutSecrets } from '../hidden-failure.ts'
import type { Applied } from '../operation.ts'
import { jsonDetail } from '../outcome.ts'
import { askThose } from '../places.ts'
import type { Synchronization } from '../synchronization.ts'

/** Hooks between the writes, with the scopes of engine §4.2. */
export async function runHook(
  sync: Synchronization,
  hook: Hook,
  page: readonly Applied[],
): Promise<readonly Applied[]> {
  const script = sync.rules.mapping.hooks[hook]
  if (script === undefined) return page
  const inputs = page.map((operation) => ({ script, variables: hookScope(operation) }))
  const outcomes = await sync.rules.ask('hook', inputs, sync.scripts)
  return page.map((operation, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) return withFailure(sync, operation, outcome?.error)
    // Before an update only: what onLink changes there is written with the update (engine §4.2).
    const persists = hook === 'onLink' && operation.action === 'UPDATE'
    return persists ? { ...operation, linkedTarget: outcome.value ?? undefined } : operation
  })
}

function hookScope(operation: Applied) {
  const { source, oldSource, target, sourceId, targetId, situation, linkQualifier, action } = operation
  const oldTarget = action === 'CREATE' ? undefined : (operation.oldTarget ?? target)
  return {
    source: source ?? null,
    sourceId: sourceId ?? null,
    target: target ? copy(target) : null,
    targetId: targetId ?? null,
    oldSource: oldSource ?? null,
    oldTarget: oldTarget ?? null,
    situation: situation ?? null,
    linkQualifier,
  }
}

/** `postAction` of the policy that decided; none where the default did (engine §2.5, [D]). */
export async function runPostAction(
  sync: Synchronization,
  page: readonly Applied[],
): Promise<readonly Applied[]> {
  const { policies } = sync.rules.mapping
  const outcomes = await askThose(
    page,
    (operation) => {
      const script = operation.policy === undefined ? undefined : policies[operation.policy]?.postAction
      return script === undefined ? undefined : { script, variables: postActionScope(operation, sync.runId) }
    },
    (calls) => sync.rules.ask('postAction', calls, sync.scripts),
  )
  return page.map((operation, place) => {
    const outcome = outcomes[place]
    return outcome && !outcome.ok ? withFailure(sync, operation, outcome.error) : operation
  })
}

function withFailure({ secrets }: Synchronization, operation: Applied, error: Problem | undefined): Applied {
  return { ...operation, failure: error && withoutSecrets(error, operation, secrets.valuesOf(operation)) }
}

function postActionScope(operation: Applied, reconId: string) {
  const { source, target, action, phase, situation, linkQualifier } = operation
  return {
    source: source ?? null,
    target: target ?? null,
    action: action ?? null,
    sourceAction: phase === 'source',
    situation: situation ?? null,
    linkQualifier,
    reconId,
  }
}

/** `onError`: sees the failure, and cannot replace it (engine §2.2, [D]). */
export async function runErrorHook(sync: Synchronization, failed: readonly Applied[]): Promise<void> {
  const script = sync.rules.mapping.hooks.onError
  if (script === undefined || failed.length === 0) return
  const inputs = failed.map((operation) => ({
    ...{ script, variables: { ...hookScope(operation), error: errorJson(operation) } },
  }))
  const outcomes = await sync.rules.ask('hook', inputs, sync.scripts)
  for (const outcome of outcomes) if (!outcome.ok) sync.log('error', outcome.error.message)
}

/** As `cause` of a result: always a 409 (engine §8.2); what the failing part itself said is its `detail`. */
function errorJson({ failure, refusal }: Applied): JsonObject {
  const message = failure?.message ?? refusal ?? ''
  const own = failure?.cause instanceof Problem ? failure.cause : failure
  const detail = {
    code: own?.status ?? 409,
    message: own?.message ?? message,
    detail: own && jsonDetail(own),
  }
  return { code: 409, reason: 'Conflict', message, detail }
}
