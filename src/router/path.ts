import { Problem } from '../model/problem.ts'
import { encodeSegment } from '../model/reference.ts'

/**
 * Resource paths: `managed/user/jdoe`. On the way through the router a path stays text with percent-encoded
 * segments, so that `%2F` inside an id survives; whoever needs the segments splits and decodes here.
 */

/** The decoded segments; none for the empty path. BAD_REQUEST for a malformed escape or an empty segment. */
export function splitPath(path: string): readonly string[] {
  if (path === '') return []
  return path.split('/').map((segment) => decodeSegment(segment, path))
}

/** The path of decoded segments: the inverse of `splitPath`. */
export function joinPath(...segments: readonly string[]): string {
  return segments.map(encodeSegment).join('/')
}

/** The path before the last segment, still encoded, and the last segment decoded. */
export function splitLast(path: string): { readonly parent: string; readonly last: string } {
  const at = path.lastIndexOf('/')
  return { parent: at < 0 ? '' : path.slice(0, at), last: decodeSegment(path.slice(at + 1), path) }
}

/** Without leading and trailing slash. */
export function normalizePath(path: string): string {
  return path.replace(/^\/|\/$/g, '')
}

function decodeSegment(segment: string, path: string): string {
  if (segment === '') throw new Problem('BAD_REQUEST', `The path "${path}" has an empty segment`)
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Problem('BAD_REQUEST', `The path "${path}" has a malformed percent escape in "${segment}"`)
  }
}
