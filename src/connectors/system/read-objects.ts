import { compileFilter } from '../../model/filter/evaluate.ts'
import { everything, type Filter } from '../../model/filter/filter.ts'
import { isJsonObject } from '../../model/json.ts'
import { completeListing, type Listing } from '../../model/listing.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { SortKey } from '../../model/sort.ts'
import { project } from '../../router/fields.ts'
import type { Resource, ResourcePage, ResourceQuery } from '../../router/resources.ts'
import { type Connector, offers } from '../kit/connector.ts'
import { isEverything, type Page, type SearchEnd, type SplitFilter } from '../kit/query.ts'
import { readableProperties, reader } from './convert.ts'
import { notOffered, ofMany, operation, type SystemFacts } from './facts.ts'
import { checkedFilter, idsNamed, propertiesIn, requireOneLevel, splitNatively } from './filter.ts'
import { comparisonOf, type NativeSchema } from './native-schema.ts'
import type { ObjectType } from './object-type.ts'
import { permission } from './operation.ts'
import { pageOf } from './order.ts'

/** Reading the objects of one type: streams, pages for REST, and objects by id. */

const defaultPageSize = 500

export interface Selection {
  readonly filter: Filter
  readonly fields?: readonly Pointer[]
  readonly pageSize: number
}

/** Full pages of matching objects, even if the connector evaluates only a part of the filter. */
export async function* foundPages(
  facts: SystemFacts,
  type: ObjectType,
  { filter, fields, pageSize }: Selection,
  schema: NativeSchema,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Resource[], Listing> {
  const { connector } = facts
  if (!offers(connector, 'search')) throw notOffered(facts, 'SEARCH')
  permission(facts.configuration, 'SEARCH', type)
  const checked = checkedFilter(filter, type)
  const names = fieldNames(fields)
  const ids = idsNamed(checked)
  if (ids && offers(connector, 'readMany')) {
    const objects = await readMany(facts, type, ids, names, signal)
    if (objects.size > 0) yield [...objects.values()]
    return completeListing
  }
  await schema.load(signal)
  const { native, rest } = splitFor(facts, type, checked, schema)
  const matches = isEverything(rest)
    ? undefined
    : compileFilter(rest, { ignoreCase: ignoresCase(facts.configuration) })
  // The properties of the filter must be read, but are returned only if requested.
  const needed = matches ? [...(names ?? defaultNames(type)), ...propertiesIn(rest)] : names
  const toResource = reader(type, names)
  const toCandidate = reader(type, needed)
  const query = {
    objectClass: type.objectClass,
    filter: native,
    fields: attributesOf(type, needed),
    pageSize,
  }
  const found = facts.calls.stream(operation(facts, 'SEARCH', type), signal, (both) =>
    connector.search(query, both),
  )
  return yield* repaged(found, pageSize, (object) =>
    !matches || matches(toCandidate(object)) ? toResource(object) : undefined,
  )
}

/** A page for REST: the connector's own if it supports that, otherwise taken from a complete read. */
export async function queryPage(
  facts: SystemFacts,
  type: ObjectType,
  query: ResourceQuery,
  schema: NativeSchema,
): Promise<ResourcePage> {
  for (const { pointer } of query.sortKeys ?? []) requireOneLevel(pointer)
  const names = fieldNames(query.fields) ?? defaultNames(type)
  const native = await nativePage(facts, type, query, names, schema)
  if (native) return native
  const wanted = names.map((name) => [name])
  const sorted = (query.sortKeys ?? []).map(({ pointer }) => pointer)
  const fields = [...wanted, ...sorted, ['_id']]
  const pages = foundPages(
    facts,
    type,
    { filter: query.filter, pageSize: defaultPageSize, fields },
    schema,
    undefined,
  )
  const page = await pageOf(pages, query)
  return { ...page, result: page.result.map((object) => project(object, [...wanted, ['_id']])) }
}

async function nativePage(
  facts: SystemFacts,
  type: ObjectType,
  { filter, pageSize = 0, offset = 0, cookie, sortKeys = [], totalPolicy = 'NONE' }: ResourceQuery,
  names: readonly string[],
  schema: NativeSchema,
): Promise<ResourcePage | undefined> {
  const { connector } = facts
  if (pageSize <= 0 || !offersPages(connector)) return undefined
  const checked = checkedFilter(filter, type)
  const nativeKeys = nativeSortKeys(sortKeys, type)
  if (idsNamed(checked) || !nativeKeys || !connector.sorts(type.objectClass, nativeKeys)) return undefined
  permission(facts.configuration, 'SEARCH', type)
  await schema.load(undefined)
  const split = splitFor(facts, type, checked, schema)
  if (!isEverything(split.rest)) return undefined
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
  const page = await facts.calls.call(operation(facts, 'SEARCH', type), undefined, (signal) =>
    connector.page(query, signal),
  )
  const result = page.objects.map(reader(type, names))
  return {
    result,
    cookie: page.cookie,
    ...(page.total !== undefined && query.total && { total: page.total }),
  }
}

function offersPages(connector: Connector): connector is Connector & Page {
  return offers(connector, 'page') && offers(connector, 'sorts')
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

function splitFor(
  { connector, configuration }: SystemFacts,
  type: ObjectType,
  filter: Filter,
  schema: NativeSchema,
): SplitFilter {
  if (filter.kind === 'literal')
    return filter.value ? { native: everything, rest: everything } : { native: everything, rest: filter }
  if (!offers(connector, 'split')) return { native: everything, rest: filter }
  const mustIgnoreCase = ignoresCase(configuration)
  const isIgnored = (name: string) => comparisonOf(schema, type.properties.get(name)) === 'ignoreCase'
  // The system would omit values that differ only in case.
  if (mustIgnoreCase && !propertiesIn(filter).every(isIgnored)) return { native: everything, rest: filter }
  return splitNatively(filter, type, (native) => connector.split(type.objectClass, native))
}

export async function readMany(
  facts: SystemFacts,
  type: ObjectType,
  ids: readonly string[],
  fields: readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Resource>> {
  const { connector } = facts
  if (!offers(connector, 'readMany')) throw notOffered(facts, 'GET')
  const lone = ids.length === 1 ? ids[0] : undefined
  const named = ofMany(operation(facts, 'GET', type, lone), ids.length)
  const objects = await facts.calls.call(named, signal, (both) =>
    connector.readMany(type.objectClass, ids, attributesOf(type, fields), both),
  )
  const toResource = reader(type, fields)
  return new Map(Array.from(objects, ([id, object]) => [id, toResource(object)]))
}

/** `resultsHandlerConfig.enableCaseInsensitiveFilter` (platform §4.1). */
export function ignoresCase({ resultsHandlerConfig }: SystemFacts['configuration']): boolean {
  return isJsonObject(resultsHandlerConfig) && resultsHandlerConfig.enableCaseInsensitiveFilter === true
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

/** Fills pages again after a filter has removed objects. Returns the connector's result of the listing. */
async function* repaged<T>(
  pages: AsyncGenerator<readonly T[], SearchEnd | undefined>,
  size: number,
  keep: (object: T) => Resource | undefined,
): AsyncGenerator<readonly Resource[], Listing> {
  let page: Resource[] = []
  try {
    for (let next = await pages.next(); ; next = await pages.next()) {
      if (next.done) {
        if (page.length > 0) yield page
        return next.value ?? completeListing
      }
      for (const object of next.value) {
        const resource = keep(object)
        if (resource) page.push(resource)
        if (page.length < size) continue
        yield page
        page = []
      }
    }
  } finally {
    await pages.return(undefined)
  }
}
