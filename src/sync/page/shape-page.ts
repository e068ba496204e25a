import { diff } from '../../model/diff.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Shape } from '../../plan/shape.ts'
import { goesOn, type Operation, sourceIdOf } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/** True if the action writes mapped attributes; UPDATE without source or target does only its other steps (engine §4.3). */
export function isShaped({ action, source, target }: Operation): boolean {
  return source !== undefined && (action === 'CREATE' || (action === 'UPDATE' && target !== undefined))
}

/** An `onLink` before an update may change what is shaped: such targets are shaped when it has run, and once only. */
export function awaitsOnLink(
  { rules: { mapping }, hooks }: Synchronization,
  { action, link }: Operation,
): boolean {
  return (
    hooks === 'run' &&
    action === 'UPDATE' &&
    !link &&
    mapping.links.enabled &&
    mapping.hooks.onLink !== undefined
  )
}

/** Computes desired object and changes of a page: all scripts of one object cross into the sandbox once. */
export async function shapePage(sync: Synchronization, operations: readonly Operation[]): Promise<void> {
  if (!sync.shapes) return
  const shaped = operations.filter((operation) => goesOn(operation) && isShaped(operation))
  await shapeAll(sync, shaped, sync.hooks !== 'skip')
  if (sync.hooks !== 'foresee') return
  const failed = shaped.filter(({ failure }) => failure !== undefined)
  for (const operation of failed) {
    operation.unforeseen = operation.failure?.message
    operation.failure = undefined
    operation.shapingFailed = false
  }
  // What fails without the hooks, too, fails in the run as well and says so itself.
  await shapeAll(sync, failed, false)
  for (const operation of failed) if (operation.failure) operation.unforeseen = undefined
}

async function shapeAll(
  sync: Synchronization,
  operations: readonly Operation[],
  hooks: boolean,
): Promise<void> {
  const inputs = operations.map((operation) => shapeInput(operation, hooks, sync.secrets.hooks))
  const outcomes = await sync.rules.ask('shapeTarget', inputs, sync.scripts)
  operations.forEach((operation, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) {
      operation.failure = outcome?.error
      operation.shapingFailed = true
      return
    }
    const { desired, changes, hooked = [] } = outcome.value as unknown as Shape
    operation.desired = desired
    const linked = operation.linkedTarget ? diff(operation.target ?? {}, operation.linkedTarget) : []
    const isSecret = sync.secrets.ofOperation(operation, {
      decrypted: outcome.decrypted,
      hooked: [...hooked, ...linked.map(({ pointer }) => pointer)],
    })
    operation.changes = changes.map((change) => (isSecret(change) ? { ...change, secret: true } : change))
  })
}

function shapeInput(operation: Operation, hooks: boolean, tellsHooked: boolean): Json {
  const { source, oldSource, target, linkedTarget, situation, linkQualifier, action } = operation
  const existing = action === 'CREATE' ? undefined : target
  return {
    source: source as JsonObject,
    sourceId: sourceIdOf(operation) ?? null,
    target: existing ?? null,
    targetId: operation.targetId ?? null,
    linkedTarget,
    oldSource,
    situation,
    linkQualifier,
    hooks,
    tellsHooked,
  }
}
