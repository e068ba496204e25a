import { type From, pages } from '../kit/cookies.ts'
import { completeListing, worseListing } from '../model/listing.ts'
import { asProblem } from '../model/problem.ts'
import { joinPath } from '../model/resource-path.ts'
import { Unreadable } from '../model/unreadable.ts'
import type { RouterFilter, Verb } from './filter.ts'
import type {
  Entry,
  ObjectSet,
  ObjectWriteRequest,
  ObjectWriteResult,
  RequestContext,
  Resource,
  Resources,
} from './resources.ts'

/**
 * The bulk interface of a set whose requests must pass filters. Verbs that a filter may affect are done object by object
 * through the router (platform §2: all in-process calls pass the filters). This is slower, but never bypasses them. Sets
 * that no filter affects are returned unchanged.
 */
export function filteredSet(
  set: ObjectSet,
  filters: readonly RouterFilter[],
  resources: Resources,
): ObjectSet {
  const verbs = new Set<Verb>(filters.flatMap((filter) => filter.concerns?.(set.path) ?? []))
  if (verbs.size === 0) return set
  const writes = (['create', 'update', 'delete'] as const).some((verb) => verbs.has(verb))
  const { joining, ...rest } = set
  return {
    ...rest,
    ...(verbs.has('query') && { pages: pagesThrough(set, resources) }),
    ...(verbs.has('read') && { readMany: readThrough(set, resources) }),
    // Filters may read and change what was written before, so they never run inside a transaction.
    ...(writes ? { writeMany: writeThrough(set, resources) } : joining && { joining }),
  }
}

/** For reads by the engine itself, not for a user. */
const ownWork: RequestContext = {
  external: false,
  userId: 'system',
  roles: ['openidm-admin'],
  transactionId: 'read',
  whole: true,
}

function pagesThrough({ path }: ObjectSet, resources: Resources): ObjectSet['pages'] {
  return async function* (query, signal) {
    const fetch = (from: From) => resources.query(path, { ...query, ...from }, ownWork)
    let listing = completeListing
    for await (const page of pages(fetch, signal)) {
      const { result, unreadable = [] } = page
      if (result.length + unreadable.length > 0)
        yield unreadable.length > 0 ? [...result, ...unreadable] : result
      if (page.listing) listing = worseListing(listing, page.listing)
    }
    return listing
  }
}

function readThrough({ path }: ObjectSet, resources: Resources): ObjectSet['readMany'] {
  return async (ids, signal) => {
    const found = new Map<string, Entry>()
    for (const id of ids) {
      signal?.throwIfAborted()
      try {
        found.set(id, await resources.read(`${path}/${joinPath(id)}`, ownWork))
      } catch (error) {
        const problem = asProblem(error)
        if (problem.code === 'UNREADABLE') found.set(id, new Unreadable(id, problem))
        else if (problem.status !== 404) throw error
      }
    }
    return found
  }
}

function writeThrough({ path }: ObjectSet, resources: Resources): ObjectSet['writeMany'] {
  return async (writes, request, signal) => {
    const results: ObjectWriteResult[] = []
    for (const [position, write] of writes.entries()) {
      signal?.throwIfAborted()
      try {
        const object = await single(path, write, resources, atPosition(position, request))
        results.push({ ok: true, object })
      } catch (error) {
        results.push({ ok: false, error: asProblem(error) })
      }
    }
    return results
  }
}

function single(
  set: string,
  write: ObjectWriteRequest,
  resources: Resources,
  request: RequestContext,
): Promise<Resource> {
  if (write.operation === 'create') return resources.create(set, write.id, write.content, request)
  const path = `${set}/${joinPath(write.id)}`
  return write.operation === 'update'
    ? resources.update(path, write.rev, write.content, request)
    : resources.delete(path, write.rev, request)
}

/** Reports follow-up work under the write's position in the page: a single write would report position 0. */
function atPosition(position: number, request: RequestContext): RequestContext {
  const { takeFollowUp } = request.chain ?? {}
  if (!takeFollowUp) return request
  return { ...request, chain: { ...request.chain, takeFollowUp: (_, work) => takeFollowUp(position, work) } }
}
