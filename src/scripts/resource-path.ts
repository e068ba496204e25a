import { Problem } from '../model/problem.ts'
import { escapeStrayPercents } from '../model/resource-path.ts'

/**
 * A resource path as scripts write it, made into one that the router splits and decodes: segments stay
 * percent-encoded, so `%2F` in an id survives (platform §1.2). An id that a script pasted in as it is
 * may contain a `%` that introduces no escape: it stands for itself.
 */
export function resourcePath(text: unknown, what: string): string {
  if (typeof text !== 'string' || text === '')
    throw new Problem('BAD_REQUEST', `${what}: the resource path must be a string`)
  const segments = text.replace(/^\/|\/$/g, '').split('/')
  if (segments.includes(''))
    throw new Problem('BAD_REQUEST', `${what}: the path "${text}" has an empty segment`)
  return segments.map(escapeStrayPercents).join('/')
}
