import type { Filter } from './filter.ts'

/** Parses the query filter grammar (platform specification §1.3). BAD_FILTER names the column and what was expected. */
export function parseFilter(_text: string): Filter {
  throw new Error('to be written')
}
