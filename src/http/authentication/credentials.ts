import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { Credentials } from '../../authentication/login-module.ts'
import { Problem } from '../../model/problem.ts'

/**
 * The credentials of a request (platform §10): the two X-OpenIDM headers, whose values may be encoded
 * as RFC 5987 describes, or HTTP Basic. Undefined if there are none.
 */
export function credentialsOf(headers: IncomingHttpHeaders): Credentials | undefined {
  const username = headers['x-openidm-username']
  const password = headers['x-openidm-password']
  if (typeof username === 'string' && typeof password === 'string') {
    return { username: decodeExtended(username), password: decodeExtended(password) }
  }
  return basicCredentials(headers.authorization)
}

/** `Authorization: Bearer` (RFC 6750, section 2.1); undefined: there is none. Tokens in addresses are not taken: logs have them. */
export function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization ?? '')?.[1]
}

/** The password sent again, for changes of protected properties. */
export function repeatedPassword(headers: IncomingHttpHeaders): string | undefined {
  const password = headers['x-openidm-reauth-password']
  return typeof password === 'string' ? decodeExtended(password) : undefined
}

/** Decodes `UTF-8''Zo%C3%AB`; other values stay unchanged. */
function decodeExtended(value: string): string {
  const [, charset, encoded] = /^(UTF-8|ISO-8859-1)'[^']*'(.*)$/i.exec(value) ?? []
  if (charset === undefined || encoded === undefined) return decodePlain(value)
  try {
    return charset.toUpperCase() === 'UTF-8' ? decodeURIComponent(encoded) : unescapeLatin1(encoded)
  } catch {
    throw new Problem('UNAUTHORIZED', 'The credentials are not encoded as RFC 5987 describes')
  }
}

/** Node reads header bytes as Latin-1; curl in a UTF-8 terminal sends UTF-8, fetch sends Latin-1. */
function decodePlain(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : value
}

function unescapeLatin1(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function basicCredentials(authorization: string | undefined): Credentials | undefined {
  const [, encoded] = /^Basic +([\w+/=-]+)$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
