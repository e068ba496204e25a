import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { ObjectWrite } from '../../repository/objects.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { writeRelated } from '../relationships/apply.ts'
import { compensates } from '../type/scripts.ts'
import { isSynchronized, type Notified, type ObjectChange } from './changes.ts'
import { type Apply, ownChanges, type WriteContext, type WrittenPage } from './entry.ts'
import { activityEvent, isActivity, undone } from './record.ts'
import { runHook, withoutAfterwards } from './scripts.ts'

export interface AfterCommit extends WriteContext {
  readonly repository: Repository
  /** Undoes a change that could not be synchronized. */
  readonly apply: Apply
}

/**
 * The stage after the transaction: `postCreate` and its kind, then synchronization, `onSync`, and what depends on the
 * changes from further away. A `post…` script that throws takes the write back (platform §6.2, [D]).
 */
export async function afterCommit(context: AfterCommit, page: WrittenPage, position: number): Promise<void> {
  const { compiled, request } = context
  const own = ownChanges(page)
  if (compiled.oneByOne) for (const change of own) await runPostHook(context, change, page.others)
  if (page.due !== undefined) compiled.relations?.services.recomputation.expect(page.due)
  const follow = followUp(context, page, own)
  if (!follow) return
  const within = withoutAfterwards(request)
  const { afterwards } = request.chain ?? {}
  if (afterwards) afterwards(position, () => follow(within))
  else await follow(within)
}

/** Undefined where nothing follows. */
function followUp(
  context: AfterCommit,
  { others, pendingRecomputations }: WrittenPage,
  own: readonly ObjectChange[],
): ((within: RequestContext) => Promise<void>) | undefined {
  const { compiled, onChange, request } = context
  const isSilent = request.chain?.synchronizes === false || request.readOnly === true
  const asks = !isSilent && (compensates(compiled.type) || compiled.scripts.has('onSync'))
  // Together, so that what follows goes in pages as well; nothing of it fails the write.
  const rest = [...(asks ? [] : own), ...others].filter(({ path }) => isSynchronized(context, path))
  const asking = asks ? own : []
  if (asking.length + rest.length === 0 && !pendingRecomputations) return undefined
  return async (within) => {
    for (const change of asking) await synchronizeAsking(context, change, within)
    if (rest.length > 0) await onChange.notify(rest, within)
    if (pendingRecomputations) await compiled.relations?.services.recomputation.recompute(within)
  }
}

/** The type wants to know what came of it. */
async function synchronizeAsking(
  context: AfterCommit,
  change: ObjectChange,
  request: RequestContext,
): Promise<void> {
  const { compiled, onChange, store } = context
  const isHeard = isSynchronized({ onChange, request }, change.path)
  const [answer] = isHeard ? await onChange.notify([change], request) : []
  const action = ({ create: 'notifyCreate', update: 'notifyUpdate', delete: 'notifyDelete' } as const)[
    change.operation
  ]
  const notified: Notified = answer ?? { success: true, action, syncDetails: [] }
  if (compensates(compiled.type)) return compensate(context, change, notified, request)
  // A `post…` script, or a mapping's, may have changed it.
  const read = change.after && (await store.objects.read(change.path, [change.id]))
  const newObject = read?.get(change.id) ?? null
  const oldObject = change.before ? await compiled.encryption.decrypt(change.before) : null
  const syncResults = { ...notified, syncDetails: [...notified.syncDetails] }
  await runHook({ ...context, request }, 'onSync', change.id, { oldObject, newObject, syncResults })
}

/** If it throws, the write is undone. */
async function runPostHook(
  context: AfterCommit,
  change: ObjectChange,
  others: readonly ObjectChange[],
): Promise<void> {
  const { scripts, encryption } = context.compiled
  const { operation, before, after, id } = change
  const hook = ({ create: 'postCreate', update: 'postUpdate', delete: 'postDelete' } as const)[operation]
  if (!scripts.has(hook)) return
  const [object, oldObject] = [
    after && (await encryption.decrypt(after)),
    before && (await encryption.decrypt(before)),
  ]
  const variables = { object: object ?? null, newObject: object ?? null, oldObject: oldObject ?? null }
  try {
    await runHook(context, hook, id, variables)
  } catch (error) {
    await takeBack(context, change, others, `taken back: ${hook} failed`)
    throw error
  }
}

async function takeBack(
  { compiled, repository, request, onChange }: AfterCommit,
  change: ObjectChange,
  others: readonly ObjectChange[],
  message: string,
): Promise<void> {
  const { relations, collection } = compiled
  const write = opposite(change)
  await repository.transaction(async (store) => {
    const work = relations && { store, relations, isSynchronized: () => false, whole: false }
    if (work) await writeRelated(work, [{ write }])
    else await store.objects.write(collection, [write])
    if (isActivity(request))
      await store.audit.append([activityEvent(undone(change), compiled, request, { message })])
    for (const one of [change, ...others]) await onChange.withdraw(store, one)
  })
}

/** The write that makes a change undone, unless another write has come since. */
function opposite({ operation, id, before, after }: ObjectChange): ObjectWrite {
  const { _id, _rev, ...content }: JsonObject = before ?? {}
  switch (operation) {
    case 'create':
      return { operation: 'delete', id, rev: after?._rev }
    case 'update':
      return { operation: 'update', id, rev: after?._rev, content }
    case 'delete':
      return { operation: 'create', id, content }
  }
}

/**
 * The shipped `onSync` (engine §8.4): a change that could not be synchronized is undone. Undoing is synchronized, too, so it
 * restores the systems that already had the change. Then the client gets the first failure. A failure while undoing is not
 * compensated again.
 */
async function compensate(
  { apply }: AfterCommit,
  change: ObjectChange,
  { success, syncDetails }: Notified,
  request: RequestContext,
): Promise<void> {
  if (success || request.chain?.compensating) return
  const chain = { ...request.chain, compensating: true }
  const [outcome] = await apply([opposite(change)], { ...request, chain }).catch((error) => [
    { ok: false as const, error },
  ])
  const failed = syncDetails.find((result) => isJsonObject(result) && result.result === 'FAILED')
  const cause = isJsonObject(failed) && isJsonObject(failed.cause) ? failed.cause : {}
  const left =
    outcome && !outcome.ok
      ? `; and ${change.path}/${change.id} could not be set back: ${asProblem(outcome.error).message}`
      : ''
  throw new Problem('SYNC_FAILED', `${cause.message ?? 'synchronization failed'}${left}`, {
    detail: syncDetails.map(withoutValues),
  })
}

/** Scripts need the target's former value to set it back. A client may not be allowed to see it. */
function withoutValues(result: Json): Json {
  if (!isJsonObject(result)) return result
  const { oldTargetValue: _, ...shown } = result
  return shown
}
