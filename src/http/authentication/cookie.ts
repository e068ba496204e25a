import type { IncomingHttpHeaders } from 'node:http'

/** The cookie with the token of a session, under the name that OpenIDM gives it (platform §10). */
const name = 'session-jwt'

/** undefined: there is none. Of two the first counts, as browsers send the more specific one first. */
export function sessionToken({ cookie }: IncomingHttpHeaders): string | undefined {
  for (const pair of cookie?.split(';') ?? []) {
    const [key = '', ...value] = pair.split('=')
    if (key.trim() === name) return value.join('=').trim() || undefined
  }
  return undefined
}

/**
 * A `Set-Cookie` header. No script of a page can read it, and no page of another site sends it along; `token` undefined: the browser
 * forgets it. It lives as long as the browser does, and the token says how long the session does.
 */
export function sessionCookie(token: string | undefined, { secure }: { readonly secure: boolean }): string {
  const end = token === undefined ? ['Max-Age=0'] : []
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', ...(secure ? ['Secure'] : [])]
  return [`${name}=${token ?? ''}`, ...attributes, ...end].join('; ')
}
