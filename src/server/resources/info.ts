import { Problem } from '../../model/problem.ts'
import type { RequestContext, Resource, ResourceProvider } from '../../router/resources.ts'

export type ServerState = 'STARTING' | 'ACTIVE_READY' | 'ACTIVE_NOT_READY' | 'STOPPING'

const descriptions = {
  STARTING: 'Syncline is starting',
  ACTIVE_READY: 'Syncline ready',
  ACTIVE_NOT_READY: 'Syncline is running, but not everything is ready',
  STOPPING: 'Syncline is stopping',
} as const satisfies Record<ServerState, string>

/** `info/ping`, `info/login`, `info/version` (platform §2). */
export function infoProvider(server: {
  readonly state: () => ServerState
  readonly version: string
  readonly revision?: string
}): ResourceProvider {
  const answers: Readonly<Record<string, (request: RequestContext) => Resource>> = {
    ping: () => ({ _id: '', state: server.state(), shortDesc: descriptions[server.state()] }),
    login: ({ userId, roles, address }) => ({
      _id: 'login',
      authenticationId: userId,
      authorization: {
        id: userId,
        component: 'internal/user',
        roles: [...roles],
        ...(address !== undefined && { ipAddress: address }),
      },
    }),
    version: () => ({
      _id: 'version',
      productVersion: server.version,
      productRevision: server.revision ?? server.version,
    }),
  }
  return {
    async read(path, request) {
      const answer = Object.hasOwn(answers, path) ? answers[path] : undefined
      if (!answer) throw new Problem('NOT_FOUND', `There is no resource info/${path}`)
      return answer(request)
    },
  }
}
