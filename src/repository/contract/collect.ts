import type { StorePage, StoreQuery } from '../query.ts'

/** Everything that an iteration yields, in one list. */
export async function flattened<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const result: T[] = []
  for await (const page of pages) result.push(...page)
  return result
}

const endless = 1_000

/** All pages of a query, by following its cookies. */
export async function everyPage<T>(
  fetch: (query: StoreQuery) => Promise<StorePage<T>>,
  query: StoreQuery,
): Promise<readonly (readonly T[])[]> {
  const pages: (readonly T[])[] = []
  let cookie: string | undefined
  do {
    const page = await fetch({ ...query, ...(cookie !== undefined && { cookie }) })
    pages.push(page.result)
    if (pages.length > endless) throw new Error(`The cookies of ${JSON.stringify(query)} never end`)
    cookie = page.cookie ?? undefined
  } while (cookie !== undefined)
  return pages
}
