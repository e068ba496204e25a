import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../model/problem.ts'

/**
 * Browsers send a user's credentials with requests that pages of other sites make them send. They say where such a request
 * comes from (Fetch Metadata, RFC 6454), and a form cannot choose a content type of its own. Programs send none of this.
 */
export interface Sender {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Scheme, host and port under which the server was asked, e.g. `https://idm.example.com`. */
  readonly origin: string
}

export function refuseForeignPage({ method, headers, origin }: Sender): void {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw foreign(`Sec-Fetch-Site: ${site}`)
  const from = headers.origin
  if (from !== undefined && from.toLowerCase() !== origin.toLowerCase()) throw foreign(`Origin: ${from}`)
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';', 1)
  if (!readingMethods.has(method) && formTypes.has(type.trim()))
    throw new Problem(
      'BAD_REQUEST',
      `A form cannot be sent here; a body must be application/json, not ${type}`,
    )
}

const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What a form can send without being asked for permission. */
const formTypes: ReadonlySet<string> = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
])

function foreign(header: string): Problem {
  return new Problem(
    'FORBIDDEN',
    `Requests from pages of other sites are refused (${header}). ` +
      'Behind a proxy, name it in the property syncline.trusted.proxies, so that its X-Forwarded-Host counts',
  )
}
