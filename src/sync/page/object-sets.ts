import type { Mapping } from '../../mapping/mapping.ts'
import { isEverything } from '../../mapping/query.ts'
import { diff, patch } from '../../model/diff.ts'
import type { Pointer } from '../../model/pointer.ts'
import { project } from '../../router/fields.ts'
import type { ObjectSet, ObjectWriteRequest, Resource, Resources } from '../../router/resources.ts'
import { ignoringCase } from './spelling.ts'

/** The sources of a mapping as the mapping wants to see them: its default fields, whatever the case of ids. */
export function sourceSet(resources: Resources, { source, links, reconciliation }: Mapping): ObjectSet {
  const set = resources.objectSet(source)
  return withFields(links.sourceIgnoresCase ? ignoringCase(set) : set, reconciliation.sourceFields)
}

/** The targets of a mapping, alike. */
export function targetSet(resources: Resources, { target, links, reconciliation }: Mapping): ObjectSet {
  const set = resources.objectSet(target)
  return withFields(links.targetIgnoresCase ? ignoringCase(set) : set, reconciliation.targetFields)
}

/**
 * The same set, of whose objects nothing but some fields is seen (engine §2.2, `defaultTargetFields`).
 * What is written is made whole again first: an update replaces an object, and must not erase what nobody has
 * looked at (engine §6.6, [D]).
 */
function withFields(set: ObjectSet, fields: readonly Pointer[] | undefined): ObjectSet {
  if (!fields || isEverything(fields)) return set
  const { joining } = set
  return {
    ...set,
    async readMany(ids, signal) {
      const found = await set.readMany(ids, signal)
      return new Map([...found].map(([id, object]) => [id, project(object, fields)]))
    },
    writeMany: async (writes, request, signal) =>
      set.writeMany(await madeWhole(set, fields, writes, signal), request, signal),
    ...(joining && { joining: (transaction) => withFields(joining(transaction), fields) }),
  }
}

async function madeWhole(
  set: ObjectSet,
  fields: readonly Pointer[],
  writes: readonly ObjectWriteRequest[],
  signal: AbortSignal | undefined,
): Promise<readonly ObjectWriteRequest[]> {
  const ids = writes.flatMap((write) => (write.operation === 'update' ? [write.id] : []))
  if (ids.length === 0) return writes
  const stored = await set.readMany(ids, signal)
  return writes.map((write) => {
    const whole = write.operation === 'update' ? stored.get(write.id) : undefined
    if (!whole || write.operation !== 'update') return write
    return { ...write, content: patch(diff(project(whole, fields), write.content), whole as Resource) }
  })
}
