import { Problem } from '../model/problem.ts'
import type { RequestContext, ResourceAction, ResourceProvider } from '../router/resources.ts'
import type { Sessions } from './sessions.ts'

/** `authentication` (platform §2, §10): what a caller can do with its own login. */
export function authenticationProvider(sessions: Pick<Sessions, 'end'>): ResourceProvider {
  return {
    async action(path, { name }: ResourceAction, request) {
      if (path !== '') throw new Problem('NOT_FOUND', `There is nothing at authentication/${path}`)
      if (name === 'reauthenticate') return reauthenticated(request)
      if (name === 'login') return callerOf(request)
      if (name !== 'logout')
        throw new Problem(
          'NOT_IMPLEMENTED',
          `authentication offers login, logout and reauthenticate, not the action "${name}"`,
        )
      if (request.session !== undefined) await sessions.end({ id: request.session })
      return { success: true }
    },
  }
}

/** Who sends a request, as `info/login` and a login say it; the session that begins is in a cookie of the answer. */
export function callerOf({ userId, roles, account, address }: RequestContext) {
  return {
    _id: 'login',
    authenticationId: userId,
    authorization: {
      id: account?.id ?? userId,
      component: account?.component ?? 'internal/user',
      roles: [...roles],
      ...(address !== undefined && { ipAddress: address }),
    },
  }
}

/** `X-OpenIDM-Reauth-Password` is checked with every request; this one asks for nothing else. */
function reauthenticated({ reauthenticated }: RequestContext): { reauthenticated: true } {
  if (reauthenticated) return { reauthenticated }
  throw new Problem('FORBIDDEN', 'the password in X-OpenIDM-Reauth-Password is not that of the account', {
    hint: 'Send the password of the account once more in X-OpenIDM-Reauth-Password.',
  })
}
