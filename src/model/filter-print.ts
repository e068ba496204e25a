import type { Filter } from './filter.ts'

/** The canonical text of a filter; `parseFilter(printFilter(f))` equals `f` up to flattening of nested and/or. */
export function printFilter(_filter: Filter): string {
  throw new Error('to be written')
}
