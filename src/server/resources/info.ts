import { callerOf } from '../../authentication/resource.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext, Resource, ResourceProvider } from '../../router/resources.ts'

/** `info/ping`, `info/login`, `info/version` (platform §2). */
export function infoProvider(isStopping: () => boolean, version: string): ResourceProvider {
  const answers: Readonly<Record<string, (request: RequestContext) => Resource>> = {
    ping: () => ({ _id: '', ...stateOf(isStopping) }),
    login: callerOf,
    version: () => ({ _id: 'version', ...versionOf(version) }),
  }
  return {
    async read(path, request) {
      const answer = Object.hasOwn(answers, path) ? answers[path] : undefined
      if (!answer) throw new Problem('NOT_FOUND', `There is no resource info/${path}`)
      return answer(request)
    },
  }
}

export function stateOf(isStopping: () => boolean) {
  return isStopping()
    ? { state: 'STOPPING', shortDesc: 'Syncline is stopping' }
    : { state: 'ACTIVE_READY', shortDesc: 'Syncline ready' }
}

export function versionOf(version: string) {
  return { productVersion: version, productRevision: version }
}
