import { Problem } from '../model/problem.ts'
import { type AccessRule, grants } from './access-rules.ts'
import { grantedByBuiltInRole } from './built-in-roles.ts'
import type { RoutedRequest, RouterFilter } from './filter.ts'

/** Refuses external requests that are not allowed. Internal requests are not checked. */
export function authorize(isAllowed: (request: RoutedRequest) => boolean | Promise<boolean>): RouterFilter {
  return async (request, next) => {
    const { path, verb, action, context } = request
    if (!context.external || (await isAllowed(request))) return next()
    throw new Problem('FORBIDDEN', `${context.userId} may not ${action?.name ?? verb} ${path || 'the root'}`)
  }
}

/**
 * Default authorization (platform §10). An administrator may do everything except raw repository commands. Every caller
 * may ask whether the server is alive, which one it is, and who the caller is.
 */
export const authorizeExternal = authorize((request) => {
  if (request.path === 'authentication' && ownLogin.has(request.action?.name ?? '')) return true
  if (request.path.startsWith('info/')) return request.verb === 'read' || request.verb === 'query'
  return (
    grantedByBuiltInRole(request) || (request.context.roles.some(isAdministrator) && !isRawCommand(request))
  )
})

/** The filter of these rules and of the roles that are built in; `judge` evaluates an expression about the request. */
export function authorizeByRules(
  rules: readonly AccessRule[],
  judge: (expression: string, request: RoutedRequest) => Promise<boolean>,
): RouterFilter {
  return authorize(async (request) => {
    if (grantedByBuiltInRole(request)) return true
    for (const rule of rules) {
      if (!grants(rule, request)) continue
      if (rule.customAuthz === undefined || (await judge(rule.customAuthz, request))) return true
    }
    return false
  })
}

/** What everybody does with their own login. */
const ownLogin: ReadonlySet<string> = new Set(['login', 'logout', 'reauthenticate'])

/** Newer configurations write roles as references to `internal/role`. */
function isAdministrator(role: string): boolean {
  return role === 'openidm-admin' || role === 'internal/role/openidm-admin'
}

/** Commands with a fixed effect, which give no free access to the store. */
const commands: ReadonlySet<string> = new Set([
  'delete-mapping-links',
  'purge-by-recon-number-of',
  'purge-by-recon-ids-to-keep',
  'purge-by-recon-expired',
])

function isRawCommand({ path, action }: RoutedRequest): boolean {
  if (action?.name !== 'command' || !/^repo(?:\/|$)/.test(path)) return false
  return !commands.has(action.parameters.commandId ?? '')
}
