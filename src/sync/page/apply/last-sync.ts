import { assignmentsChanged } from '../../../mapping/assignments.ts'
import { copy } from '../../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { readableOf } from '../../../model/unreadable.ts'
import type { Resource } from '../../../router/resources.ts'
import { type Applied, wasOvertaken } from '../operation.ts'
import { onThose } from '../places.ts'
import type { Applying } from '../synchronization.ts'

/**
 * The built-in `postMapping` (engine §2.2): remembers in `lastSync` of a managed user which assignments were carried out, so
 * that one that the user loses can be undone. Written only where they changed.
 */
export async function rememberAssignments(
  sync: Applying,
  page: readonly Applied[],
): Promise<readonly Applied[]> {
  const { mapping } = sync.rules
  if (mapping.source !== 'managed/user' || mapping.hooks.postMapping !== undefined) return page
  const isChanged = ({ source, failure }: Applied) =>
    source !== undefined && !failure && assignmentsChanged(source, mapping.name)
  return onThose(page, isChanged, async (changed) => {
    // An object's assignments are the same under each qualifier.
    const sources = new Map(changed.flatMap(({ source }) => (source ? [[source._id, source] as const] : [])))
    const failures = await remember(sync, sources)
    const overtaken = new Map([...sources].filter(([id]) => wasOvertaken(failures.get(id))))
    // Once more for sources that were changed between the reading and the writing; other failures stay.
    const again = overtaken.size > 0 ? await remember(sync, overtaken) : failures
    return changed.map((operation) => {
      const id = operation.source?._id ?? ''
      const failure = (overtaken.has(id) ? again : failures).get(id)
      return failure ? { ...operation, failure } : operation
    })
  })
}

/** Answers what could not be remembered, by the id of the source. */
async function remember(
  { rules: { mapping }, resources, scripts, signal, store, apart }: Applying,
  sources: ReadonlyMap<string, Resource>,
): Promise<ReadonlyMap<string, Problem>> {
  const whole = resources.objectSet(mapping.source)
  const set = apart ? whole : (whole.joining?.(store) ?? whole)
  const stored = await set.readMany([...sources.keys()], signal)
  const timestamp = new Date().toISOString()
  const writes = readableOf([...stored.values()]).flatMap((object) => {
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
  // What is remembered is not synchronized to other systems (engine §2.2).
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
