import type { JsonObject } from '../../model/json.ts'
import type { Store } from '../../repository/repository.ts'
import type { ObjectWriteResult, RequestContext } from '../../router/resources.ts'
import type { CompiledType, Relations } from '../type/compiled-type.ts'
import type { ObjectChange, OnChange } from '../write/changes.ts'
import { pagesOfDistinctIds, type Within } from '../write/distinct-ids.ts'
import { follow, isHeard } from '../write/follow.ts'
import type { ManagedWrite } from '../write/managed-write.ts'
import { prepare, refuseDuplicates } from '../write/prepare.ts'
import { recordChanges } from './recompute.ts'
import { shown } from './wanted.ts'
import { type RelatedPage, type RelatedWrite, writeRelated } from './write-related.ts'

/**
 * Writes pages of objects that have relationships, or to which others may: as pages.ts does, with all that a page changes at
 * other ends in the same transaction. Afterwards, what depends on it from further away is looked after.
 */
export async function applyRelated(
  compiled: CompiledType & { readonly relations?: Relations | undefined },
  onChange: OnChange,
  within: (listening: boolean) => Within,
  writes: readonly ManagedWrite[],
  request: RequestContext,
): Promise<readonly ObjectWriteResult[]> {
  const relations = compiled.relations as Relations
  const results: ObjectWriteResult[] = []
  for (const page of pagesOfDistinctIds(writes)) {
    const start = results.length
    const written = await within(true)((store) =>
      writePage(store, { compiled, relations, onChange, request }, page),
    )
    results.push(...written.results)
    await carryOn(written, { relations, onChange, request }, start)
  }
  return results
}

interface Surroundings {
  readonly compiled: CompiledType
  readonly relations: Relations
  readonly onChange: OnChange
  readonly request: RequestContext
}

interface WrittenPage extends Pick<RelatedPage, 'noted' | 'due'> {
  readonly results: readonly ObjectWriteResult[]
  readonly changes: readonly ObjectChange[]
}

async function writePage(
  store: Store,
  { compiled, relations, onChange, request }: Surroundings,
  page: readonly ManagedWrite[],
): Promise<WrittenPage> {
  const { collection } = compiled
  const ids = page.flatMap((write) => (write.operation === 'update' ? [write.id] : []))
  const stored = ids.length > 0 ? await store.objects.read(collection, ids) : new Map()
  const whole = await withRequired(store, relations, page)
  const prepared = page.map((write, at) => prepare(compiled, whole[at] ?? write, stored))
  const checked = await refuseDuplicates(store, compiled, prepared)
  const places = new Map<number, number>()
  const related: RelatedWrite[] = []
  checked.forEach((one, at) => {
    if (one.kind !== 'write') return
    const { edits } = page[at] as ManagedWrite
    places.set(at, related.push({ write: one.write, edits }) - 1)
  })
  const listens = (set: string) => isHeard(onChange, set, request)
  const { outcomes, others, noted, due } = await writeRelated(store, relations, related, {
    listens,
    whole: listens(collection),
  })
  const results = checked.map((one, at): ObjectWriteResult => {
    if (one.kind === 'refused') return { ok: false, error: one.error }
    if (one.kind === 'unchanged') return { ok: true, object: one.object }
    return outcomes[places.get(at) as number]?.result as ObjectWriteResult
  })
  const changes = [...outcomes.flatMap(({ change }) => change ?? []), ...others]
  const isPatch = (change: ObjectChange) =>
    change.path === collection &&
    page.some(
      (write) => write.operation === 'update' && write.id === change.id && write.patched !== undefined,
    )
  await recordChanges(store, relations, changes, { onChange, request, isPatch })
  return { results, changes, noted, due }
}

/** After the transaction, and after `first`: what has changed goes on its way, together, so that what follows goes in pages as well. */
export async function carryOn(
  { changes, noted, due }: Pick<WrittenPage, 'changes' | 'noted' | 'due'>,
  { relations, onChange, request }: Omit<Surroundings, 'compiled'>,
  position: number,
  first?: (within: RequestContext) => Promise<void>,
): Promise<void> {
  const { surroundings } = relations
  if (due !== undefined) surroundings.expect(due)
  const heard = changes.filter(({ path }) => isHeard(onChange, path, request))
  if (heard.length === 0 && !noted && !first) return
  await follow(position, request, async (within) => {
    await first?.(within)
    if (heard.length > 0) await onChange.notify(heard, within)
    if (noted) await surroundings.settle(within)
  })
}

/** Policies look at relationships that an object must have, mentioned or not. */
export async function withRequired(
  store: Store,
  { type }: Relations,
  page: readonly ManagedWrite[],
): Promise<readonly (ManagedWrite | undefined)[]> {
  if (type.required.length === 0) return []
  const ids = page.flatMap((write) => (write.operation === 'update' ? [write.id] : []))
  const found = await store.relationships.of(type.collection, ids, { properties: type.required })
  return page.map((write) => {
    if (write.operation !== 'update') return undefined
    const content: JsonObject = { ...write.content }
    for (const name of type.required) {
      const property = type.properties.get(name)
      const seen = (found.get(write.id) ?? []).filter(({ own }) => own.property === name)
      if (property && content[name] === undefined && seen.length > 0) content[name] = shown(property, seen)
    }
    return { ...write, content }
  })
}
