import { repaged } from '../../kit/chunks.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import { everything, type Filter, matchesEverything } from '../../model/filter/filter.ts'
import { asObject } from '../../model/json.ts'
import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { SortKey } from '../../model/sort.ts'
import { isUnreadable, readableOf, requireReadable } from '../../model/unreadable.ts'
import { project } from '../../router/fields.ts'
import type { Entry, Resource, ResourcePage, ResourceQuery } from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import type { ConnectorEntry, SplitFilter } from '../kit/query.ts'
import { readableProperties, reader } from './convert.ts'
import { checkedFilter, idsNamed, propertiesIn, requireOneLevel, splitNatively } from './filter.ts'
import type { ObjectType } from './object-type.ts'
import { pageOf } from './order.ts'
import type { SystemFacts, TypeAccess } from './type-access.ts'
import { withPlaces } from './unreadable.ts'

/** Reading the objects of one type: streams, pages for REST, and objects by id. */

const defaultPageSize = 500

export interface Selection {
  readonly filter: Filter
  readonly fields?: readonly Pointer[]
  readonly pageSize: number
}

/** Full pages of matching objects, even if the connector evaluates only a part of the filter. */
export async function* foundPages(
  access: TypeAccess,
  { filter, fields, pageSize }: Selection,
  signal?: AbortSignal,
): AsyncGenerator<readonly Entry[], Listing> {
  const { connector, facts, type } = access
  if (!offers(connector, 'search')) throw access.notOffered('SEARCH')
  access.permission('SEARCH')
  const checked = checkedFilter(filter, type)
  const names = fieldNames(fields)
  const ids = idsNamed(checked)
  if (ids && offers(connector, 'readMany')) {
    const objects = await readMany(access, ids, names, signal)
    if (objects.size > 0) yield [...objects.values()]
    return completeListing
  }
  await access.loadComparisons(signal)
  const { native, rest } = splitFor(access, checked)
  const matches = matchesEverything(rest)
    ? undefined
    : compileFilter(rest, { ignoreCase: ignoresCase(facts.configuration) })
  // The properties of the filter must be read, but are returned only if requested.
  const needed = matches ? [...(names ?? defaultNames(type)), ...propertiesIn(rest)] : names
  const toResource = reader(type, names)
  // For a filter, as for the system, an empty list is no value.
  const valued = { ...type, givesEmptyLists: false }
  const meets = matches && meeting(matches, reader(valued, propertiesIn(rest)))
  const wanted = attributesOf(type, needed)
  const query = { objectClass: type.objectClass, filter: native, fields: wanted, pageSize }
  const found = access.stream('SEARCH', signal, (both) => connector.search(query, both))
  const pages = repaged(found, pageSize, (object) =>
    !meets || meets(object) ? toResource(object) : undefined,
  )
  const before = matchesEverything(checked) ? await countOf(access, signal) : undefined
  let given = 0
  let listing: Listing = completeListing
  const heed = (end: Listing) => {
    listing = end
  }
  for await (const page of heeding(pages, heed)) {
    given += page.length
    yield await withPlaces(access, page, signal)
  }
  if (listing.state !== 'complete' || before === undefined || before === given) return listing
  return counted(access, { given, before }, signal)
}

/** How many objects the system says it has; undefined where it does not say. */
async function countOf(access: TypeAccess, signal: AbortSignal | undefined): Promise<number | undefined> {
  const { connector, type } = access
  if (!offers(connector, 'count')) return undefined
  const count = (both?: AbortSignal) => connector.count(type.objectClass, both)
  return access.call('SEARCH', signal, count).catch(() => undefined)
}

/** Objects may come and go while a listing is read; it must give as many as there were before, after, or in between. */
async function counted(
  access: TypeAccess,
  { given, before }: { readonly given: number; readonly before: number },
  signal: AbortSignal | undefined,
): Promise<Listing> {
  const after = (await countOf(access, signal)) ?? before
  if (given >= Math.min(before, after) && given <= Math.max(before, after)) return completeListing
  return { state: 'suspect', reason: `${access.path} listed ${given} objects and says that it has ${after}` }
}

/** What cannot be read as far as the filter asks might match. */
function meeting(matches: (resource: Resource) => boolean, toCandidate: (object: ConnectorEntry) => Entry) {
  return (object: ConnectorEntry) => {
    const candidate = toCandidate(object)
    return isUnreadable(candidate) || matches(candidate)
  }
}

/** A page for REST: the connector's own if it supports that, otherwise taken from a complete read. */
export async function queryPage(access: TypeAccess, query: ResourceQuery): Promise<ResourcePage> {
  for (const { pointer } of query.sortKeys ?? []) requireOneLevel(pointer)
  const names = fieldNames(query.fields) ?? defaultNames(access.type)
  const native = await nativePage(access, query, names)
  if (native) return native
  const wanted = names.map((name) => [name])
  const sorted = (query.sortKeys ?? []).map(({ pointer }) => pointer)
  const fields = [...wanted, ...sorted, ['_id']]
  const selection = { filter: query.filter, pageSize: defaultPageSize, fields }
  const page = await pageOf(foundPages(access, selection), query)
  logUnreadable(access, page)
  // Who asks for objects by their ids asks for these.
  const ids = idsNamed(checkedFilter(query.filter, access.type))
  if (ids) page.unreadable?.forEach(requireReadable)
  return { ...page, result: page.result.map((object) => project(object, [...wanted, ['_id']])) }
}

async function nativePage(
  access: TypeAccess,
  { filter, pageSize = 0, offset = 0, cookie, sortKeys = [], totalPolicy = 'NONE' }: ResourceQuery,
  names: readonly string[],
): Promise<ResourcePage | undefined> {
  const { connector, type } = access
  if (pageSize <= 0 || !offers(connector, 'page') || !offers(connector, 'sorts')) return undefined
  const checked = checkedFilter(filter, type)
  const nativeKeys = nativeSortKeys(sortKeys, type)
  if (idsNamed(checked) || !nativeKeys || !connector.sorts(type.objectClass, nativeKeys)) return undefined
  access.permission('SEARCH')
  await access.loadComparisons()
  const split = splitFor(access, checked)
  if (!matchesEverything(split.rest)) return undefined
  const query = {
    objectClass: type.objectClass,
    filter: split.native,
    fields: attributesOf(type, names),
    pageSize,
    sortKeys: nativeKeys,
    cookie,
    offset,
    total: totalPolicy !== 'NONE',
  }
  const page = await access.call('SEARCH', undefined, (signal) => connector.page(query, signal))
  const entries = await withPlaces(access, page.objects.map(reader(type, names)))
  const unreadable = entries.filter(isUnreadable)
  const result: ResourcePage = {
    result: readableOf(entries),
    cookie: page.cookie,
    ...(page.total !== undefined && query.total && { total: page.total }),
    ...(unreadable.length > 0 && { unreadable }),
    ...(page.listing && page.listing.state !== 'complete' && { listing: page.listing }),
  }
  logUnreadable(access, result)
  return result
}

/** How many objects a query names in the log. */
const named = 10

function logUnreadable({ facts, path }: TypeAccess, { unreadable = [], listing }: ResourcePage): void {
  for (const { problem } of unreadable.slice(0, named)) facts.log(`a query of ${path}: ${problem.message}`)
  if (unreadable.length > named)
    facts.log(`a query of ${path}: ${unreadable.length - named} more objects cannot be read`)
  if (listing) facts.log(`a query of ${path} does not list everything: ${listing.reason}`)
}

/** Undefined where the values sorted here differ from those at the connector. */
function nativeSortKeys(
  sortKeys: readonly SortKey[],
  { properties }: ObjectType,
): readonly SortKey[] | undefined {
  const keys = sortKeys.map(({ pointer, descending }): SortKey | undefined => {
    const [name = ''] = pointer
    if (name === '_id') return { pointer, descending }
    const property = properties.get(name)
    const isSame = property?.readable === true && property.type === property.nativeType
    return isSame ? { pointer: [property.attribute], descending } : undefined
  })
  return keys.every((key) => key !== undefined) ? keys : undefined
}

function splitFor(access: TypeAccess, filter: Filter): SplitFilter {
  const { connector, facts, type } = access
  if (filter.kind === 'literal')
    return filter.value ? { native: everything, rest: everything } : { native: everything, rest: filter }
  if (!offers(connector, 'split')) return { native: everything, rest: filter }
  const mustIgnoreCase = ignoresCase(facts.configuration)
  const isIgnored = (name: string) => access.comparisonOf(type.properties.get(name)) === 'ignoreCase'
  // The system would omit values that differ only in case.
  if (mustIgnoreCase && !propertiesIn(filter).every(isIgnored)) return { native: everything, rest: filter }
  return splitNatively(filter, type, (native) => connector.split(type.objectClass, native))
}

export async function readMany(
  access: TypeAccess,
  ids: readonly string[],
  fields?: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Entry>> {
  const { connector, type } = access
  if (!offers(connector, 'readMany')) throw access.notOffered('GET')
  const extent = { uid: ids.length === 1 ? ids[0] : undefined, count: ids.length }
  const attributes = attributesOf(type, fields)
  const read = (both?: AbortSignal) => connector.readMany(type.objectClass, ids, attributes, both)
  const objects = await access.call('GET', signal, read, extent)
  const toResource = reader(type, fields)
  const entries = new Map(Array.from(objects, ([id, object]) => [id, toResource(object)]))
  const unreadable = [...entries.values()].filter(isUnreadable)
  if (unreadable.length === 0) return entries
  const placed = new Map((await withPlaces(access, unreadable, signal)).map((entry) => [entry._id, entry]))
  return new Map(
    Array.from(entries, ([id, entry]) => [
      id,
      isUnreadable(entry) ? (placed.get(entry._id) ?? entry) : entry,
    ]),
  )
}

/** `resultsHandlerConfig.enableCaseInsensitiveFilter` (platform §4.1). */
export function ignoresCase({ resultsHandlerConfig }: SystemFacts['configuration']): boolean {
  return asObject(resultsHandlerConfig).enableCaseInsensitiveFilter === true
}

/** Leaf names of pointers; undefined stands for what is returned by default. */
function fieldNames(fields: readonly Pointer[] | undefined): readonly string[] | undefined {
  if (!fields || fields.length === 0) return undefined
  const names = fields.map((pointer) => pointer.at(-1) ?? '*')
  return names.includes('*') ? undefined : names
}

function defaultNames(type: ObjectType): readonly string[] {
  return readableProperties(type, undefined).map(({ name }) => name)
}

function attributesOf(type: ObjectType, names: readonly string[] | undefined): readonly string[] {
  return readableProperties(type, names).map(({ attribute }) => attribute)
}
