import { placeIn } from '../kit/cookies.ts'
import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'

/** The values in a paging cookie (platform §1.1). BAD_REQUEST unless there are as many as the query has terms of order. */
export function parseCookie(cookie: string, terms: number): readonly Json[] {
  const place = placeIn(cookie)
  if (place?.length === terms) return place
  throw new Problem('BAD_REQUEST', 'The paging cookie does not belong to this query: begin without a cookie')
}
