import type { Listing } from '../../model/listing.ts'
import { Problem } from '../../model/problem.ts'
import { Unreadable } from '../../model/unreadable.ts'
import type { Entry, ObjectSet, ResourceProvider } from '../../router/resources.ts'

/** What reading a set does not give. */
export interface Damage {
  /** Objects that cannot be read. */
  readonly unreadable?: readonly string[]
  /** Objects whose ids cannot be read, either. */
  readonly hidden?: readonly string[]
  readonly listing?: Listing
}

/** The provider, its sets looking as their damage makes them look, by path. */
export function damaged(provider: ResourceProvider, damages: ReadonlyMap<string, Damage>): ResourceProvider {
  return {
    ...provider,
    objectSet(path) {
      const set = provider.objectSet?.(path)
      return set && damagedSet(set, () => damages.get(set.path) ?? {})
    },
  }
}

function damagedSet(set: ObjectSet, damage: () => Damage): ObjectSet {
  const seen = (entry: Entry): Entry[] => {
    const { unreadable = [], hidden = [] } = damage()
    if (hidden.includes(entry._id)) return []
    const problem = new Problem('UNREADABLE', `line of ${entry._id}: it cannot be read`)
    return unreadable.includes(entry._id) ? [new Unreadable(entry._id, problem)] : [entry]
  }
  return {
    ...set,
    async *pages(query, signal) {
      for await (const page of set.pages(query, signal)) yield page.flatMap(seen)
      return damage().listing
    },
    async readMany(ids, signal) {
      const found = await set.readMany(ids, signal)
      return new Map([...found].flatMap(([id, entry]) => seen(entry).map((one) => [id, one] as const)))
    },
  }
}
