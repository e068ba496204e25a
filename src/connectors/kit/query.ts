import { everything, type Filter, matchesEverything } from '../../model/filter/filter.ts'
import { type FilterLeaf, leavesOf } from '../../model/filter/walk.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Listing } from '../../model/listing.ts'
import type { SortKey } from '../../model/sort.ts'
import type { Unreadable } from '../../model/unreadable.ts'
import type { Attributes } from './values.ts'

/**
 * Objects as a connector returns them, in the connector's own names: `__UID__` and `__NAME__` do not appear;
 * the uid is `_id`, and the other keys are native attribute names. What the configuration calls them
 * (`nativeName`, types, flags) is handled in system/.
 */
export type ConnectorObject = Attributes & { _id: string }

/** An object, or in its place why it cannot be read. Of an object without a known id, the listing is partial. */
export type ConnectorEntry = ConnectorObject | Unreadable

export interface ConnectorQuery {
  /** The object class at the connector, e.g. `__ACCOUNT__`. */
  readonly objectClass: string
  /** Over native attributes and `_id`: the native part that `split` returned, or all of it. */
  readonly filter: Filter
  /** Native names wanted; absent: all that are returned by default. `_id` always comes. */
  readonly fields?: readonly string[] | undefined
  readonly pageSize?: number
}

/** Nothing means that the listing is complete. */
// biome-ignore lint/suspicious/noConfusingVoidType: a generator without `return` gives void.
export type SearchEnd = Listing | undefined | void

export interface Search {
  /**
   * Pages of objects, none of them empty. Reading streams: memory does not grow with the system. What the generator
   * returns says whether the listing is complete; nothing means that it is.
   */
  search(query: ConnectorQuery, signal?: AbortSignal): AsyncIterable<readonly ConnectorEntry[], SearchEnd>
}

export interface Split {
  /**
   * Splits a filter into the part that the system evaluates, and the rest, applied to its results: an object matches the
   * filter if it matches both. Leaves stay unchanged. A connector without `split` returns all objects, and all
   * of the filter is the rest.
   */
  split(objectClass: string, filter: Filter): SplitFilter
}

export interface SplitFilter {
  readonly native: Filter
  readonly rest: Filter
}

/** Splits by the comparisons that the system can evaluate; `or` and `not` are native only if all below them is. */
export function splitBy(filter: Filter, answers: (leaf: FilterLeaf) => boolean): SplitFilter {
  if (leavesOf(filter).every(answers)) return { native: filter, rest: everything }
  if (filter.kind !== 'and') return { native: everything, rest: filter }
  const parts = filter.filters.map((part) => splitBy(part, answers))
  return {
    native: conjunction(parts.map(({ native }) => native)),
    rest: conjunction(parts.map(({ rest }) => rest)),
  }
}

function conjunction(filters: readonly Filter[]): Filter {
  const [first = everything, ...others] = filters.filter((filter) => !matchesEverything(filter))
  return others.length === 0 ? first : { kind: 'and', filters: [first, ...others] }
}

/** Native paging, as REST asks for it: one page per request, each request independent. */
export interface Page {
  /**
   * True if `page` gives this order: by the keys (absent values last, texts by code point), then by `_id`. Without keys
   * the order is the system's own, but stable.
   */
  sorts(objectClass: string, sortKeys: readonly SortKey[]): boolean
  page(query: PageQuery, signal?: AbortSignal): Promise<ObjectPage>
}

export interface PageQuery extends ConnectorQuery {
  readonly pageSize: number
  readonly sortKeys: readonly SortKey[]
  /** The end of the previous page; absent: the first page. An `unknownCookie` is an error. */
  readonly cookie?: string | undefined
  /** How many objects to skip before the page. */
  readonly offset: number
  /** True if the total is asked for, where it is known. */
  readonly total: boolean
}

export interface ObjectPage {
  readonly objects: readonly ConnectorEntry[]
  /** The cookie of the next page; null: there is none. */
  readonly cookie: string | null
  /** How many objects match in total; absent: unknown. */
  readonly total?: number | undefined
  readonly listing?: Listing | undefined
}

export interface ReadMany {
  /**
   * The objects of these ids, keyed by the id asked for; missing ones are absent. One round trip where the system can.
   * An id of which the system cannot say whether there is an object is `Unreadable`. `fields` as in a query.
   */
  readMany(
    objectClass: string,
    ids: readonly string[],
    fields?: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorEntry>>
}

/** Where an object is found by a person: `people.csv, line 7, column 3 (age)`. */
export interface Locate {
  /** By id; ids without a known place are absent. Asked only for error messages. */
  locate(
    objectClass: string,
    places: readonly PlaceQuery[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Place>>
}

export interface PlaceQuery {
  readonly id: string
  readonly attribute: string | undefined
}

export interface Place {
  readonly text: string
  /** Facts for machines, e.g. `file` and `line`. */
  readonly detail: JsonObject
}

export interface Count {
  /** How many objects of a class there are, where the system knows that without reading them all. */
  count(objectClass: string, signal?: AbortSignal): Promise<number>
}
