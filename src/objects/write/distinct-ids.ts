import type { Store } from '../../repository/repository.ts'
import type { ManagedWrite } from './managed-write.ts'

/** Where a page is written: in a transaction of its own, or in the caller's. */
export type Within = <T>(work: (store: Store) => Promise<T>) => Promise<T>

/** The next write to the same object must see the first one's result, so it begins another page. */
export function pagesOfDistinctIds(writes: readonly ManagedWrite[]): readonly (readonly ManagedWrite[])[] {
  const pages: ManagedWrite[][] = []
  let ids = new Set<string>()
  for (const write of writes) {
    const id = requestedId(write)
    if (pages.length === 0 || (id !== undefined && ids.has(id))) {
      pages.push([])
      ids = new Set()
    }
    if (id !== undefined) ids.add(id)
    pages.at(-1)?.push(write)
  }
  return pages
}

function requestedId(write: ManagedWrite): string | undefined {
  if (write.operation !== 'create') return write.id
  return typeof write.content._id === 'string' ? write.content._id : write.id
}
