import { parseFilter } from '../../model/filter/parse.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'

/** The condition of a role: a query filter over those to whom it is granted (platform §6.4). */

/** Undefined where there is none, or none that can be read. */
export function conditionIn(value: Json | undefined) {
  if (typeof value !== 'string' || value.trim() === '') return undefined
  try {
    return parseFilter(value)
  } catch {
    return undefined
  }
}

/** BAD_FILTER for a condition that is none: nobody would ever be granted what it belongs to. */
export function requireCondition(value: Json | undefined, where: string): void {
  if (value === undefined || value === null || value === '') return
  if (typeof value !== 'string')
    throw new Problem('BAD_FILTER', `${where} is a query filter, not ${JSON.stringify(value)}`)
  try {
    parseFilter(value)
  } catch (cause) {
    throw new Problem('BAD_FILTER', `${where}: ${(cause as Error).message}`, { cause })
  }
}
