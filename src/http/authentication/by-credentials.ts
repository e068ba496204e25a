import type { IncomingHttpHeaders } from 'node:http'
import type { Credentials } from '../../authentication/login-module.ts'
import { type LoggedIn, type Logins, loggedIn, recalled } from '../../authentication/logins.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { RequestObserver } from '../../router/exchange.ts'
import { clientOf, failedLogins } from './failed-logins.ts'
import { Turns } from './turns.ts'

/** Who sends the credentials. */
interface Sender {
  readonly headers: IncomingHttpHeaders
  readonly address: string
  readonly transactionId?: string | undefined
}

interface From {
  readonly transactionId: string
  readonly address: string
  /** Whose failures count together. */
  readonly client: string
}

/** Who has these credentials: UNAUTHORIZED if nobody, 429 while the client must wait. `observer` is notified of every check. */
export function byCredentials(logins: () => Logins, observer?: Pick<RequestObserver, 'attempt'>) {
  const failures = failedLogins()
  // Otherwise many guesses sent at the same time would all be checked before the first failure is counted, or with invented clients
  // many of one user. Others do not wait: a system that checks passwords may be slow.
  const turns = { ofClients: new Turns(), ofUsers: new Turns() }

  /** Tries `recalled` again first: the previous request may have come from the same client. */
  async function check(credentials: Credentials, { client, ...from }: From): Promise<LoggedIn> {
    const known = await recalled(logins(), credentials)
    if (known) return known
    const attempt = { ...from, username: credentials.username }
    try {
      refuseWhileWaiting(failures.waitFor(client))
      const found = await loggedIn(logins(), credentials).catch((error) => {
        failures.failed(client)
        throw error
      })
      failures.succeeded(client)
      observer?.attempt({ ...attempt, module: found.module, successful: true })
      return found
    } catch (error) {
      const module = logins()
        .modules.map(({ name }) => name)
        .join(', ')
      observer?.attempt({ ...attempt, module, successful: false, reason: asProblem(error).message })
      throw error
    }
  }

  function inTurn(credentials: Credentials, from: From): Promise<LoggedIn> {
    const ofUser = () => turns.ofUsers.run(credentials.username, () => check(credentials, from))
    return turns.ofClients.run(from.client, ofUser)
  }

  /** A known user does not wait because of failed guesses from the same client. */
  const known = async (credentials: Credentials, from: From): Promise<LoggedIn> =>
    (await recalled(logins(), credentials)) ?? inTurn(credentials, from)

  return async (credentials: Credentials, sender: Sender): Promise<LoggedIn> => {
    const { headers, address, transactionId = '' } = sender
    const client = clientOf(address, headers['x-forwarded-for']?.toString())
    return known(credentials, { transactionId, address, client })
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
