import { placeIn, printCookie } from '../../kit/cookies.ts'
import { compareText, type SortKey } from '../../model/sort.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ObjectPage, PageQuery } from '../kit/query.ts'
import type { CsvSettings } from './settings.ts'

/**
 * Pages of the rows in the order of their ids, found in these alone. A cookie is the id where a page ended, so rows may
 * come, go and move in the file between two requests.
 */
type PageOfIds = Omit<ObjectPage, 'objects'> & { readonly ids: readonly string[] }

/** The id, or its column, either way; without keys in the order of the ids. */
export function isOrderedById(sortKeys: readonly SortKey[], { uid }: CsvSettings): boolean {
  const [key, ...others] = sortKeys
  if (others.length > 0) return false
  return key === undefined || (key.pointer.length === 1 && ['_id', uid].includes(key.pointer[0] ?? ''))
}

export function pageOfIds(ordered: readonly string[], query: PageQuery): PageOfIds {
  const { pageSize, offset, sortKeys, total } = query
  const isDescending = sortKeys[0]?.descending === true
  const after = query.cookie === undefined ? undefined : idIn(query.cookie)
  const passed = after === undefined ? 0 : passedBy(ordered, after, isDescending)
  const start = Math.min(passed + offset, ordered.length)
  const end = Math.min(start + pageSize, ordered.length)
  const ids = isDescending
    ? ordered.slice(ordered.length - end, ordered.length - start).toReversed()
    : ordered.slice(start, end)
  const last = ids.at(-1)
  return {
    ids,
    cookie: last !== undefined && end < ordered.length ? printCookie([last]) : null,
    ...(total && { total: ordered.length }),
  }
}

/** How many ids come before the next page. */
function passedBy(ordered: readonly string[], after: string, isDescending: boolean): number {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = compareText(ordered[middle] ?? '', after)
    if (isDescending ? order < 0 : order <= 0) low = middle + 1
    else high = middle
  }
  return isDescending ? ordered.length - low : low
}

function idIn(cookie: string): string {
  const [id, ...others] = placeIn(cookie) ?? []
  if (typeof id === 'string' && others.length === 0) return id
  throw new ConnectorError('unknownCookie', 'The paging cookie is not one of this query')
}
