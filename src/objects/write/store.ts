import { asProblem } from '../../model/problem.ts'
import type { Store, StoredObject } from '../../repository/repository.ts'
import { mergeFailures, policyFailure } from '../policies/validator.ts'
import { type RelatedPage, writeRelated } from '../relationships/apply.ts'
import type { RelatedWrite } from '../relationships/wanted.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { isHeard, type ObjectChange } from './changes.ts'
import { eachEntry, type Ready, refused, type Settled, type WriteContext, type WriteResult } from './entry.ts'
import { failure } from './failure.ts'
import { type Candidate, internalUserConflicts, uniqueness } from './unique.ts'

/** What the store made of a page; the transaction may still be taken back. */
export interface StoredPage extends Omit<RelatedPage, 'outcomes'> {
  /** At the places of the writes. */
  readonly results: readonly WriteResult[]
  /** Of the page itself, at the places of the writes; undefined where nothing changed. */
  readonly changes: readonly (ObjectChange | undefined)[]
}

/**
 * The stage in the store: policies that look at other objects, then the page is written, with its relationships where the
 * type has any. A fixed number of statements, whatever the size of the page.
 */
export async function storePage(
  context: WriteContext,
  store: Store,
  entries: readonly (Ready | Settled)[],
): Promise<StoredPage> {
  const checked = await refuseDuplicates(store, context.compiled, entries)
  const ready = checked.filter((one) => one.kind === 'ready')
  const { outcomes, ...rest } = await writeReady(context, store, ready)
  const places = new Map(ready.map((one, at) => [one, at]))
  const stored = checked.map((one) => {
    if (one.kind === 'ready') return outcomes[places.get(one) ?? -1] ?? neverWritten
    const result: WriteResult =
      one.kind === 'refused' ? { ok: false, error: one.error } : { ok: true, object: one.object }
    return { result, change: undefined }
  })
  return { ...rest, results: stored.map(({ result }) => result), changes: stored.map(({ change }) => change) }
}

const neverWritten: RelatedPage['outcomes'][number] = {
  result: { ok: false, error: asProblem(new Error('the write had no outcome')) },
  change: undefined,
}

async function writeReady(
  { compiled, onChange, request }: WriteContext,
  store: Store,
  ready: readonly Ready[],
): Promise<RelatedPage> {
  const nothing = { others: [], pendingRecomputations: false, due: undefined }
  if (ready.length === 0) return { outcomes: [], ...nothing }
  const { collection, relations, oneByOne } = compiled
  if (relations) {
    const writes = ready.map(({ write, edits, before }): RelatedWrite => ({ write, edits, stored: before }))
    const listens = (set: string) => isHeard(onChange, set, request)
    const whole = request.external || oneByOne || listens(collection)
    return writeRelated(store, relations, writes, { listens, whole })
  }
  const written = await store.objects.write(
    collection,
    ready.map(({ write }) => write),
  )
  const outcomes = ready.map(({ write, before }, at): RelatedPage['outcomes'][number] => {
    const outcome = written[at] ?? { ok: false, reason: 'missing' }
    if (!outcome.ok) {
      const error = failure(`${collection}/${write.id}`, outcome.reason)
      return { result: { ok: false, error }, change: undefined }
    }
    return { result: outcome, change: changeBy(compiled, write, before, outcome.object) }
  })
  return { outcomes, ...nothing }
}

function changeBy(
  { collection: path }: CompiledType,
  { operation, id }: Ready['write'],
  before: StoredObject | undefined,
  object: StoredObject,
): ObjectChange {
  return { operation, path, id, before, after: operation === 'delete' ? undefined : object }
}

async function refuseDuplicates(
  store: Store,
  { collection, unique, noInternalUsers }: CompiledType,
  entries: readonly (Ready | Settled)[],
): Promise<readonly (Ready | Settled)[]> {
  if (unique.length + noInternalUsers.length === 0) return entries
  const candidates = entries.flatMap((one) => (one.kind === 'ready' ? candidateOf(one) : []))
  const violations = await uniqueness(store.objects, collection, unique, candidates)
  const conflicts = await internalUserConflicts(store.objects, noInternalUsers, candidates)
  return eachEntry(entries, (one: Ready) => {
    const failures = candidateOf(one).flatMap((candidate) => [
      ...conflicts(candidate),
      ...violations(candidate),
    ])
    return failures.length > 0 ? refused(policyFailure(mergeFailures(failures), 'write')) : one
  })
}

function candidateOf({ write }: Ready): readonly Candidate[] {
  return write.operation === 'delete' ? [] : [write]
}
