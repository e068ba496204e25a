import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { parted } from '../../../model/unreadable.ts'
import { type IdWish, refusedWishes } from '../../../plan/id-wishes.ts'
import type { ObjectSet } from '../../../router/resources.ts'
import { type Applied, goesOn } from '../operation.ts'
import { askThose, onThose } from '../places.ts'
import type { Synchronization } from '../synchronization.ts'
import { refuseUnfit } from './unfit.ts'

/**
 * Fails operations that would give their target an id that another target has, or has by the comparison of the links, before
 * anything is written, and keeps: what the page itself gives up can be taken. The message names who has it.
 */
export async function refuseTakenIds(
  sync: Synchronization,
  page: readonly Applied[],
): Promise<readonly Applied[]> {
  const { targets } = sync
  const wanted = await askThose(
    page,
    (operation) => wantedId(operation, targets),
    (ids, places) => lookAt(sync, page, places, ids),
  )
  const refused = refusedWishes(wanted, targets.exchangesIds === true)
  if (refused.size === 0) return page
  const due = new Set([...refused.keys()].map((place) => page[place]))
  // What does not fit fails for that, whoever has its id: so it does not matter what else is on its page.
  const judged = await onThose(
    page,
    (operation) => due.has(operation),
    (some) => refuseUnfit(sync, some),
  )
  return judged.map((operation, place) => {
    const wish = wanted[place]
    if (!wish || !refused.has(place) || operation.failure) return operation
    const { id, holder, unreadable } = wish
    const winner = page[refused.get(place) ?? -1]
    const cause = unreadable ?? taken(targets.path, id, winner?.sourceId ?? holder)
    const what = operation.action === 'CREATE' ? 'create the target' : `update target ${operation.targetId}`
    return {
      ...operation,
      heldBy: [id],
      refusedByTarget: true,
      failure: new Problem('SYNC_FAILED', `could not ${what}: ${cause.message}`, { cause }),
    }
  })
}

interface Wanted extends IdWish {
  /** As the one that has it spells it. */
  readonly id: string
  /** The other source that is linked to the one that has it. */
  readonly holder: string | undefined
  /** It is not known who has it. */
  readonly unreadable: Problem | undefined
}

/** What stands under the ids that the operations at these places want. */
async function lookAt(
  sync: Synchronization,
  page: readonly Applied[],
  places: readonly number[],
  ids: readonly string[],
): Promise<readonly Wanted[]> {
  const { targets, foreseen, links } = sync
  const present = await targets.readMany([...new Set(ids)])
  const exists = ids.map((id) => foreseen.exists(id) ?? present.has(id))
  const holders = await holdersOf(sync, page, places, ids, exists)
  return ids.map((wantedId, place) => {
    const { holder, own = false } = holders[place] ?? {}
    const operation = page[places[place] ?? -1]
    const leaves = operation?.action === 'UPDATE' ? operation.target?._id : undefined
    const id = present.get(wantedId)?._id ?? wantedId
    const isItself = id.toLowerCase() === leaves?.toLowerCase()
    return {
      id,
      wants: links.normalTarget(id),
      leaves: leaves === undefined ? undefined : links.normalTarget(leaves),
      isTaken: (exists[place] === true && !isItself) || (holder !== undefined && !own),
      holder: own ? undefined : holder,
      unreadable: parted(present.get(wantedId)).problem,
    }
  })
}

/** The id that the target is to have and does not have yet, where it is known before the target is written. */
function wantedId(operation: Applied, targets: ObjectSet): string | undefined {
  const { action, desired, target, newId } = operation
  if (!desired || !goesOn(operation)) return undefined
  if (action === 'CREATE') return newId ?? (createdId(desired, targets) || undefined)
  if (action !== 'UPDATE' || !target) return undefined
  const id = targets.idOf({ operation: 'update', content: desired }, target._id)
  return id === target._id ? undefined : id
}

function createdId(content: JsonObject, targets: ObjectSet): string | undefined {
  return targets.idOf({ operation: 'create', content }, '')
}

interface Holding {
  /** The source that is linked to a target of that id. */
  readonly holder: string | undefined
  /** It is the source of the operation itself. */
  readonly own: boolean
}

/** Asked only where it matters: to name who has an id, or where ids that the target tells apart are one to the links. */
async function holdersOf(
  { links, foreseen, rules }: Synchronization,
  page: readonly Applied[],
  places: readonly number[],
  ids: readonly string[],
  exists: readonly boolean[],
): Promise<readonly Holding[]> {
  if (!rules.mapping.links.targetIgnoresCase && !exists.includes(true)) return []
  const operations = places.map((place) => page[place])
  const byQualifier = new Map<string, Awaited<ReturnType<typeof links.ofTargets>>>()
  for (const qualifier of new Set(operations.flatMap((one) => one?.linkQualifier ?? [])))
    byQualifier.set(qualifier, await links.ofTargets(qualifier, ids))
  return ids.map((id, place) => {
    const { linkQualifier = '', sourceId } = operations[place] ?? {}
    const planned = foreseen.linkedTo(linkQualifier, id)
    const stored = byQualifier.get(linkQualifier)?.get(id)?.sourceId
    const holder = planned === undefined ? stored : (planned ?? undefined)
    const normal = (one: string | undefined) => (one === undefined ? undefined : links.normalSource(one))
    return { holder, own: holder !== undefined && normal(holder) === normal(sourceId) }
  })
}

function taken(path: string, id: string, holder: string | undefined): Problem {
  const by = holder === undefined ? '' : `, which is linked to ${holder}`
  return new Problem('PRECONDITION_FAILED', `${path} already has an object "${id}"${by}`)
}
