import { Problem } from '../model/problem.ts'
import { escapeStrayPercents } from '../model/resource-path.ts'

/**
 * Converts a resource path of a script to one that the router splits and decodes. Segments stay percent-encoded, so `%2F`
 * in an id survives (platform §1.2). A script may insert an id without encoding it: a `%` that begins no escape is kept.
 */
export function resourcePath(text: unknown, what: string): string {
  if (typeof text !== 'string' || text === '')
    throw new Problem('BAD_REQUEST', `${what}: the resource path must be a string`)
  const segments = text.replace(/^\/|\/$/g, '').split('/')
  if (segments.includes(''))
    throw new Problem('BAD_REQUEST', `${what}: the path "${text}" has an empty segment`)
  return segments.map(escapeStrayPercents).join('/')
}
