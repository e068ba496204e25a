import { type Change, diff } from '../../../model/diff.ts'
import { isJsonObject, type JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { parted } from '../../../model/unreadable.ts'
import type { ObjectSet, ObjectWriteRequest, Resource, TakeFollowUp } from '../../../router/resources.ts'
import { shapePage } from '../decide.ts'
import { withoutSecrets } from '../hidden-failure.ts'
import { type Applied, goesOn, wasOvertaken } from '../operation.ts'
import { askThose, onThose } from '../places.ts'
import type { Applying } from '../synchronization.ts'
import { intend, leavesDoubt, withdraw } from './intents.ts'

/** All target writes of a page in one call (engine §4.3, CREATE 5, UPDATE 4, DELETE 2). */
export async function writeTargets(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  // What an onLink before the update changed persists, so these are shaped again on top of it.
  const isLinked = ({ linkedTarget }: Applied) => linkedTarget !== undefined
  const shaped = await onThose(page, isLinked, (some) => shapePage(sync, some))
  const done = await onThose(shaped, goesOn, (some) => writeAll(sync, some))
  // Targets that were changed between the reading and the writing. Not those that want what another one has.
  const isOvertaken = ({ action, failure, grace, heldBy }: Applied) =>
    action === 'UPDATE' && !grace && !heldBy && wasOvertaken(failure)
  return onThose(done, isOvertaken, (some) => tryAgain(sync, some))
}

async function writeAll(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  const { targets, apart, rules } = sync
  const intended = apart ? await intend(sync, page) : page
  const { request } = sync.scripts
  const consequences = new Map<number | undefined, () => Promise<void>>()
  const results = await askThose(
    intended,
    (operation) => (operation.failure ? undefined : writeOf(operation, targets)),
    (writes, places) => {
      const takeFollowUp: TakeFollowUp = (position, work) => void consequences.set(places[position], work)
      const chain = { ...request.chain, takeFollowUp, mapping: rules.mapping.name }
      return targets.writeMany(writes, { ...request, chain }, sync.signal)
    },
  )
  return intended.map((operation, place) => {
    const result = results[place]
    if (!result) return unwritten(operation)
    const consequence = consequences.get(place)
    return result.ok
      ? written(sync, operation, result.object, consequence)
      : notWritten(operation, result.error, consequence)
  })
}

/** An update of a target that is as it should be. */
function unwritten(operation: Applied): Applied {
  const { action, source, target, desired, failure } = operation
  const isSame = action === 'UPDATE' && source && target && !desired && !failure
  return isSame ? { ...operation, effect: 'unchanged' } : operation
}

/** Once more, on the target as it is now (engine §12.4): what the other one wrote is kept. */
async function tryAgain(sync: Applying, overtaken: readonly Applied[]): Promise<readonly Applied[]> {
  const ids = overtaken.flatMap(({ targetId }) => targetId ?? [])
  const fresh = await sync.targets.readMany(ids, sync.signal)
  await withdraw(sync, overtaken)
  const again = overtaken.map((operation): Applied => {
    const entry = operation.targetId === undefined ? undefined : fresh.get(operation.targetId)
    const { object: target, problem: failure } = parted(entry)
    const anew = { intent: undefined, refusedByTarget: false, desired: undefined, changes: [] }
    return { ...operation, ...anew, target, failure }
  })
  return onThose(await shapePage(sync, again), goesOn, (some) => writeAll(sync, some))
}

export function writeOf(
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

function written(sync: Applying, operation: Applied, object: Resource, consequence: Consequence): Applied {
  const { action, target } = operation
  if (action === 'DELETE')
    return { ...operation, consequence, effect: 'deleted', lost: lostWith(sync, target) }
  const created = action === 'CREATE'
  return {
    ...operation,
    consequence,
    effect: created ? 'created' : 'updated',
    oldTarget: created ? undefined : target,
    target: object,
    targetId: object._id,
  }
}

/** What goes with a target that is deleted: on record, so that it can be undone. */
function lostWith({ secrets }: Applying, target: Resource | undefined): readonly Change[] {
  const { _id, _rev, ...attributes } = target ?? {}
  return diff(attributes, {}).map((change) =>
    secrets.isSecret(change.pointer) ? { ...change, secret: true } : change,
  )
}

export function notWritten(operation: Applied, error: Error, consequence: Consequence): Applied {
  const { action, targetId } = operation
  // It was deleted meanwhile: the wish is fulfilled.
  if (action === 'DELETE' && error instanceof Problem && error.status === 404)
    return { ...operation, consequence, effect: 'deleted' }
  const verb = action === 'CREATE' ? 'create' : action === 'DELETE' ? 'delete' : 'update'
  const what = targetId === undefined ? 'the target' : `target ${targetId}`
  const cause = withoutSecrets(error, operation)
  const why = `${cause.message}${violatedPolicies(cause)}`
  const failure = new Problem('SYNC_FAILED', `could not ${verb} ${what}: ${why}`, { cause })
  return { ...operation, consequence, inDoubt: leavesDoubt(error), refusedByTarget: true, failure }
}

/** ` (mail: VALID_EMAIL_ADDRESS_FORMAT)`: which policies the target refused, so that the message says it all. */
function violatedPolicies(error: Error | undefined): string {
  const detail = error instanceof Problem ? error.detail : undefined
  const failed = isJsonObject(detail) ? detail.failedPolicyRequirements : undefined
  if (!Array.isArray(failed)) return ''
  const requirements = new Map<string, string[]>()
  for (const { property, policyRequirements } of failed.filter(isJsonObject)) {
    const named = Array.isArray(policyRequirements) ? policyRequirements.filter(isJsonObject) : []
    const known = requirements.get(String(property)) ?? []
    requirements.set(String(property), [...known, ...named.map((one) => String(one.policyRequirement))])
  }
  return ` (${[...requirements].map(([property, names]) => `${property}: ${names.join(', ')}`).join('; ')})`
}
