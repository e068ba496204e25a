import { isJsonObject, type JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { Afterwards, ObjectSet, ObjectWriteRequest, Resource } from '../../../router/resources.ts'
import { shapePage } from '../decide.ts'
import { type Applied, goesOn } from '../operation.ts'
import { askThose, onThose } from '../places.ts'
import type { Synchronization } from '../synchronization.ts'
import { intend, leavesDoubt, withdraw } from './intents.ts'
import type { Writers } from './writers.ts'

/** All target writes of a page in one call (engine §4.3, CREATE 5, UPDATE 4, DELETE 2). */
export async function writeTargets(
  sync: Synchronization,
  page: readonly Applied[],
  writers: Writers,
): Promise<readonly Applied[]> {
  // What an onLink before the update changed persists, so these are shaped again on top of it.
  const isLinked = ({ linkedTarget }: Applied) => linkedTarget !== undefined
  const shaped = await onThose(page, isLinked, (some) => shapePage(sync, some))
  const written = await onThose(shaped, goesOn, (some) => writeAll(sync, some, writers))
  return onThose(written, isOvertaken, (some) => tryAgain(sync, some, writers))
}

async function writeAll(
  sync: Synchronization,
  page: readonly Applied[],
  { targets, apart }: Writers,
): Promise<readonly Applied[]> {
  const intended = apart ? await intend(sync, page, targets) : page
  const { request } = sync.scripts
  const consequences = new Map<number | undefined, () => Promise<void>>()
  const results = await askThose(
    intended,
    (operation) => (operation.failure ? undefined : writeOf(operation, targets)),
    (writes, places) => {
      const afterwards: Afterwards = (position, work) => void consequences.set(places[position], work)
      return targets.writeMany(writes, { ...request, chain: { ...request.chain, afterwards } }, sync.signal)
    },
  )
  return intended.map((operation, place) => {
    const result = results[place]
    if (!result) return unwritten(operation)
    const consequence = consequences.get(place)
    return result.ok
      ? settle(operation, result.object, consequence)
      : settleFailure(operation, result.error, consequence)
  })
}

/** An update of a target that is as it should be. */
function unwritten(operation: Applied): Applied {
  const { action, source, target, desired, failure } = operation
  const isSame = action === 'UPDATE' && source && target && !desired && !failure
  return isSame ? { ...operation, effect: 'unchanged' } : operation
}

/** Somebody else changed the target between our reading and our writing it. */
function isOvertaken({ action, failure }: Applied): boolean {
  return (
    action === 'UPDATE' && failure?.cause instanceof Problem && failure.cause.code === 'PRECONDITION_FAILED'
  )
}

/** Once more, on the target as it is now (engine §12.4): what the other one wrote is kept. */
async function tryAgain(
  sync: Synchronization,
  overtaken: readonly Applied[],
  writers: Writers,
): Promise<readonly Applied[]> {
  const ids = overtaken.flatMap(({ targetId }) => targetId ?? [])
  const fresh = await writers.targets.readMany(ids, sync.signal)
  await withdraw(sync, overtaken)
  const again = overtaken.map((operation): Applied => {
    const target = operation.targetId === undefined ? undefined : fresh.get(operation.targetId)
    return { ...operation, target, intent: undefined, failure: undefined, desired: undefined, changes: [] }
  })
  return onThose(await shapePage(sync, again), goesOn, (some) => writeAll(sync, some, writers))
}

function writeOf(
  operation: Applied,
  { updatesInPart, leavesAlone }: ObjectSet,
): ObjectWriteRequest | undefined {
  const { action, desired, target, targetId, newId } = operation
  if (action === 'DELETE') return target && { operation: 'delete', id: target._id, rev: target._rev }
  if (!desired) return undefined
  if (action === 'CREATE') return { operation: 'create', id: idOf(desired._id) ?? newId, content: desired }
  const whole = updatesInPart ? withClearedAttributes(operation, desired) : desired
  const content = leavesAlone ? withoutUntouched(operation, whole, leavesAlone) : whole
  const id = target?._id ?? targetId
  return id === undefined ? undefined : { operation: 'update', id, rev: target?._rev, content }
}

/** Attributes that a script has deleted from the target, as the set understands it. */
function withClearedAttributes({ changes }: Applied, desired: JsonObject): JsonObject {
  const deleted = changes.filter(({ pointer, after }) => pointer.length === 1 && after === undefined)
  if (deleted.length === 0) return desired
  return { ...desired, ...Object.fromEntries(deleted.map(({ pointer }) => [pointer[0], null])) }
}

/** What others have changed meanwhile stays, where the mapping has no wish of its own. */
function withoutUntouched(
  { changes }: Applied,
  desired: JsonObject,
  leavesAlone: (property: string) => boolean,
): JsonObject {
  const changed = new Set(changes.map(({ pointer: [name] }) => name))
  const kept = Object.entries(desired).filter(([name]) => changed.has(name) || !leavesAlone(name))
  const cleared = changes.flatMap(({ pointer: [name = ''], after }) =>
    after === undefined && leavesAlone(name) && desired[name] === undefined ? [[name, null] as const] : [],
  )
  return Object.fromEntries([...kept, ...cleared])
}

function idOf(id: unknown): string | undefined {
  return id === undefined || id === null ? undefined : String(id)
}

type Consequence = Applied['consequence']

function settle(operation: Applied, object: Resource, consequence: Consequence): Applied {
  if (operation.action === 'DELETE') return { ...operation, consequence, effect: 'deleted' }
  const created = operation.action === 'CREATE'
  return {
    ...operation,
    consequence,
    effect: created ? 'created' : 'updated',
    oldTarget: created ? undefined : operation.target,
    target: object,
    targetId: object._id,
  }
}

function settleFailure(operation: Applied, error: Error, consequence: Consequence): Applied {
  const { action, targetId } = operation
  // Somebody else deleted it already: the wish is fulfilled.
  if (action === 'DELETE' && error instanceof Problem && error.status === 404)
    return { ...operation, consequence, effect: 'deleted' }
  const verb = action === 'CREATE' ? 'create' : action === 'DELETE' ? 'delete' : 'update'
  const what = targetId === undefined ? 'the target' : `target ${targetId}`
  const why = `${error.message}${violatedPolicies(error)}`
  const failure = new Problem('SYNC_FAILED', `could not ${verb} ${what}: ${why}`, { cause: error })
  return { ...operation, consequence, inDoubt: leavesDoubt(error), failure }
}

/** ` (mail: VALID_EMAIL_ADDRESS_FORMAT)`: which policies the target refused, so that nobody has to look further. */
function violatedPolicies(error: Error | undefined): string {
  const detail = error instanceof Problem ? error.detail : undefined
  const failed = isJsonObject(detail) ? detail.failedPolicyRequirements : undefined
  if (!Array.isArray(failed)) return ''
  const facts = failed.filter(isJsonObject).map(({ property, policyRequirements }) => {
    const requirements = Array.isArray(policyRequirements) ? policyRequirements.filter(isJsonObject) : []
    return `${property}: ${requirements.map(({ policyRequirement }) => policyRequirement).join(', ')}`
  })
  return ` (${facts.join('; ')})`
}
