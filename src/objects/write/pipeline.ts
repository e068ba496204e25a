import type { Repository, Store } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { type CompiledType, isAlone } from '../type/compile.ts'
import { afterCommit } from './after-commit.ts'
import type { OnChange } from './changes.ts'
import { drafted } from './drafted.ts'
import {
  type Apply,
  allDrafts,
  type Entry,
  type ManagedWrite,
  refused,
  type WriteContext,
  type WriteResult,
} from './entry.ts'
import { record } from './record.ts'
import { encrypt } from './scripts.ts'
import { storePage } from './store.ts'

/**
 * The one way in which managed objects are written (platform §6.2): pages of 1…n through
 *
 *     open → validate → scripts → encrypt  →  store → record  →  after commit
 *
 * What the caller sent is validated, so policies come before the scripts that change it. `store` and `record` are one
 * transaction. A type without scripts, encryption or relationships skips these stages.
 *
 * **What a transaction has read holds until it commits.** Transactions of SQLite wait for one another; PostgreSQL will run
 * them serializable and repeat them after a conflict. `unique` and the plan of relationships rely on it. Objects read
 * before the transaction are written with their revision: if they have changed since, the write is refused. The work of a
 * transaction may run twice, so it marks nothing outside itself.
 */
export function writer(
  repository: Repository,
  compiled: CompiledType,
  onChange: OnChange,
  /** The caller's; absent: each page has one of its own. */
  joined?: Store,
): Apply {
  const inTransaction: Repository['transaction'] = (work) =>
    joined ? work(joined) : repository.transaction(work)

  async function apply(
    writes: readonly ManagedWrite[],
    request: RequestContext,
  ): Promise<readonly WriteResult[]> {
    const results: WriteResult[] = []
    const goesAlone = (write: ManagedWrite) => request.external || isAlone(compiled, write)
    for (const page of pagesOf(writes, goesAlone)) {
      const written = writePage(page, { compiled, onChange, request, store: repository }, results.length)
      const alone = page.every(goesAlone)
      results.push(...(await (alone ? written.catch((error) => [refused(error)]) : written)))
    }
    return results
  }

  async function writePage(
    page: readonly ManagedWrite[],
    context: WriteContext,
    position: number,
  ): Promise<readonly WriteResult[]> {
    // Scripts may write, too, so theirs is no time for a transaction.
    const before = compiled.prepares ? await ready(context, page) : undefined
    const stored = await inTransaction(async (store) => {
      const within = { ...context, store }
      const entries = before ?? (await ready(within, page))
      const written = await storePage(within, entries)
      await record(within, written)
      return written
    })
    await afterCommit({ ...context, repository, apply }, stored, position)
    return stored.outcomes.map(({ result }) => result)
  }

  return apply
}

async function ready(context: WriteContext, page: readonly ManagedWrite[]): Promise<readonly Entry[]> {
  const shaped = await drafted(context, page)
  return context.compiled.prepares ? allDrafts(shaped, (draft) => encrypt(context, draft)) : shaped
}

/**
 * The next write to the same object must see the first one's result, so it begins another page. Where scripts may look at, and
 * change, everything between two objects, each write is a page.
 */
function pagesOf(
  writes: readonly ManagedWrite[],
  isAlone: (write: ManagedWrite) => boolean,
): readonly (readonly ManagedWrite[])[] {
  const pages: ManagedWrite[][] = []
  let ids = new Set<string>()
  let open = false
  for (const write of writes) {
    const id = requestedId(write)
    const alone = isAlone(write)
    if (!open || alone || (id !== undefined && ids.has(id))) {
      pages.push([])
      ids = new Set()
    }
    open = !alone
    if (id !== undefined) ids.add(id)
    pages.at(-1)?.push(write)
  }
  return pages
}

function requestedId(write: ManagedWrite): string | undefined {
  if (write.operation !== 'create') return write.id
  return typeof write.content._id === 'string' ? write.content._id : write.id
}
