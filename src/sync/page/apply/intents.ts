import { v7 as timeOrderedId } from 'uuid'
import type { LinkUse } from '../../../mapping/mapping.ts'
import type { Situation } from '../../../mapping/situation.ts'
import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { isMasked } from '../../../model/secrecy.ts'
import type { BrokenOff } from '../../../plan/settle.ts'
import type { Intent } from '../../../repository/repository.ts'
import type { ObjectSet } from '../../../router/resources.ts'
import { type Operation, sourceIdOf } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'
import { type Written, writtenBy } from './written.ts'

/**
 * Before something is written outside of the store whose link must follow, it is written down
 * (engine §12.5): creates, deletes of linked objects, and updates. Whoever finds such an intent after the
 * process has died looks at the target and finishes what was begun (recover.ts), so that killing a run leaves neither
 * an object without its link, nor a link without its object, nor a change without its record.
 */

/** Everything that is needed to finish an operation, whatever the configuration says by then. */
export interface IntentContent extends BrokenOff {
  readonly mapping: string
  readonly source: string
  readonly target: string
  readonly links: LinkUse
  readonly linkQualifier: string
  readonly phase: Operation['phase']
  readonly situation: Situation
  readonly sourceId: string
  /** Of an object whose id only its system gives: by which attributes it is found. */
  readonly attributes: JsonObject | null
  /** Of an update that keeps the id: by what it is recognized. */
  readonly written: Written | null
}

/**
 * Writes down what the operations are about to do; operations that cannot be done any more fail. Ids of new objects
 * are fixed here wherever the target leaves them to us: a create that may have happened is then found by its id.
 */
export async function intend(
  sync: Synchronization,
  operations: readonly Operation[],
  targets: ObjectSet,
): Promise<void> {
  if (!sync.rules.mapping.links.enabled) return
  await fixIds(operations, targets)
  const { name: worker } = await sync.locks.ownLease()
  const intents = operations.flatMap((operation) => {
    const content = contentOf(sync, operation, targets)
    if (operation.failure || !content) return []
    operation.intent ??= timeOrderedId()
    const { type } = sync.rules.mapping.links
    return [
      {
        id: operation.intent,
        linkType: type,
        runId: sync.runId,
        worker,
        content: content as unknown as JsonObject,
      },
    ]
  })
  if (intents.length > 0) await sync.repository.intents.add(intents satisfies Intent[])
}

/** What was written down did not happen; something else will be. */
export async function withdraw(
  { repository }: Synchronization,
  operations: readonly Operation[],
): Promise<void> {
  const ids = operations.flatMap(({ intent }) => intent ?? [])
  if (ids.length > 0) await repository.intents.remove(ids)
  for (const operation of operations) operation.intent = undefined
}

/** What stays in doubt after a page: the target failed in a way that leaves open whether it has written. */
export function settled(operations: readonly Operation[]): readonly string[] {
  return operations.flatMap(({ intent, inDoubt }) => (intent !== undefined && !inDoubt ? [intent] : []))
}

/** True for failures that do not say that nothing was written. */
export function leavesDoubt(error: Error | undefined): boolean {
  return !(error instanceof Problem) || error.status >= 500
}

async function fixIds(operations: readonly Operation[], targets: ObjectSet): Promise<void> {
  const creating = operations.filter(({ action, desired }) => action === 'CREATE' && desired)
  for (const operation of creating) {
    const content = operation.desired as JsonObject
    operation.newId = targets.idOf({ operation: 'create', content }, timeOrderedId())
  }
  const known = creating.filter(({ newId }) => newId !== undefined)
  if (known.length === 0) return
  const present = await targets.readMany(known.map(({ newId }) => newId as string))
  for (const operation of known) {
    if (!present.has(operation.newId as string)) continue
    // Only what was not there before can be recognized as ours afterwards.
    const cause = new Problem(
      'PRECONDITION_FAILED',
      `${targets.path} already has an object "${operation.newId}"`,
    )
    operation.failure = new Problem('SYNC_FAILED', `could not create the target: ${cause.message}`, { cause })
  }
}

function contentOf(
  { rules: { mapping } }: Synchronization,
  operation: Operation,
  targets: ObjectSet,
): IntentContent | undefined {
  const { action, target, link, linkQualifier, phase, situation } = operation
  const shared = {
    mapping: mapping.name,
    source: mapping.source,
    target: mapping.target,
    links: mapping.links,
    linkQualifier,
    phase,
    situation: situation as Situation,
    sourceId: sourceIdOf(operation) as string,
    attributes: null,
    written: null,
  }
  if (action === 'DELETE')
    return link && target ? { ...shared, action, targetId: target._id, newId: null } : undefined
  if (!operation.desired) return undefined
  if (action === 'UPDATE') {
    const newId = target && targets.idOf({ operation: 'update', content: operation.desired }, target._id)
    if (newId !== undefined && newId !== target?._id)
      return { ...shared, action, targetId: target?._id as string, newId }
    const written = writtenBy(operation.changes, targets.isSecret)
    return written && target
      ? { ...shared, action, targetId: target._id, newId: target._id, written }
      : undefined
  }
  const newId = operation.newId ?? null
  const attributes = newId === null ? recognizable(operation, targets) : null
  return { ...shared, action: 'CREATE', targetId: operation.targetId ?? null, newId, attributes }
}

/** The values that the target can be asked for; secrets are not among them. */
function recognizable({ desired = {}, changes }: Operation, targets: ObjectSet): JsonObject {
  const secret = changes.filter((change) => isMasked(change, targets.isSecret))
  const names = new Set(secret.map(({ pointer }) => pointer[0]))
  const asked = Object.entries(desired).filter(
    ([name, value]) =>
      !name.startsWith('_') &&
      !names.has(name) &&
      ['string', 'number', 'boolean'].includes(typeof value) &&
      targets.comparison([name]) === 'exact',
  )
  return Object.fromEntries(asked)
}
