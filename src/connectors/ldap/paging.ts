import { createHash, randomUUID } from 'node:crypto'
import { placeIn, printCookie } from '../../kit/cookies.ts'
import type { Listing } from '../../model/listing.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Clock } from '../kit/kind.ts'
import type { ConnectorEntry, ObjectPage, PageQuery } from '../kit/query.ts'
import type { Directory } from './directory.ts'
import { searchObjects } from './read.ts'

/** Milliseconds for which a search waits for whoever asks for its next page. */
const patience = 60_000

/**
 * Pages for callers who come back for each one (REST). The search goes on at the server, on a connection of its own, until its last page, until
 * nobody has asked for a while, or until too many others are open; so a page costs what it holds, however many came before. A cookie
 * outlives its search: then a new one is read up to the object after which the page begins.
 */
export class OpenSearches implements AsyncDisposable {
  readonly #directory: Directory
  readonly #clock: Clock
  /** Each keeps a connection. */
  readonly #most: number
  /** By the mark in the cookie of the next page; the one that waits longest comes first. */
  readonly #waiting = new Map<string, Waiting>()

  constructor(directory: Directory, clock: Clock, connections: number) {
    this.#directory = directory
    this.#clock = clock
    this.#most = Math.floor(connections / 2)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#waiting.keys()].map((mark) => this.#end(mark)))
  }

  async page(query: PageQuery, signal?: AbortSignal): Promise<ObjectPage> {
    const { objectClass, filter, fields, offset, pageSize } = query
    const asked = digest([objectClass, JSON.stringify(filter)])
    const wanted = digest([asked, ...(fields ?? ['*'])])
    const place = query.cookie === undefined ? undefined : placeOf(query.cookie, asked)
    const search = (place && this.#resumed(place.mark, wanted)) ?? new OpenSearch(this.#directory, query)
    const leave = () => search.abort(signal?.reason)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      signal?.throwIfAborted()
      if (place && search.isNew) await search.passBy(place.last)
      await search.take(offset)
      const objects = await search.take(pageSize)
      const total = query.total ? await this.#count(query, signal) : undefined
      const last = objects.at(-1)
      if (!last || !(await search.hasMore())) return { objects, total, cookie: null, listing: search.listing }
      const mark = randomUUID()
      await this.#keep(mark, { search, wanted })
      return { objects, total, cookie: printCookie([mark, asked, last._id]) }
    } catch (error) {
      await search.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  /** Only a reading of all ids tells. Undefined where it does not get all. */
  async #count({ objectClass, filter }: PageQuery, signal?: AbortSignal): Promise<number | undefined> {
    const ids = searchObjects(this.#directory, { objectClass, filter, fields: [] }, signal)
    for (let count = 0; ; ) {
      const next = await ids.next()
      if (next.done) return next.value.state === 'complete' ? count : undefined
      count += next.value.length
    }
  }

  #resumed(mark: string, wanted: string): OpenSearch | undefined {
    const waiting = this.#waiting.get(mark)
    if (waiting?.wanted !== wanted) return undefined
    this.#waiting.delete(mark)
    waiting.patience.abort()
    return waiting.search
  }

  async #keep(mark: string, { search, wanted }: Pick<Waiting, 'search' | 'wanted'>): Promise<void> {
    const kept = new AbortController()
    this.#waiting.set(mark, { search, wanted, patience: kept })
    void this.#clock.sleep(patience, kept.signal).then(
      () => this.#end(mark),
      () => undefined,
    )
    for (const one of [...this.#waiting.keys()].slice(0, Math.max(0, this.#waiting.size - this.#most)))
      await this.#end(one)
  }

  async #end(mark: string): Promise<void> {
    const waiting = this.#waiting.get(mark)
    this.#waiting.delete(mark)
    waiting?.patience.abort()
    await waiting?.search.close()
  }
}

interface Waiting {
  readonly search: OpenSearch
  /** Of which query and which attributes it is. */
  readonly wanted: string
  /** Aborted when it waits no more. */
  readonly patience: AbortController
}

/** A search whose objects are taken as many at a time as somebody wants. */
class OpenSearch {
  readonly #left = new AbortController()
  readonly #pages: AsyncGenerator<readonly ConnectorEntry[], Listing>
  #here: readonly ConnectorEntry[] = []
  /** Nothing has been taken of it. */
  isNew = true
  /** Known at the end. */
  listing: Listing | undefined

  constructor(directory: Directory, { objectClass, filter, fields, pageSize }: PageQuery) {
    const query = { objectClass, filter, pageSize, ...(fields && { fields }) }
    this.#pages = searchObjects(directory, query, this.#left.signal)
  }

  /** Fewer than asked for: there are no more. */
  async take(count: number): Promise<readonly ConnectorEntry[]> {
    const taken: ConnectorEntry[] = []
    while (taken.length < count && (await this.hasMore())) {
      const some = this.#here.slice(0, count - taken.length)
      taken.push(...some)
      this.#here = this.#here.slice(some.length)
    }
    return taken
  }

  async hasMore(): Promise<boolean> {
    this.isNew = false
    while (this.#here.length === 0 && this.listing === undefined) {
      const next = await this.#pages.next()
      if (next.done) this.listing = next.value
      else this.#here = next.value
    }
    return this.#here.length > 0
  }

  async passBy(id: string): Promise<void> {
    while (await this.hasMore()) {
      const place = this.#here.findIndex(({ _id }) => _id === id)
      this.#here = place < 0 ? [] : this.#here.slice(place + 1)
      if (place >= 0) return
    }
    throw new ConnectorError(
      'unknownCookie',
      'The search of this paging cookie has ended, and the object after which the page begins is gone; begin with the first page',
    )
  }

  abort(reason: unknown): void {
    this.#left.abort(reason)
  }

  async close(): Promise<void> {
    await this.#pages.return({ state: 'partial', reason: 'the search was left' }).catch(() => undefined)
  }
}

function placeOf(cookie: string, asked: string): { readonly mark: string; readonly last: string } {
  const [mark, of, last] = placeIn(cookie) ?? []
  if (typeof mark === 'string' && of === asked && typeof last === 'string') return { mark, last }
  throw new ConnectorError('unknownCookie', 'The paging cookie is not one of this query')
}

function digest(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16)
}
