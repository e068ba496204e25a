import { Problem } from '../model/problem.ts'
import type { RoutedRequest, RouterFilter } from './filter.ts'

/**
 * Default authorization (platform §10). Only external requests are checked. An administrator may do
 * everything except raw repository commands. Every caller may ask whether the server is alive.
 */
export const authorizeExternal: RouterFilter = async (request, next) => {
  if (request.context.external && !isAllowed(request)) {
    throw new Problem(
      'FORBIDDEN',
      `${request.context.userId} may not ${request.action?.name ?? request.verb} ${request.path || 'the root'}`,
    )
  }
  return next()
}

function isAllowed(request: RoutedRequest): boolean {
  if (request.path === 'info/ping') return request.verb === 'read'
  return request.context.roles.some(isAdministrator) && !isRawCommand(request)
}

/** Newer configurations write roles as references to `internal/role`. */
function isAdministrator(role: string): boolean {
  return role === 'openidm-admin' || role === 'internal/role/openidm-admin'
}

/** Commands with a fixed effect, which give no free access to the store. */
const commands: ReadonlySet<string> = new Set([
  'delete-mapping-links',
  'purge-by-recon-number-of',
  'purge-by-recon-expired',
])

function isRawCommand({ path, action }: RoutedRequest): boolean {
  if (action?.name !== 'command' || !/^repo(?:\/|$)/.test(path)) return false
  return !commands.has(action.parameters.commandId ?? '')
}
