import type { Store, StoredObject } from '../../repository/repository.ts'
import { mergeFailures, policyFailure } from '../policies/validator.ts'
import { writeRelated } from '../relationships/apply.ts'
import type { RelatedWrite } from '../relationships/wanted.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { isSynchronized, type ObjectChange } from './changes.ts'
import {
  eachEntry,
  type Outcome,
  type Ready,
  refused,
  type Settled,
  type WriteContext,
  type WriteResult,
  type WrittenPage,
} from './entry.ts'
import { failure } from './failure.ts'
import { type Candidate, internalUserConflicts, uniqueness } from './unique.ts'

/**
 * The stage in the store: policies that look at other objects, then the page is written, with its relationships where the
 * type has any. A fixed number of statements, whatever the size of the page.
 */
export async function storePage(
  context: WriteContext,
  store: Store,
  entries: readonly (Ready | Settled)[],
): Promise<WrittenPage> {
  const checked = await refuseDuplicates(store, context.compiled, entries)
  const ready = checked.filter((one) => one.kind === 'ready')
  const page = await writeReady(context, store, ready)
  const written = new Map<Ready | Settled, Outcome | undefined>(
    ready.map((one, at) => [one, page.outcomes[at]]),
  )
  return {
    ...page,
    outcomes: checked.map((one) => written.get(one) ?? { result: resultOf(context, one), change: undefined }),
  }
}

function resultOf({ compiled }: WriteContext, one: Ready | Settled): WriteResult {
  switch (one.kind) {
    case 'refused':
      return { ok: false, error: one.error }
    case 'unchanged':
      return { ok: true, object: one.object }
    case 'ready':
      return { ok: false, error: failure(`${compiled.collection}/${one.write.id}`, 'missing') }
  }
}

async function writeReady(
  { compiled, onChange, request }: WriteContext,
  store: Store,
  ready: readonly Ready[],
): Promise<WrittenPage> {
  const nothing = { others: [], pendingRecomputations: false, due: undefined }
  if (ready.length === 0) return { outcomes: [], ...nothing }
  const { collection, relations, oneByOne } = compiled
  if (relations) {
    const writes = ready.map(({ write, edits, before }): RelatedWrite => ({ write, edits, stored: before }))
    const listens = (set: string) => isSynchronized(onChange, set, request)
    const whole = request.external || oneByOne || listens(collection)
    return writeRelated(store, relations, writes, { isSynchronized: listens, whole })
  }
  const written = await store.objects.write(
    collection,
    ready.map(({ write }) => write),
  )
  const outcomes = ready.map((one, at): Outcome => {
    const outcome = written[at]
    if (outcome?.ok) return { result: outcome, change: changeBy(compiled, one, outcome.object) }
    const error = failure(`${collection}/${one.write.id}`, outcome?.reason ?? 'missing')
    return { result: { ok: false, error }, change: undefined }
  })
  return { outcomes, ...nothing }
}

function changeBy(
  { collection: path }: CompiledType,
  { write: { operation, id }, before }: Ready,
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
