import { placeIn, printCookie } from '../../kit/cookies.ts'
import { isJsonObject, type Json, type JsonObject, setMember } from '../../model/json.ts'
import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import { getAt } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { compareBy, type SortKey } from '../../model/sort.ts'
import { isUnreadable, type Unreadable } from '../../model/unreadable.ts'
import type { Entry, Resource, ResourcePage, ResourceQuery } from '../../router/resources.ts'

/**
 * Sorting and paging for systems that offer neither: one page is taken from a complete read, holding no more than
 * about two pages at a time. Pages are in the order of the sort keys and then of `_id`; a cookie is the place in that
 * order where a page ended, so objects may be added or deleted between two requests.
 */
export async function pageOf(
  pages: AsyncIterable<readonly Entry[], Listing>,
  { sortKeys = [], pageSize = 0, offset = 0, cookie, totalPolicy = 'NONE' }: ResourceQuery,
): Promise<ResourcePage> {
  const compare = compareBy(sortKeys)
  const after = cookie === undefined ? undefined : objectAt(cookie, sortKeys)
  const sorts = pageSize > 0 || offset > 0 || sortKeys.length > 0
  // One more than requested shows whether another page follows.
  const wanted = pageSize > 0 ? offset + pageSize + 1 : Number.POSITIVE_INFINITY
  let held: Resource[] = []
  let total = 0
  let listing = completeListing
  const unreadable: Unreadable[] = []
  for await (const page of heeding(pages, (end) => {
    listing = end
  })) {
    total += page.length
    for (const object of page) {
      if (isUnreadable(object)) unreadable.push(object)
      else if (!after || compare(object, after) > 0) held.push(object)
    }
    if (held.length > 2 * wanted + 1000) held = held.sort(compare).slice(0, wanted)
  }
  if (sorts) held.sort(compare)
  const result = held.slice(offset, pageSize > 0 ? offset + pageSize : undefined)
  const more = pageSize > 0 && held.length > offset + pageSize
  return {
    result,
    // Their place in the order is not known; they belong to the first page.
    ...(cookie === undefined && offset === 0 && unreadable.length > 0 && { unreadable }),
    ...(listing.state !== 'complete' && { listing }),
    cookie: more ? cookieAt(result.at(-1) as Resource, sortKeys) : null,
    ...(totalPolicy !== 'NONE' && { total }),
  }
}

function cookieAt(object: Resource, sortKeys: readonly SortKey[]): string {
  return printCookie([object._id, ...sortKeys.map(({ pointer }) => getAt(object, pointer) ?? null)])
}

/** An object at the place where the page ended. */
function objectAt(cookie: string, sortKeys: readonly SortKey[]): JsonObject {
  const [id, ...values] = placeIn(cookie) ?? []
  if (typeof id !== 'string' || values.length !== sortKeys.length || values.some(isJsonObject))
    throw new Problem('BAD_REQUEST', 'The paging cookie is not one of this query')
  const object: JsonObject = {}
  sortKeys.forEach(({ pointer }, position) => {
    setMember(object, pointer[0] as string, values[position] as Json)
  })
  return { ...object, _id: id }
}
