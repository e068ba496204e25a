import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'

/**
 * Paging cookies (platform §1.1): the place of the last row of a page in the order of its query. So a cookie stays valid
 * while objects are created and deleted. Opaque to clients, not secret.
 */
export type Place = readonly (Json | undefined)[]

export function printCookie(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** BAD_REQUEST unless the cookie has as many values as the query has terms of order. */
export function parseCookie(cookie: string, terms: number): readonly Json[] {
  const place = decode(cookie)
  if (Array.isArray(place) && place.length === terms) return place
  throw new Problem('BAD_REQUEST', 'The paging cookie does not belong to this query: begin without a cookie')
}

function decode(cookie: string): unknown {
  try {
    return JSON.parse(Buffer.from(cookie, 'base64url').toString())
  } catch {
    return undefined
  }
}
