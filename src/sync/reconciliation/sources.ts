import type { QuerySettings } from '../../mapping/mapping.ts'
import { isEverything } from '../../mapping/query.ts'
import { matchesEverything } from '../../model/filter/filter.ts'
import { completeListing, heeding, type Listing, listedTwice, worseListing } from '../../model/listing.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { Entry, ObjectSet, Resource } from '../../router/resources.ts'
import { sourceSet } from '../page/object-sets.ts'
import type { Reconciliation } from './reconciliation.ts'
import { failedIds, type Retry } from './retry.ts'
import { requireSourceProperties } from './source-properties.ts'

/** The empty-source guard: ends the run without its `result` script (engine §7.5). */
export class EmptySource extends Problem {
  constructor(mapping: string, source: string, id: string | undefined) {
    const nothing = `the source query on ${source} returned nothing, and allowEmptySourceSet is not true`
    const hint = 'Check the id; allowEmptySourceSet takes the object for deleted and works its links.'
    if (id === undefined) super('EMPTY_SOURCE', `${mapping}: ${nothing}`)
    else super('EMPTY_SOURCE', `${mapping}: there is no object "${id}" in ${source}`, { hint })
  }
}

/** Starts the source query and checks that its first page has something in it, before anything else is read. */
export async function openSources(
  reconciliation: Reconciliation,
): Promise<AsyncGenerator<readonly SourceRecord[], Listing>> {
  const { rules, settings, sourceId, retry, run, resources } = reconciliation
  await requireDeclared(reconciliation)
  const pages = sourcesOf(reconciliation)
  const first = await run.durations.time('sourceQuery', () => firstFilledPage(pages))
  if (first.done && !settings.allowEmptySourceSet && !retry)
    throw new EmptySource(rules.mapping.name, rules.mapping.source, sourceId)
  const { filter } = settings.sourceQuery
  if (sourceId === undefined && !retry && matchesEverything(filter)) {
    run.statistics.totals.source = await resources.objectSet(settings.sourceQuery.resourceName).count?.()
  }
  return (async function* () {
    if (first.done) return first.value
    yield first.value
    return yield* pages
  })()
}

/** The source still has what it had; see source-properties.ts. */
export async function requireDeclared(reconciliation: Reconciliation): Promise<void> {
  const { rules, run, resources, repository, log } = reconciliation
  const set = resources.objectSet(rules.mapping.source)
  const asked = { repository, log, set, remembers: !run.analysis }
  await requireSourceProperties(rules.mapping.name, asked, run.signal)
}

function sourcesOf(reconciliation: Reconciliation): AsyncGenerator<readonly SourceRecord[], Listing> {
  const { sourceId, retry } = reconciliation
  if (retry) return retriedSources(reconciliation, retry)
  return sourceId === undefined ? queriedSources(reconciliation) : singleSource(reconciliation, sourceId)
}

/** Filtering may leave nothing of a page although there are more. */
async function firstFilledPage<T, R>(
  pages: AsyncIterator<readonly T[], R>,
): Promise<IteratorResult<readonly T[], R>> {
  while (true) {
    const page = await pages.next()
    if (page.done || page.value.length > 0) return page
  }
}

function queriedSources(reconciliation: Reconciliation): AsyncGenerator<readonly SourceRecord[], Listing> {
  const { settings, run, resources, log } = reconciliation
  const { mapping } = reconciliation.rules
  const { resourceName } = settings.sourceQuery
  const set = sourceSet(resources, mapping)
  return sourcePages({
    set,
    queried: resourceName === mapping.source ? set : resources.objectSet(resourceName),
    query: settings.sourceQuery,
    fullEntry: settings.sourceQueryFullEntry,
    defaultFields: settings.sourceFields,
    pageSize: settings.sourcePageSize,
    signal: run.signal,
    onDuplicate: (id) =>
      log('warn', `${mapping.name}: the source query returned ${id} more than once; it is worked once`),
  })
}

/** engine §7.6: an absent source is an empty source set, or, where that is allowed, a deleted source object. */
async function* singleSource(
  { rules, settings, run, resources }: Reconciliation,
  id: string,
): AsyncGenerator<readonly SourceRecord[], Listing> {
  const found = await sourceSet(resources, rules.mapping).readMany([id], run.signal)
  const object = found.get(id)
  if (object) yield [{ id: object._id, object }]
  else if (settings.allowEmptySourceSet) yield [{ id, object: undefined }]
  return completeListing
}

/** The sources of what failed in another run. Those that are gone meanwhile are worked as gone. */
async function* retriedSources(
  { rules, run, resources, repository }: Reconciliation,
  retry: Retry,
): AsyncGenerator<readonly SourceRecord[], Listing> {
  const set = sourceSet(resources, rules.mapping)
  for await (const ids of failedIds(repository.audit, retry, 'source', rules.mapping.source)) {
    const found = await set.readMany(ids, run.signal)
    yield ids.map((id) => ({ id, object: found.get(id) }))
  }
  return completeListing
}

/** An id that a source query returned, with its object; undefined if it vanished before it could be read. */
export interface SourceRecord {
  readonly id: string
  readonly object: Entry | undefined
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
export async function* sourcePages(reading: Reading): AsyncGenerator<readonly SourceRecord[], Listing> {
  const { queried, query, defaultFields, pageSize, signal } = reading
  const fields = query.fields ?? defaultFields
  const seen = new Set<string>()
  const pages = queried.pages(
    { filter: query.filter, fields, pageSize, parameters: query.parameters },
    signal,
  )
  let listing = completeListing
  const heed = (end: Listing) => {
    listing = worseListing(listing, end)
  }
  for await (const page of oneAhead(heeding(pages, heed))) {
    const fresh = page.filter(({ _id }) => {
      if (seen.has(_id)) {
        reading.onDuplicate(_id)
        heed(listedTwice(queried.path, _id))
      }
      return seen.size < seen.add(_id).size
    })
    yield await completed(reading, fresh)
  }
  return listing
}

async function completed(
  { set, queried, query, fullEntry, signal }: Reading,
  page: readonly Entry[],
): Promise<SourceRecord[]> {
  // Without fields of its own the query has read as much as a second reading would.
  const whole = isEverything(query.fields) && queried === set
  const isFull = (object: Entry) => isUnreadable(object) || (fullEntry ?? (whole || looksFull(object)))
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
