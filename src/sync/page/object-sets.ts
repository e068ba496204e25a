import type { Mapping } from '../../mapping/mapping.ts'
import { isEverything } from '../../mapping/query.ts'
import { diff, patch } from '../../model/diff.ts'
import { everything } from '../../model/filter/filter.ts'
import type { Pointer } from '../../model/pointer.ts'
import { isUnreadable, parted } from '../../model/unreadable.ts'
import { project } from '../../router/fields.ts'
import type { Entry, ObjectSet, ObjectWriteRequest, Resource, Resources } from '../../router/resources.ts'

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
 * The same set, seen through some fields (engine §2.2, `defaultTargetFields`). An update replaces an object, so what is
 * written is made whole first: it must not erase what was not looked at (engine §6.6, [D]).
 */
function withFields(set: ObjectSet, fields: readonly Pointer[] | undefined): ObjectSet {
  if (!fields || isEverything(fields)) return set
  const { joining, judge } = set
  return {
    ...set,
    async readMany(ids, signal) {
      const found = await set.readMany(ids, signal)
      return new Map(
        [...found].map(([id, entry]) => [id, isUnreadable(entry) ? entry : project(entry, fields)]),
      )
    },
    writeMany: async (writes, request, signal, idsSuffice) =>
      set.writeMany(await madeWhole(set, fields, writes, signal), request, signal, idsSuffice),
    ...(judge && {
      judge: async (writes, before, request) =>
        judge(await madeWhole(set, fields, writes, undefined), before, request),
    }),
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
    const whole = write.operation === 'update' ? parted(stored.get(write.id)).object : undefined
    if (!whole || write.operation !== 'update') return write
    return { ...write, content: patch(diff(project(whole, fields), write.content), whole as Resource) }
  })
}

/**
 * The same set, read by ids whose case is not to be relied on (engine §5.4), because a link may know only the lower-case form:
 * what is not there under its id is looked for among all ids. These are read once, when first needed; what appears later under
 * a link has that link's spelling.
 */
export function ignoringCase(set: ObjectSet): ObjectSet {
  let spellings: Promise<ReadonlyMap<string, string>> | undefined

  async function readMany(ids: readonly string[], signal?: AbortSignal) {
    const found = await set.readMany(ids, signal)
    const missing = ids.filter((id) => !found.has(id))
    if (missing.length === 0) return found
    spellings ??= readSpellings(set, signal)
    const known = await spellings
    const elsewhere = missing.flatMap((id) => {
      const spelling = known.get(id.toLowerCase())
      return spelling === undefined || spelling === id ? [] : [[id, spelling] as const]
    })
    if (elsewhere.length === 0) return found
    const respelled = await set.readMany([...new Set(elsewhere.map(([, spelling]) => spelling))], signal)
    const all = new Map<string, Entry>(found)
    for (const [id, spelling] of elsewhere) {
      const object = respelled.get(spelling)
      if (object) all.set(id, object)
    }
    return all
  }

  return { ...set, readMany }
}

async function readSpellings(set: ObjectSet, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const spellings = new Map<string, string>()
  const query = { filter: everything, fields: [['_id']], pageSize: 5000 }
  for await (const page of set.pages(query, signal)) {
    for (const { _id } of page) spellings.set(_id.toLowerCase(), _id)
  }
  return spellings
}
