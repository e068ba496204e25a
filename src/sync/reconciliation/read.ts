import type { QuerySettings } from '../../mapping/mapping.ts'
import { isEverything } from '../../mapping/query.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { ObjectSet, Resource } from '../../router/resources.ts'

/** An id that a source query returned, with its object; undefined if it vanished before it could be read. */
export interface SourceRecord {
  readonly id: string
  readonly object: Resource | undefined
}

export interface Reading {
  /** What the query runs on: the mapping's source, or its `resourceName`. */
  readonly queried: ObjectSet
  /** Where objects are read that the query returned in part. */
  readonly set: ObjectSet
  readonly query: QuerySettings
  /** What is read where the query names no fields; undefined: everything. */
  readonly defaultFields?: readonly Pointer[] | undefined
  /** Explicit `sourceQueryFullEntry`; undefined decides entry by entry. */
  readonly fullEntry: boolean | undefined
  readonly pageSize: number
  readonly signal: AbortSignal
  readonly onDuplicate: (id: string) => void
}

/**
 * The sources of a run, in pages, one page ahead of their consumer. Each entry decides for itself whether it is full (engine
 * §7.4, [D]); the others of a page are read together.
 */
export async function* sourcePages(reading: Reading): AsyncIterable<readonly SourceRecord[]> {
  const { queried, query, defaultFields, pageSize, signal } = reading
  const fields = query.fields ?? defaultFields
  const seen = new Set<string>()
  const pages = queried.pages(
    { filter: query.filter, fields, pageSize, parameters: query.parameters },
    signal,
  )
  for await (const page of oneAhead(pages)) {
    const fresh = page.filter(({ _id }) => {
      if (seen.has(_id)) reading.onDuplicate(_id)
      return seen.size < seen.add(_id).size
    })
    yield await completed(reading, fresh)
  }
}

async function completed(
  { set, queried, query, fullEntry, signal }: Reading,
  page: readonly Resource[],
): Promise<SourceRecord[]> {
  // Without fields of its own the query has read as much as a second reading would.
  const whole = isEverything(query.fields) && queried === set
  const isFull = (object: Resource) => fullEntry ?? (whole || looksFull(object))
  const partial = page.filter((object) => !isFull(object)).map(({ _id }) => _id)
  if (partial.length === 0) return page.map((object) => ({ id: object._id, object }))
  const read = await set.readMany(partial, signal)
  return page.map((object) => ({ id: object._id, object: isFull(object) ? object : read.get(object._id) }))
}

/** At least three properties besides `_id` and `_rev`. */
function looksFull(object: Resource): boolean {
  return Object.keys(object).filter((key) => key !== '_id' && key !== '_rev').length >= 3
}

/** Reads the next page while the consumer works on this one. */
export async function* oneAhead<T>(pages: AsyncIterable<T>): AsyncIterable<T> {
  const iterator = pages[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    while (true) {
      const { done, value } = await next
      if (done) return
      next = iterator.next()
      // Awaited on the next turn; without this a failure meanwhile would count as unhandled.
      next.catch(() => {})
      yield value
    }
  } finally {
    await next.catch(() => {})
    await iterator.return?.()
  }
}
