import { v7 as timeOrderedId } from 'uuid'
import type { LinkUse } from '../../../mapping/mapping.ts'
import type { Situation } from '../../../mapping/situation.ts'
import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { isMasked } from '../../../model/secrecy.ts'
import type { BrokenOff } from '../../../plan/settle.ts'
import type { Intent } from '../../../repository/intents.ts'
import type { ObjectSet } from '../../../router/resources.ts'
import type { Applied } from '../operation.ts'
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
  readonly phase: Applied['phase']
  readonly situation: Situation
  readonly sourceId: string
  /** Of an object whose id only its system gives: by which attributes it is found. */
  readonly attributes: JsonObject | null
  /** Of an update that keeps the id: by what it is recognized. */
  readonly written: Written | null
}

/** Plain data throughout, which the store keeps as JSON. */
function stored(content: IntentContent): JsonObject {
  return content as unknown as JsonObject
}

export function intentContent({ content }: Intent): IntentContent {
  return content as unknown as IntentContent
}

/**
 * Writes down what the operations are about to do; operations that cannot be done any more fail. Ids of new objects
 * are fixed here wherever the target leaves them to us: a create that may have happened is then found by its id.
 */
export async function intend(
  sync: Synchronization,
  page: readonly Applied[],
  targets: ObjectSet,
): Promise<readonly Applied[]> {
  const { type, enabled } = sync.rules.mapping.links
  if (!enabled) return page
  const { name: worker } = await sync.locks.ownLease()
  const intents: Intent[] = []
  const intended = (await fixIds(page, targets)).map((operation): Applied => {
    const content = operation.failure ? undefined : contentOf(sync, operation, targets)
    if (!content) return operation
    const id = operation.intent ?? timeOrderedId()
    intents.push({ id, linkType: type, runId: sync.runId, worker, content: stored(content) })
    return { ...operation, intent: id }
  })
  if (intents.length > 0) await sync.repository.intents.add(intents)
  return intended
}

/** What was written down did not happen; something else will be. */
export async function withdraw({ repository }: Synchronization, page: readonly Applied[]): Promise<void> {
  const ids = page.flatMap(({ intent }) => intent ?? [])
  if (ids.length > 0) await repository.intents.remove(ids)
}

/** What stays in doubt after a page: the target failed in a way that leaves open whether it has written. */
export function settled(page: readonly Applied[]): readonly string[] {
  return page.flatMap(({ intent, inDoubt }) => (intent !== undefined && !inDoubt ? [intent] : []))
}

/** True for failures that do not say that nothing was written. */
export function leavesDoubt(error: Error | undefined): boolean {
  return !(error instanceof Problem) || error.status >= 500
}

async function fixIds(page: readonly Applied[], targets: ObjectSet): Promise<readonly Applied[]> {
  const known = page.map(({ action, desired }) =>
    action === 'CREATE' && desired
      ? targets.idOf({ operation: 'create', content: desired }, timeOrderedId())
      : undefined,
  )
  const ids = known.filter((id) => id !== undefined)
  if (ids.length === 0) return page
  const present = await targets.readMany(ids)
  return page.map((operation, place): Applied => {
    const newId = known[place]
    if (newId === undefined) return operation
    if (!present.has(newId)) return { ...operation, newId }
    // Only what was not there before can be recognized as ours afterwards.
    const cause = new Problem('PRECONDITION_FAILED', `${targets.path} already has an object "${newId}"`)
    const message = `could not create the target: ${cause.message}`
    return { ...operation, newId, failure: new Problem('SYNC_FAILED', message, { cause }) }
  })
}

function contentOf(
  { rules: { mapping } }: Synchronization,
  operation: Applied,
  targets: ObjectSet,
): IntentContent | undefined {
  const { action, target, link, linkQualifier, phase, situation, sourceId, desired } = operation
  if (situation === undefined || sourceId === undefined) return undefined
  const shared = {
    mapping: mapping.name,
    source: mapping.source,
    target: mapping.target,
    links: mapping.links,
    linkQualifier,
    phase,
    situation,
    sourceId,
    attributes: null,
    written: null,
  }
  if (action === 'DELETE')
    return link && target ? { ...shared, action, targetId: target._id, newId: null } : undefined
  if (!desired) return undefined
  if (action === 'UPDATE') {
    if (!target) return undefined
    const newId = targets.idOf({ operation: 'update', content: desired }, target._id)
    if (newId !== undefined && newId !== target._id) return { ...shared, action, targetId: target._id, newId }
    const written = writtenBy(operation.changes, targets.isSecret)
    return written ? { ...shared, action, targetId: target._id, newId: target._id, written } : undefined
  }
  const newId = operation.newId ?? null
  const attributes = newId === null ? recognizable(operation, desired, targets) : null
  return { ...shared, action: 'CREATE', targetId: operation.targetId ?? null, newId, attributes }
}

/** The values that the target can be asked for; secrets are not among them. */
function recognizable({ changes }: Applied, desired: JsonObject, targets: ObjectSet): JsonObject {
  const secret = changes.filter((change) => isMasked(change, targets.isSecret))
  const names = new Set(secret.map(({ pointer }) => pointer[0]))
  const asked = Object.entries(desired).filter(
    ([name, value]) =>
      !name.startsWith('_') &&
      !names.has(name) &&
      ['string', 'number', 'boolean'].includes(typeof value) &&
      targets.comparison([name]) !== undefined,
  )
  return Object.fromEntries(asked)
}
