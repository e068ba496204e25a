import { pages } from '../../kit/cookies.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import { everything, type Filter, matchesEverything } from '../../model/filter/filter.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import { type Pointer, printPointer } from '../../model/pointer.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import { project } from '../../router/fields.ts'
import type { Entry, ObjectSet, RequestContext } from '../../router/resources.ts'
import type { CompiledType } from '../type/compile.ts'

type Query = Parameters<ObjectSet['pages']>[0]

/** The stages of reading the objects of one type (managed-set.ts). */
interface Stages {
  readonly path: string
  readonly compiled: CompiledType
  readonly store: Store
  filter(filter: Filter): Promise<Filter>
  view(objects: readonly StoredObject[]): Promise<readonly StoredObject[]>
  entries(objects: readonly StoredObject[]): Promise<readonly Entry[]>
}

/**
 * A query of the engine: the same objects as by their ids, with what scripts compute (platform §6.2). The store answers what it
 * can; conditions on computed values are evaluated on what was retrieved. Nothing is computed that is not asked for.
 */
export async function* readPages(
  set: Stages,
  { filter, fields, pageSize }: Query,
  signal?: AbortSignal,
): AsyncGenerator<readonly Entry[], undefined> {
  const { store, path } = set
  if (matchesEverything(filter) && fields?.length === 1 && printPointer(fields[0] ?? []) === '/_id')
    return yield* idPages(set, pageSize, signal)
  const { stored, computed } = parted(filter, set.compiled.retrieval?.computes)
  const isMet = computed && compileFilter(computed)
  const computes = isMet !== undefined || asksForComputed(set, fields)
  const query = { filter: await set.filter(stored), pageSize }
  for await (const { result } of pages((from) => store.objects.query(path, { ...query, ...from }), signal)) {
    if (result.length === 0) continue
    const seen = await set.view(result)
    const read = computes ? await set.entries(seen) : seen
    // What cannot be read might match.
    const found = isMet ? read.filter((entry) => isUnreadable(entry) || isMet(entry)) : read
    if (found.length > 0) yield fields ? found.map((entry) => withFields(entry, fields)) : found
  }
  return undefined
}

/** Of every object its id, and nothing else: no object is read for that. */
async function* idPages(
  { store, path }: Stages,
  pageSize: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Entry[], undefined> {
  for await (const ids of store.objects.ids(path, pageSize)) {
    signal?.throwIfAborted()
    yield ids.map((_id) => ({ _id }))
  }
  return undefined
}

function withFields(entry: Entry, fields: readonly Pointer[]): Entry {
  return isUnreadable(entry) ? entry : project(entry, fields)
}

/** Of the engine's own reading. */
export const engine: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 'read' }

function asksForComputed({ compiled: { retrieval } }: Stages, fields: readonly Pointer[] | undefined) {
  if (!retrieval) return false
  return (fields && fields.length > 0 ? fields : [['*']]).some(retrieval.computes)
}

interface Parted {
  /** What the store can answer; more may meet it than the whole. */
  readonly stored: Filter
  /** What must be evaluated on computed values; absent: nothing. */
  readonly computed?: Filter
}

function parted(filter: Filter, computes: ((pointer: Pointer) => boolean) | undefined): Parted {
  if (!computes || !isComputed(filter, computes)) return { stored: filter }
  if (filter.kind !== 'and') return { stored: everything, computed: filter }
  const { computed = [], stored = [] } = Object.groupBy(filter.filters, (part) =>
    isComputed(part, computes) ? 'computed' : 'stored',
  )
  return { stored: { kind: 'and', filters: stored }, computed: { kind: 'and', filters: computed } }
}

function isComputed(filter: Filter, computes: (pointer: Pointer) => boolean): boolean {
  return pointersOf(filter).some(computes)
}
