import { Problem } from './problem.ts'
import { encodeSegment } from './reference.ts'

/**
 * Resource paths: `managed/user/jdoe`. In the router, a path is text with percent-encoded segments, so that `%2F`
 * inside an id survives. The text is canonical: each path has one spelling, so access rules and filters see what the
 * provider sees. Code that needs the segments splits and decodes them here.
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

/**
 * The canonical text of a path: without leading and trailing slash, each segment decoded once and encoded as `joinPath` does.
 * `.` and `..` are segments like any other. BAD_REQUEST for a malformed escape or an empty segment.
 */
export function normalizePath(path: string): string {
  return joinPath(...splitPath(path.replace(/^\/|\/$/g, '')))
}

/** A path as a person or a script writes it: an id with a `%` that begins no escape need not be encoded. */
export function tolerantPath(path: string): string {
  return path.split('/').map(escapeStrayPercents).join('/')
}

/** Escapes each `%` that begins no escape, so that text written by a person can be decoded. */
export function escapeStrayPercents(segment: string): string {
  return isDecodable(segment) ? segment : segment.replaceAll('%', '%25')
}

function isDecodable(segment: string): boolean {
  try {
    decodeURIComponent(segment)
    return true
  } catch {
    return false
  }
}

function decodeSegment(segment: string, path: string): string {
  if (segment === '') throw new Problem('BAD_REQUEST', `The path "${path}" has an empty segment`)
  if (!segment.isWellFormed())
    throw new Problem('BAD_REQUEST', `The path "${path}" has half a character in "${segment}"`)
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Problem('BAD_REQUEST', `The path "${path}" has a malformed percent escape in "${segment}"`)
  }
}
