import { assignmentsChanged } from '../../../mapping/assignments.ts'
import { copy } from '../../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { ObjectSet } from '../../../router/resources.ts'
import { type Operation, sourceIdOf } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'
import type { Writers } from './writers.ts'

/**
 * The built-in `postMapping` (engine §2.2): remembers in `lastSync` of a managed user which assignments
 * have been carried out, so that one that the user loses can be undone. Written only where they changed, a page at a
 * time; sources that never had an assignment cost nothing.
 */
export async function rememberAssignments(
  sync: Synchronization,
  operations: readonly Operation[],
  { store }: Writers,
): Promise<void> {
  const { mapping } = sync.rules
  if (mapping.source !== 'managed/user' || mapping.hooks.postMapping !== undefined) return
  const changed = operations.filter(
    ({ source, failure }) => source && !failure && assignmentsChanged(source, mapping.name),
  )
  if (changed.length === 0) return
  const set = sync.resources.objectSet(mapping.source)
  const sources = store !== sync.repository && set.joining ? set.joining(store) : set
  const outrun = await remember(sync, sources, changed)
  for (const { operation, error } of outrun.length > 0 ? await remember(sync, sources, outrun.map(only)) : [])
    operation.failure = error
}

interface Outrun {
  readonly operation: Operation
  readonly error: Problem
}

const only = ({ operation }: Outrun) => operation

/** Answers those whose source somebody else changed between the reading and the writing; other failures stay. */
async function remember(
  { rules: { mapping }, scripts, signal }: Synchronization,
  sources: ObjectSet,
  operations: readonly Operation[],
): Promise<readonly Outrun[]> {
  const byId = Map.groupBy(operations, (operation) => sourceIdOf(operation) as string)
  const stored = await sources.readMany([...byId.keys()], signal)
  const timestamp = new Date().toISOString()
  const writes = [...stored.values()].flatMap((object) => {
    const effectiveAssignments = byId.get(object._id)?.[0]?.source?.effectiveAssignments ?? []
    if (!assignmentsChanged({ ...object, effectiveAssignments }, mapping.name)) return []
    const lastSync = withEntry(object.lastSync, mapping.name, { effectiveAssignments, timestamp })
    const { leavesAlone } = sources
    const own = leavesAlone
      ? Object.fromEntries(Object.entries(object).filter(([name]) => !leavesAlone(name)))
      : object
    return [{ operation: 'update' as const, id: object._id, rev: object._rev, content: { ...own, lastSync } }]
  })
  if (writes.length === 0) return []
  // What is remembered is nobody else's business (engine §2.2).
  const chain = { ...scripts.request.chain, synchronizes: false }
  const results = await sources.writeMany(writes, { ...scripts.request, chain }, signal)
  return writes.flatMap(({ id }, position) => {
    const result = results[position]
    if (result?.ok) return []
    const cause = result?.error
    const message = `could not remember the assignments of ${mapping.source}/${id}: ${cause?.message ?? 'no answer'}`
    const error = new Problem('SYNC_FAILED', message, { cause })
    const isOutrun = cause instanceof Problem && cause.code === 'PRECONDITION_FAILED'
    const concerned = byId.get(id) ?? []
    if (!isOutrun) for (const operation of concerned) operation.failure = error
    return isOutrun ? concerned.map((operation) => ({ operation, error })) : []
  })
}

function withEntry(lastSync: Json | undefined, mapping: string, entry: JsonObject): JsonObject {
  return { ...(isJsonObject(lastSync) ? lastSync : {}), [mapping]: copy(entry) }
}
