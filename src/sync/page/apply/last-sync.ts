import { assignmentsChanged } from '../../../mapping/assignments.ts'
import { copy } from '../../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { ObjectSet, Resource } from '../../../router/resources.ts'
import type { Applied } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'
import type { Writers } from './writers.ts'

/**
 * The built-in `postMapping` (engine §2.2): remembers in `lastSync` of a managed user which assignments
 * have been carried out, so that one that the user loses can be undone. Written only where they changed, a page at a
 * time; sources that never had an assignment cost nothing.
 */
export async function rememberAssignments(
  sync: Synchronization,
  page: readonly Applied[],
  { store }: Writers,
): Promise<readonly Applied[]> {
  const { mapping } = sync.rules
  if (mapping.source !== 'managed/user' || mapping.hooks.postMapping !== undefined) return page
  const changed = page.filter(
    ({ source, failure }) => source && !failure && assignmentsChanged(source, mapping.name),
  )
  if (changed.length === 0) return page
  const set = sync.resources.objectSet(mapping.source)
  const sources = store !== sync.repository && set.joining ? set.joining(store) : set
  const failures = await remember(sync, sources, bySource(changed))
  const outrun = new Map([...bySource(changed)].filter(([id]) => isOutrun(failures.get(id))))
  // Once more for those whose source somebody else changed between the reading and the writing; other failures stay.
  const again = outrun.size > 0 ? await remember(sync, sources, outrun) : failures
  return page.map((operation) => {
    const id = operation.source?._id
    if (id === undefined || !changed.includes(operation)) return operation
    const failure = (outrun.has(id) ? again : failures).get(id)
    return failure ? { ...operation, failure } : operation
  })
}

function isOutrun(failure: Problem | undefined): boolean {
  return failure?.cause instanceof Problem && failure.cause.code === 'PRECONDITION_FAILED'
}

/** The sources by their id; an object's assignments are the same under each qualifier. */
function bySource(page: readonly Applied[]): ReadonlyMap<string, Resource> {
  return new Map(page.flatMap(({ source }) => (source ? [[source._id, source] as const] : [])))
}

/** Answers what could not be remembered, by the id of the source. */
async function remember(
  { rules: { mapping }, scripts, signal }: Synchronization,
  set: ObjectSet,
  sources: ReadonlyMap<string, Resource>,
): Promise<ReadonlyMap<string, Problem>> {
  const stored = await set.readMany([...sources.keys()], signal)
  const timestamp = new Date().toISOString()
  const writes = [...stored.values()].flatMap((object) => {
    const effectiveAssignments = sources.get(object._id)?.effectiveAssignments ?? []
    if (!assignmentsChanged({ ...object, effectiveAssignments }, mapping.name)) return []
    const lastSync = withEntry(object.lastSync, mapping.name, { effectiveAssignments, timestamp })
    const { leavesAlone } = set
    const own = leavesAlone
      ? Object.fromEntries(Object.entries(object).filter(([name]) => !leavesAlone(name)))
      : object
    return [{ operation: 'update' as const, id: object._id, rev: object._rev, content: { ...own, lastSync } }]
  })
  if (writes.length === 0) return new Map()
  // What is remembered is nobody else's business (engine §2.2).
  const chain = { ...scripts.request.chain, synchronizes: false }
  const results = await set.writeMany(writes, { ...scripts.request, chain }, signal)
  return new Map(
    writes.flatMap(({ id }, position) => {
      const result = results[position]
      if (result?.ok) return []
      const cause = result?.error
      const why = cause?.message ?? 'no answer'
      const message = `could not remember the assignments of ${mapping.source}/${id}: ${why}`
      return [[id, new Problem('SYNC_FAILED', message, { cause })] as const]
    }),
  )
}

function withEntry(lastSync: Json | undefined, mapping: string, entry: JsonObject): JsonObject {
  return { ...(isJsonObject(lastSync) ? lastSync : {}), [mapping]: copy(entry) }
}
