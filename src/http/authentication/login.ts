import type { IncomingHttpHeaders } from 'node:http'
import { Mutex } from '../../kit/mutex.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { RequestObserver } from '../../router/exchange.ts'
import type { Authentication, Identity } from './authentication.ts'
import { type Credentials, credentialsOf, repeatedPassword } from './credentials.ts'
import { clientOf, failedLogins } from './failed-logins.ts'

/** Identifies the sender of a request by its headers: UNAUTHORIZED if unknown, 429 while the address must wait. */
export type Login = (
  headers: IncomingHttpHeaders,
  address: string,
  path: string,
  transactionId?: string,
) => Promise<Identity>

interface From {
  readonly transactionId: string
  readonly address: string
  /** Whose failures count together. */
  readonly client: string
}

const anonymous: Identity = { userId: 'anonymous', roles: ['openidm-reg'] }

/** Load balancers check whether the server is alive, without an account. */
const openPaths: ReadonlySet<string> = new Set(['info/ping'])

/** `observer` is notified of every check of credentials. */
export function login(authentication: Authentication, observer?: Pick<RequestObserver, 'attempt'>): Login {
  const failures = failedLogins()
  // Otherwise many guesses sent at the same time would all be checked before the first failure is counted.
  const turn = new Mutex()
  /** Tries `recall` again first: the previous request may have come from the same client. */
  const check = async (credentials: Credentials, from: From): Promise<Identity> => {
    const known = await authentication.recall(credentials)
    if (known) return known
    const { transactionId, address, client } = from
    const attempt = { transactionId, address, username: credentials.username, module: 'STATIC_USER' }
    try {
      refuseWhileWaiting(failures.waitFor(client))
      const identity = await authentication.authenticate(credentials).catch((error) => {
        failures.failed(client)
        throw error
      })
      failures.succeeded(client)
      observer?.attempt({ ...attempt, successful: true })
      return identity
    } catch (error) {
      observer?.attempt({ ...attempt, successful: false, reason: asProblem(error).message })
      throw error
    }
  }
  /** A known user does not wait because of failed guesses from the same client. */
  const known = async (credentials: Credentials, from: From): Promise<Identity> =>
    (await authentication.recall(credentials)) ?? turn.run(() => check(credentials, from))
  return async (headers, address, path, transactionId = '') => {
    const credentials = credentialsOf(headers)
    if (credentials) {
      const forwarded = headers['x-forwarded-for']
      const from = { transactionId, address, client: clientOf(address, forwarded?.toString()) }
      const identity = await known(credentials, from)
      const password = repeatedPassword(headers)
      if (password === undefined) return identity
      const { userId } = await known({ username: credentials.username, password }, from)
      return { ...identity, reauthenticated: userId === identity.userId }
    }
    if (openPaths.has(path)) return anonymous
    throw new Problem('UNAUTHORIZED', 'The request carries no credentials')
  }
}

function refuseWhileWaiting(milliseconds: number): void {
  if (milliseconds === 0) return
  const seconds = Math.ceil(milliseconds / 1_000)
  throw new Problem('UNAUTHORIZED', `Too many failed logins from this client: try again in ${seconds} s`, {
    status: 429,
    detail: { retryAfter: seconds },
  })
}
