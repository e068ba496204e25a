import type { Filter } from '../model/filter/filter.ts'
import type { SortKey } from '../model/sort.ts'

/** A query over one collection. Sorting is by `sortKeys`, then `_id`; null sorts last, strings by code point. */
export interface StoreQuery {
  readonly filter: Filter
  readonly sortKeys?: readonly SortKey[]
  /** Absent: everything in one page. */
  readonly pageSize?: number
  /** Opaque, from the previous page; stays valid while objects are created and deleted. Excludes `offset`. */
  readonly cookie?: string | undefined
  readonly offset?: number
  /** Ask for the exact total; costs a count. */
  readonly total?: boolean
}

export interface StorePage<T> {
  readonly result: readonly T[]
  /** null: this was the last page. */
  readonly cookie: string | null
  readonly total?: number
}
