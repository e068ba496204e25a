import { everything } from '../../model/filter/filter.ts'
import type { ObjectSet, Resource } from '../../router/resources.ts'

/**
 * The same set, reading objects by ids whose case is not to be relied on (engine §5.4): what is not
 * there under the id asked for is looked for among all ids. A link may know only the lower-case form, and an object
 * must not be taken for gone because of that. The ids are read once, when first needed: what appears later under a
 * link has that link's spelling.
 */
export function ignoringCase(set: ObjectSet): ObjectSet {
  let spellings: Promise<ReadonlyMap<string, string>> | undefined

  async function readMany(ids: readonly string[], signal?: AbortSignal) {
    const found = await set.readMany(ids, signal)
    const missing = ids.filter((id) => !found.has(id))
    if (missing.length === 0) return found
    spellings ??= readSpellings(set, signal)
    const known = await spellings
    const elsewhere = new Map<string, string>()
    for (const id of missing) {
      const spelling = known.get(id.toLowerCase())
      if (spelling !== undefined && spelling !== id) elsewhere.set(id, spelling)
    }
    if (elsewhere.size === 0) return found
    const respelled = await set.readMany([...new Set(elsewhere.values())], signal)
    const all = new Map<string, Resource>(found)
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
