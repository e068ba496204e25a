import type { Filter } from './filter.ts'
import type { Json } from './json.ts'

/**
 * Does `root` match? An array matches if any element does; values of different types never match; `pr` is false for
 * null. `ignoreCase` as in mapping conditions; object-set queries compare exactly.
 */
export function matches(_filter: Filter, _root: Json, _options?: { readonly ignoreCase?: boolean }): boolean {
  throw new Error('to be written')
}
