import { policyFailure } from '../policies/validator.ts'
import { writeRelated } from '../relationships/apply.ts'
import { failure, isSynchronized } from './changes.ts'
import {
  type Draft,
  type Entry,
  eachDraft,
  type Outcome,
  refused,
  type WriteContext,
  type WrittenPage,
} from './entry.ts'
import { conflicts, type Giver } from './unique.ts'

/**
 * The stage in the store: policies that look at other objects, then the page is written, with its relationships where the
 * type has any. A fixed number of statements, whatever the size of the page.
 */
export async function storePage(context: WriteContext, entries: readonly Entry[]): Promise<WrittenPage> {
  const checked = await refuseConflicts(context, entries)
  const page = await writeDrafts(
    context,
    checked.filter((one) => 'write' in one),
  )
  const written = page.outcomes.values()
  const outcomes = checked.map((one): Outcome => {
    if ('ok' in one) return { result: one, change: undefined }
    const { value } = written.next()
    const outcome = value ?? { result: refused(failure(one.write.id, 'missing')), change: undefined }
    return { ...outcome, patched: one.patched !== undefined }
  })
  return { ...page, outcomes }
}

async function writeDrafts(context: WriteContext, drafts: readonly Draft[]): Promise<WrittenPage> {
  const { compiled, request, store } = context
  const { collection: path, relations, prepares } = compiled
  const nothing = { others: [], pendingRecomputations: false, due: undefined }
  if (drafts.length === 0) return { outcomes: [], ...nothing }
  if (relations) {
    const listens = (set: string) => isSynchronized(context, set)
    const whole = request.external || prepares || listens(path)
    return writeRelated({ store, relations, isSynchronized: listens, whole }, drafts)
  }
  const writes = drafts.map(({ write }) => write)
  const written = await store.objects.write(path, writes)
  const outcomes = drafts.map(({ write: { operation, id }, stored }, at): Outcome => {
    const result = written[at]
    if (!result?.ok) {
      const error = failure(`${path}/${id}`, result?.reason ?? 'missing')
      return { result: refused(error), change: undefined }
    }
    const after = operation === 'delete' ? undefined : result.object
    return { result, change: { operation, path, id, before: stored, after } }
  })
  return { outcomes, ...nothing }
}

async function refuseConflicts(
  { store, compiled }: WriteContext,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  if (!compiled.enforced || compiled.unique.length + compiled.noInternalUsers.length === 0) return entries
  const drafts = entries.filter((one) => 'write' in one)
  const candidates = drafts.flatMap(({ write }) => (write.operation === 'delete' ? [] : [write]))
  const failed = await conflicts(
    store.objects,
    compiled,
    candidates,
    drafts.length > 1 ? giversAmong(compiled, drafts) : [],
  )
  if (failed.size === 0) return entries
  return eachDraft(entries, (draft) => {
    const { write } = draft
    const failures = write.operation === 'delete' ? [] : (failed.get(write) ?? [])
    return failures.length > 0 ? refused(policyFailure(failures, 'write')) : draft
  })
}

/** Those that are certain to be written: what changes relationships, too, may still be refused. */
export function giversAmong(
  { unique, relations }: WriteContext['compiled'],
  drafts: readonly Pick<Draft, 'write' | 'edits'>[],
): readonly Giver[] {
  if (unique.length === 0) return []
  return drafts.flatMap(({ write, edits }): Giver[] => {
    if (write.operation === 'create' || edits) return []
    const { id, rev } = write
    if (write.operation === 'delete') return relations ? [] : [{ id, rev, content: undefined }]
    const { content } = write
    const isRelated = relations && Object.keys(content).some((name) => relations.type.properties.has(name))
    return isRelated ? [] : [{ id, rev, content }]
  })
}
