import type { Json, JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { ObjectWrite, StoredObject } from '../../repository/objects.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { isSynchronized, nothingSynchronized, type ObjectChange } from './changes.ts'
import { ownChanges, type WriteContext, type WrittenPage } from './entry.ts'
import { record } from './record.ts'
import { withoutAfterwards } from './scripts.ts'
import { storePage } from './store.ts'
import { whatStays } from './what-stays.ts'

/**
 * Taking a write back: the object becomes what it was before, also if scripts or mappings of the same chain of requests have
 * written it meanwhile. What others have written in between is never lost: then the write stays, and the answer says so.
 */

/** What has become of a changed object until now. */
type Standing =
  | { readonly kind: 'untouched' | 'written by this chain'; readonly current: StoredObject | undefined }
  | { readonly kind: 'written by others' }

/** The request, remembering which revisions it has written itself from this change on. */
export function rememberingWrites(request: RequestContext, change: ObjectChange): RequestContext {
  const revisions = request.chain?.revisions ?? new Map<string, string | undefined>()
  const remembering = { ...request, chain: { ...request.chain, revisions } }
  noteWrites(remembering, [change])
  return remembering
}

/** After each commit, so that those further up in the chain know their own writes. */
export function noteWrites({ chain }: RequestContext, changes: readonly ObjectChange[]): void {
  if (chain?.revisions) for (const change of changes) chain.revisions.set(keyOf(change), change.after?._rev)
}

export function writtenIn(page: WrittenPage): readonly ObjectChange[] {
  return [...ownChanges(page), ...page.others]
}

/** `request` has remembered the writes since the change. */
export async function standingOf(
  store: Store,
  change: ObjectChange,
  { chain }: RequestContext,
): Promise<Standing> {
  const current = (await store.objects.read(change.path, [change.id])).get(change.id)
  if (current?._rev === change.after?._rev) return { kind: 'untouched', current }
  const isOwn = chain?.revisions?.has(keyOf(change)) && chain.revisions.get(keyOf(change)) === current?._rev
  return isOwn ? { kind: 'written by this chain', current } : { kind: 'written by others' }
}

/** The write that restores what was before the change; undefined if nothing is to do. */
export function restoring(
  { id, before }: ObjectChange,
  current: StoredObject | undefined,
): ObjectWrite | undefined {
  const { _id, _rev, ...content }: JsonObject = before ?? {}
  if (!current) return before && { operation: 'create', id, content }
  if (!before) return { operation: 'delete', id, rev: current._rev }
  return { operation: 'update', id, rev: current._rev, content }
}

/** What became of taking a write back. */
export interface TakenBack {
  /** True: the object could not be restored, so its change goes on to other systems. */
  readonly failed: boolean
  /** What stays, in words. */
  readonly left: readonly string[]
}

type TakeBack = WriteContext & { readonly repository: Repository }

/**
 * Takes back a change of which no system outside knows yet, unless scripts have written the object since: their change has been
 * synchronized, and so is this one.
 */
export async function takeBack(
  context: TakeBack,
  change: ObjectChange,
  others: readonly ObjectChange[],
  message: string,
): Promise<TakenBack> {
  const stays = (why: string) => ({
    failed: true,
    left: [`${change.path}/${joinPath(change.id)} could not be taken back: ${why}`],
  })
  try {
    const restored = await restore(context, change, others, message)
    if (!restored) return stays(writtenByOthers)
    noteWrites(context.request, restored.written)
    return { failed: false, left: await synchronizeAgain(context, change, restored.synchronized) }
  } catch (error) {
    return stays(asProblem(error).message)
  }
}

interface Restored {
  readonly written: readonly ObjectChange[]
  /** Those that systems outside have to follow. */
  readonly synchronized: readonly ObjectChange[]
}

/** Undefined if others have written the object. */
function restore(
  context: TakeBack,
  change: ObjectChange,
  others: readonly ObjectChange[],
  message: string,
): Promise<Restored | undefined> {
  return context.repository.transaction(async (store) => {
    const standing = await standingOf(store, change, context.request)
    if (standing.kind === 'written by others') return undefined
    const { kind, current } = standing
    for (const one of [change, ...others]) await context.onChange.withdraw(store, one)
    const write = restoring(change, current)
    if (!write) return { written: [], synchronized: [] }
    const onChange = kind === 'untouched' ? nothingSynchronized : context.onChange
    const within = { ...context, store, onChange }
    const page = await storePage(within, [{ write, stored: current, old: current }])
    // Gives the transaction up, with what it has withdrawn.
    for (const { result } of page.outcomes) if (!result.ok) throw result.error
    await record(within, page, message)
    const written = writtenIn(page)
    const synchronized = written.filter(({ path }) => isSynchronized({ ...context, onChange }, path))
    return { written, synchronized }
  })
}

async function synchronizeAgain(
  { onChange, request }: TakeBack,
  taken: ObjectChange,
  changes: readonly ObjectChange[],
): Promise<readonly string[]> {
  if (changes.length === 0) return []
  const back: Json[] = []
  const within = withoutAfterwards(request)
  const compensating = (results: readonly Json[]) => void back.push(...results)
  const answers = await onChange.notify(changes, { ...within, chain: { ...within.chain, compensating } })
  return whatStays(taken, [...answers.flatMap(({ syncDetails }) => syncDetails), ...back])
}

export const writtenByOthers = 'others have changed it meanwhile'

/** The error, saying what stays although it was answered. */
export function withWhatStays(error: unknown, left: readonly string[]): Problem {
  const { code, message, detail, status, hint } = asProblem(error)
  return new Problem(code, [message, ...left].join('; and '), { cause: error, detail, status, hint })
}

function keyOf({ path, id }: ObjectChange): string {
  return `${path}/${id}`
}
