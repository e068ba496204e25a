import type { Json } from '../json.ts'
import type { Pointer } from '../pointer.ts'

/** Comparison operators of the query filter (platform §1.3), with our additions. */
export const comparisonOperators = ['eq', 'ne', 'co', 'sw', 'ew', 'lt', 'le', 'gt', 'ge', 'in', 'ca'] as const
export type ComparisonOperator = (typeof comparisonOperators)[number]

/** A parsed query filter: plain data, so that it can be passed to scripts, compared, and compiled to SQL. */
export type Filter =
  | { readonly kind: 'literal'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'present'; readonly pointer: Pointer }
  | {
      readonly kind: 'compare'
      readonly operator: ComparisonOperator
      readonly pointer: Pointer
      /** A string, number or boolean; for `in` and `ca` an array of them. */
      readonly value: Json
    }

export const everything: Filter = { kind: 'literal', value: true }

export function matchesEverything(filter: Filter): boolean {
  return filter.kind === 'literal' && filter.value
}
export const nothing: Filter = { kind: 'literal', value: false }
