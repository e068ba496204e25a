import { Problem } from '../model/problem.ts'
import { project } from './fields.ts'
import type { RoutedRequest, RouterFilter } from './filter.ts'
import { normalizePath } from './path.ts'
import { guardedSet, refuseWritesWhenReadOnly } from './read-only.ts'
import type { ResourceProvider, Resources } from './resources.ts'

/** Providers by the path that they answer for. */
export type Mounts = Readonly<Record<string, ResourceProvider>>

/**
 * One router for everything (platform specification §2): the longest mounted prefix of a path names the provider,
 * which sees the rest of the path. No provider is 404, a verb that it lacks is 501. Filters stand around every
 * request, the first outermost. `_fields` is applied here, for all providers alike. Mounts that may change are asked for at
 * every request.
 */
export function router(mounts: Mounts | (() => Mounts), filters: readonly RouterFilter[] = []): Resources {
  const routeTo = (path: string) => dispatch(typeof mounts === 'function' ? mounts() : mounts, path)
  const around = [...filters, refuseWritesWhenReadOnly]

  /** `call` returns undefined where the provider lacks the verb. */
  async function route<T>(
    request: RoutedRequest,
    call: (provider: ResourceProvider, path: string) => Promise<T> | undefined,
  ): Promise<T> {
    const path = normalizePath(request.path)
    const perform = async (): Promise<T> => {
      const { provider, rest } = routeTo(path)
      return call(provider, rest) ?? notOffered({ ...request, path })
    }
    return passThrough(around, { ...request, path }, perform)
  }

  return {
    async read(path, request) {
      const resource = await route({ verb: 'read', path, context: request }, (to, rest) =>
        to.read?.(rest, request),
      )
      return project(resource, request.fields)
    },
    async query(path, query, request) {
      const page = await route({ verb: 'query', path, context: request }, (to, rest) =>
        to.query?.(rest, query, request),
      )
      return { ...page, result: page.result.map((resource) => project(resource, query.fields)) }
    },
    create: (path, id, content, request) =>
      route({ verb: 'create', path, context: request }, (to, rest) =>
        to.create?.(rest, id, content, request),
      ),
    update: (path, rev, content, request) =>
      route({ verb: 'update', path, context: request }, (to, rest) =>
        to.update?.(rest, rev, content, request),
      ),
    patch: (path, rev, operations, request) =>
      route({ verb: 'patch', path, context: request }, (to, rest) =>
        to.patch?.(rest, rev, operations, request),
      ),
    delete: (path, rev, request) =>
      route({ verb: 'delete', path, context: request }, (to, rest) => to.delete?.(rest, rev, request)),
    action: (path, action, request) =>
      route({ verb: 'action', path, action, context: request }, (to, rest) =>
        to.action?.(rest, action, request),
      ),
    objectSet(path) {
      const { provider, rest } = routeTo(normalizePath(path))
      const set = provider.objectSet?.(rest)
      if (!set) throw new Problem('NOT_FOUND', `There is no object set ${path}`)
      return guardedSet(set)
    },
  }
}

interface Route {
  readonly provider: ResourceProvider
  /** The path below the mount. */
  readonly rest: string
}

function dispatch(mounts: Mounts, path: string): Route {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const mount = path.slice(0, end)
    const provider = Object.hasOwn(mounts, mount) ? mounts[mount] : undefined
    if (provider) return { provider, rest: path.slice(end + 1) }
  }
  throw new Problem('NOT_FOUND', `There is no resource ${path || 'at the root'}`)
}

function passThrough<T>(
  filters: readonly RouterFilter[],
  request: RoutedRequest,
  perform: () => Promise<T>,
): Promise<T> {
  const [first, ...others] = filters
  return first ? first(request, () => passThrough(others, request, perform)) : perform()
}

function notOffered({ verb, path, action }: RoutedRequest): never {
  throw new Problem(
    'NOT_IMPLEMENTED',
    `${path} does not offer ${action ? `the action "${action.name}"` : verb}`,
  )
}
