import { asProblem, type Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { compensates } from '../type/scripts.ts'
import { isSynchronized, type Notified, type ObjectChange } from './changes.ts'
import { compensate } from './compensation.ts'
import { type Apply, ownChanges, type WriteContext, type WrittenPage } from './entry.ts'
import { runHook, withoutAfterwards } from './scripts.ts'
import { noteWrites, rememberingWrites, takeBack, withWhatStays, writtenIn } from './take-back.ts'

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
  noteWrites(request, writtenIn(page))
  let stays: Problem | undefined
  if (compiled.prepares) for (const change of own) stays ??= await runPostHook(context, change, page.others)
  if (page.due !== undefined) compiled.relations?.services.recomputation.expect(page.due)
  const follow = followUp(context, page, own)
  const within = withoutAfterwards(request)
  const { takeFollowUp } = request.chain ?? {}
  if (follow && takeFollowUp) takeFollowUp(position, () => follow(within))
  else await follow?.(within)
  if (stays) throw stays
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
  within: RequestContext,
): Promise<void> {
  const { compiled, onChange, store } = context
  const request = compensates(compiled.type) ? rememberingWrites(within, change) : within
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

/** If it throws, the write is taken back. Answers with the error if the write stays nevertheless. */
async function runPostHook(
  context: AfterCommit,
  change: ObjectChange,
  others: readonly ObjectChange[],
): Promise<Problem | undefined> {
  const { scripts, encryption } = context.compiled
  const { operation, before, after, id } = change
  const hook = ({ create: 'postCreate', update: 'postUpdate', delete: 'postDelete' } as const)[operation]
  if (!scripts.has(hook)) return undefined
  const [object, oldObject] = [
    after && (await encryption.decrypt(after)),
    before && (await encryption.decrypt(before)),
  ]
  const variables = { object: object ?? null, newObject: object ?? null, oldObject: oldObject ?? null }
  const request = rememberingWrites(context.request, change)
  try {
    await runHook({ ...context, request }, hook, id, variables)
    return undefined
  } catch (error) {
    const taken = await takeBack({ ...context, request }, change, others, `taken back: ${hook} failed`)
    const answer = taken.left.length > 0 ? withWhatStays(error, taken.left) : error
    if (taken.failed) return asProblem(answer)
    throw answer
  }
}
