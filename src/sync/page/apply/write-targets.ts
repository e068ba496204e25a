import { type Change, diff } from '../../../model/diff.ts'
import { parted } from '../../../model/unreadable.ts'
import type { Resource, TakeFollowUp } from '../../../router/resources.ts'
import { shapePage } from '../decide.ts'
import { type Applied, goesOn, wasOvertaken } from '../operation.ts'
import { askThose, onThose } from '../places.ts'
import type { Applying } from '../synchronization.ts'
import { intend, withdraw } from './intents.ts'
import { notWritten, writeOf } from './write-of.ts'

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
      return targets.writeMany(writes, { ...request, chain }, sync.signal, !rules.interleaved)
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

type Consequence = Applied['consequence']

function written(sync: Applying, operation: Applied, object: Resource, consequence: Consequence): Applied {
  const { action, target, desired } = operation
  if (action === 'DELETE')
    return { ...operation, consequence, effect: 'deleted', lost: lostWith(sync, target) }
  const created = action === 'CREATE'
  return {
    ...operation,
    consequence,
    effect: created ? 'created' : 'updated',
    oldTarget: created ? undefined : target,
    // Hooks alone look at it again; where there are none, it is as it was to be.
    target: sync.rules.interleaved ? object : { ...desired, _id: object._id },
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
