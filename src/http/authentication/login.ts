import type { IncomingHttpHeaders } from 'node:http'
import type { Credentials, Identity } from '../../authentication/login-module.ts'
import { type Logins, renewed } from '../../authentication/logins.ts'
import type { Session, Sessions } from '../../authentication/sessions.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestObserver } from '../../router/exchange.ts'
import { byCredentials } from './by-credentials.ts'
import { byToken } from './by-token.ts'
import { sessionToken } from './cookie.ts'
import { bearerToken, credentialsOf, repeatedPassword } from './credentials.ts'

/** Identifies the sender of a request: UNAUTHORIZED if unknown, 429 while the address must wait. */
export type Login = (request: LoginRequest) => Promise<Caller>

export interface LoginRequest {
  readonly headers: IncomingHttpHeaders
  readonly address: string
  readonly method: string
  /** Of the resource, e.g. `managed/user`. */
  readonly path: string
  readonly action?: string | undefined
  readonly transactionId?: string | undefined
}

export interface Caller {
  readonly identity: Identity
  /** The id of the session that the request belongs to. */
  readonly session?: string
  /** What the cookie of the session is from now on; null: the client forgets it. Absent: it stays. */
  readonly token?: string | null
}

export interface LoginOptions {
  /** Those of the current configuration. */
  readonly logins: () => Logins
  readonly sessions: Sessions
  /** Notified of every check of credentials. */
  readonly observer?: Pick<RequestObserver, 'attempt'> | undefined
}

const anonymous: Identity = { userId: 'anonymous', roles: ['openidm-reg'] }

/** Load balancers check whether the server is alive, without an account. */
const openPaths: ReadonlySet<string> = new Set(['info/ping'])

/** Milliseconds: a token that is younger is not replaced by one that lasts longer. */
const renewedAfter = 60_000

/**
 * Headers with a name and a password count before the cookie of a session (platform §10). A login begins a session, unless the client
 * says `X-OpenIDM-NoSession: true`.
 */
export function login({ logins, sessions, observer }: LoginOptions): Login {
  const identified = byCredentials(logins, observer)
  const ofToken = byToken(logins, observer)

  async function withCredentials(credentials: Credentials, request: LoginRequest): Promise<Caller> {
    const { module, basis, identity } = await identified(credentials, request)
    const caller = { identity: await checkedAgain(identity, request) }
    if (!wantsSession(request)) return caller
    const present = await sessionOf(request)
    if (present?.identity.userId === identity.userId && present.module === module) return caller
    const success = { identity, ...(basis !== undefined && { basis }) }
    return { ...caller, token: await sessions.begin(module, success, logins().sessions) }
  }

  async function withSession(session: Session, request: LoginRequest): Promise<Caller> {
    requireOwnScript(request)
    const caller = { session: session.id, identity: await checkedAgain(session.identity, request) }
    if (Date.now() - session.issued < renewedAfter) return caller
    return { ...caller, token: await sessions.prolong(session, logins().sessions) }
  }

  /** A session that has ended already can be left as well. */
  async function leaving(request: LoginRequest): Promise<Caller> {
    const session = await sessionOf(request)
    if (!session) return { identity: anonymous, token: null }
    requireOwnScript(request)
    return { identity: session.identity, session: session.id, token: null }
  }

  async function sessionOf({ headers }: LoginRequest): Promise<Session | undefined> {
    const token = sessionToken(headers)
    const session = token === undefined ? undefined : await sessions.read(token)
    const identity = session && (await renewed(logins(), session))
    return identity && { ...session, identity }
  }

  /** With what `X-OpenIDM-Reauth-Password` says, if it is there. */
  async function checkedAgain(identity: Identity, request: LoginRequest): Promise<Identity> {
    const password = repeatedPassword(request.headers)
    if (password === undefined) return identity
    const again = await identified({ username: identity.userId, password }, request)
    return { ...identity, reauthenticated: again.identity.userId === identity.userId }
  }

  return async (request) => {
    if (request.path === 'authentication' && request.action === 'logout') return leaving(request)
    const credentials = credentialsOf(request.headers)
    if (credentials) return withCredentials(credentials, request)
    const bearer = bearerToken(request.headers)
    if (bearer !== undefined) return { identity: await ofToken(bearer, request) }
    const session = await sessionOf(request)
    if (session) return withSession(session, request)
    if (openPaths.has(request.path)) return { identity: anonymous }
    if (sessionToken(request.headers) === undefined)
      throw new Problem('UNAUTHORIZED', 'The request carries no credentials')
    throw new Problem('UNAUTHORIZED', 'The session has ended', { hint: 'Log in again.' })
  }
}

function wantsSession({ headers }: LoginRequest): boolean {
  return String(headers['x-openidm-nosession']).toLowerCase() !== 'true'
}

/** A page of another site can make a browser send a cookie, but not a header of its own. */
function requireOwnScript({ method, headers }: LoginRequest): void {
  if (method === 'GET' || method === 'HEAD' || headers['x-requested-with'] !== undefined) return
  throw new Problem('FORBIDDEN', 'A change in a session needs the header X-Requested-With', {
    hint: 'Send X-Requested-With: XMLHttpRequest with every request that changes something.',
  })
}
