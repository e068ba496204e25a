import type { ObjectWriteOutcome, Store, StoredObject } from '../../repository/repository.ts'
import type { ObjectWriteResult } from '../../router/resources.ts'
import { applyRelated } from '../relationships/apply.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { activityEvent, isActivity } from './activity.ts'
import type { ObjectChange, OnChange } from './changes.ts'
import { pagesOfDistinctIds, type Within } from './distinct-ids.ts'
import { follow, isHeard } from './follow.ts'
import type { Apply, ManagedWrite } from './managed-write.ts'
import { asResult, type Prepared, prepare, refuseDuplicates } from './prepare.ts'

/**
 * Writes pages of objects of a type without triggers: defaults, validation and the question whether anything changes are
 * settled for the whole page, then one repository call writes it. An update that changes nothing answers the stored object
 * and writes nothing. `within` says where: `listening` is true if something is to be stored together with the changes.
 */
export function applyInPages(
  compiled: CompiledType,
  onChange: OnChange,
  within: (listening: boolean) => Within,
): Apply {
  return async (writes, request) => {
    const listening = isHeard(onChange, compiled.collection, request)
    const recording = isActivity(request)
    const noting = listening || recording
    const results: ObjectWriteResult[] = []
    if (compiled.relations) return applyRelated(compiled, onChange, within, writes, request)
    for (const page of pagesOfDistinctIds(writes)) {
      const start = results.length
      const written = await within(noting)(async (store) => {
        const outcome = await writePage(store, compiled, page, noting)
        const changes = outcome.changes.filter((change) => change !== undefined)
        if (recording && changes.length > 0)
          await store.audit.append(
            changes.map((change) =>
              activityEvent(change, compiled, request, { patched: isPatch(page, change) }),
            ),
          )
        if (listening && changes.length > 0) await onChange.enlist(store, changes, request)
        return outcome
      })
      results.push(...written.results)
      const changes = written.changes.filter((change) => change !== undefined)
      if (listening && changes.length > 0) {
        // Together, so that what follows goes in pages as well; nothing of it fails the write.
        await follow(start, request, async (within) => {
          await onChange.notify(changes, within)
        })
      }
    }
    return results
  }
}

function isPatch(page: readonly ManagedWrite[], { id }: ObjectChange): boolean {
  return page.some((write) => write.operation === 'update' && write.id === id && write.patched !== undefined)
}

interface WrittenPage {
  readonly results: readonly ObjectWriteResult[]
  /** At the place of their write; undefined where nothing changed, or nobody wants to know. */
  readonly changes: readonly (ObjectChange | undefined)[]
}

async function writePage(
  store: Store,
  compiled: CompiledType,
  page: readonly ManagedWrite[],
  noting: boolean,
): Promise<WrittenPage> {
  const { collection } = compiled
  const stored = await storedBefore(store, compiled, page, noting)
  const prepared = page.map((write) => prepare(compiled, write, stored))
  const checked = await refuseDuplicates(store, compiled, prepared)
  const writes = checked.flatMap((one) => (one.kind === 'write' ? [one.write] : []))
  const outcomes = writes.length > 0 ? await store.objects.write(collection, writes) : []
  const next = outcomes.values()
  const changes: (ObjectChange | undefined)[] = []
  const results = checked.map((one): ObjectWriteResult => {
    if (one.kind === 'refused') return { ok: false, error: one.error }
    if (one.kind === 'unchanged') return { ok: true, object: one.object }
    const outcome = next.next().value as ObjectWriteOutcome
    return asResult(`${collection}/${one.write.id}`, outcome)
  })
  if (noting) {
    checked.forEach((one, position) => {
      const result = results[position]
      changes.push(one.kind === 'write' && result?.ok ? changeBy(compiled, one, stored, result) : undefined)
    })
  }
  return { results, changes }
}

function changeBy(
  { collection: path }: CompiledType,
  { write: { operation, id } }: Prepared & { kind: 'write' },
  stored: ReadonlyMap<string, StoredObject>,
  { object }: ObjectWriteResult & { ok: true },
): ObjectChange {
  const before = operation === 'create' ? undefined : stored.get(id)
  return { operation, path, id, before, after: operation === 'delete' ? undefined : (object as StoredObject) }
}

async function storedBefore(
  store: Store,
  { collection }: CompiledType,
  page: readonly ManagedWrite[],
  noting: boolean,
): Promise<ReadonlyMap<string, StoredObject>> {
  const needed = (write: ManagedWrite) =>
    write.operation === 'update' || (noting && write.operation === 'delete')
  const ids = page.flatMap((write) => (write.operation !== 'create' && needed(write) ? [write.id] : []))
  return ids.length > 0 ? store.objects.read(collection, ids) : new Map()
}
