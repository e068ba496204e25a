import { Problem } from '../../model/problem.ts'
import { sourceSet } from '../page/object-sets.ts'
import { type SourceRecord, sourcePages } from './read.ts'
import type { Reconciliation } from './reconciliation.ts'
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
): Promise<AsyncIterable<readonly SourceRecord[]>> {
  const { rules, settings, sourceId, run, resources } = reconciliation
  await requireSourceProperties(reconciliation)
  const pages =
    sourceId === undefined ? queriedSources(reconciliation) : singleSource(reconciliation, sourceId)
  const iterator = pages[Symbol.asyncIterator]()
  const first = await run.durations.time('sourceQuery', () => firstFilledPage(iterator))
  if (first.done && !settings.allowEmptySourceSet)
    throw new EmptySource(rules.mapping.name, rules.mapping.source, sourceId)
  const { filter } = settings.sourceQuery
  if (sourceId === undefined && filter.kind === 'literal' && filter.value) {
    run.statistics.totals.source = await resources.objectSet(settings.sourceQuery.resourceName).count?.()
  }
  return (async function* () {
    if (!first.done) yield first.value
    yield* { [Symbol.asyncIterator]: () => iterator }
  })()
}

/** Filtering may leave nothing of a page although there are more. */
async function firstFilledPage<T>(pages: AsyncIterator<readonly T[]>): Promise<IteratorResult<readonly T[]>> {
  while (true) {
    const page = await pages.next()
    if (page.done || page.value.length > 0) return page
  }
}

function queriedSources(reconciliation: Reconciliation): AsyncIterable<readonly SourceRecord[]> {
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
): AsyncIterable<readonly SourceRecord[]> {
  const found = await sourceSet(resources, rules.mapping).readMany([id], run.signal)
  const object = found.get(id)
  if (object) yield [{ id: object._id, object }]
  else if (settings.allowEmptySourceSet) yield [{ id, object: undefined }]
}
