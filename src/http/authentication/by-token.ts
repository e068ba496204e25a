import type { Identity } from '../../authentication/login-module.ts'
import type { Logins } from '../../authentication/logins.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { RequestObserver } from '../../router/exchange.ts'

/** Whom a bearer token stands for: UNAUTHORIZED if nobody. `observer` is notified of what is refused; each request has its token. */
export function byToken(logins: () => Logins, observer?: Pick<RequestObserver, 'attempt'>) {
  return async (
    token: string,
    {
      address,
      transactionId = '',
    }: { readonly address: string; readonly transactionId?: string | undefined },
  ): Promise<Identity> => {
    try {
      const { bearer } = logins()
      if (bearer) return await bearer(token)
      throw new Problem('UNAUTHORIZED', 'Bearer tokens are not accepted here', {
        hint: 'Configure rsFilter in conf/authentication.json, or send a name and a password.',
      })
    } catch (error) {
      const attempt = { transactionId, address, module: 'OAUTH', username: 'a bearer token' }
      observer?.attempt({ ...attempt, successful: false, reason: asProblem(error).message })
      throw error
    }
  }
}
