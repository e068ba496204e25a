import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../../model/problem.ts'

/**
 * Conditional headers (platform §1.1): which revision a request requires, and which conditions are not allowed.
 */
export type RequestKind = 'read' | 'query' | 'put' | 'patch' | 'delete' | 'post'

export interface Conditions {
  readonly ifMatch: Revision | undefined
  readonly ifNoneMatch: Revision | undefined
}

/** `*`, or the text of an entity tag. */
export type Revision = { readonly any: true } | { readonly any: false; readonly rev: string }

/** The conditions of a request. PRECONDITION_FAILED, BAD_REQUEST or CONFLICT for those that its kind does not allow. */
export function conditionsOf(kind: RequestKind, headers: IncomingHttpHeaders): Conditions {
  refuseDates(headers)
  const ifMatch = revisionOf(headers['if-match'])
  const ifNoneMatch = revisionOf(headers['if-none-match'])
  if (ifMatch && !takesIfMatch.has(kind)) {
    throw new Problem('PRECONDITION_FAILED', `If-Match is not supported on ${kindNames[kind]}`)
  }
  if (ifNoneMatch) checkIfNoneMatch(kind, ifMatch, ifNoneMatch)
  return { ifMatch, ifNoneMatch }
}

const takesIfMatch: ReadonlySet<RequestKind> = new Set(['put', 'patch', 'delete'])

const kindNames = {
  read: 'GET',
  query: 'a query',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  post: 'POST',
} as const satisfies Record<RequestKind, string>

function checkIfNoneMatch(kind: RequestKind, ifMatch: Revision | undefined, ifNoneMatch: Revision): void {
  if (kind === 'put') {
    if (ifMatch)
      throw new Problem('PRECONDITION_FAILED', 'If-Match and If-None-Match exclude one another on PUT')
    if (!ifNoneMatch.any) throw new Problem('BAD_REQUEST', 'If-None-Match on PUT must be *: it means create')
  } else if (kind !== 'read') {
    throw new Problem('PRECONDITION_FAILED', `If-None-Match is not supported on ${kindNames[kind]}`)
  } else if (ifNoneMatch.any) {
    throw new Problem('PRECONDITION_FAILED', 'If-None-Match: * is not supported on GET')
  }
}

function refuseDates(headers: IncomingHttpHeaders): void {
  for (const name of ['if-modified-since', 'if-unmodified-since'] as const) {
    if (headers[name] !== undefined) {
      throw new Problem('CONFLICT', `The header ${name} is not supported: use If-Match or If-None-Match`)
    }
  }
}

/** Some clients and proxies turn an ETag into a weak tag or a revision without quotes. */
function revisionOf(header: string | undefined): Revision | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (text === '*') return { any: true }
  return { any: false, rev: text.replace(/^(?:W\/)?"(.*)"$/, '$1') }
}
