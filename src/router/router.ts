import { Problem } from '../model/problem.ts'
import { normalizePath } from '../model/resource-path.ts'
import { project } from './fields.ts'
import type { RoutedRequest, RouterFilter } from './filter.ts'
import { filteredSet } from './filtered-set.ts'
import { guardedSet, refuseWritesWhenReadOnly } from './read-only.ts'
import type { Resource, ResourcePage, ResourceProvider, ResourceQuery, Resources } from './resources.ts'

/** Providers by the path at which they are mounted. */
export type Mounts = Readonly<Record<string, ResourceProvider>>

/**
 * One router for all requests (platform §2). The longest mounted prefix of a path selects the provider, which gets the
 * rest of the path. Without a provider the answer is 404; if the provider lacks the verb, 501. Filters run around every
 * request, the first outermost. They and the provider see the canonical path. `_fields` is applied here, for all
 * providers. Mounts and filters may change, so they are fetched for every request.
 */
export function router(
  mounts: Mounts | (() => Mounts),
  filters: readonly RouterFilter[] | (() => readonly RouterFilter[]) = [],
): Resources {
  const routeTo = (path: string) => dispatch(typeof mounts === 'function' ? mounts() : mounts, path)
  const present = () => (typeof filters === 'function' ? filters() : filters)

  async function route<T>(request: RoutedRequest): Promise<T> {
    const perform = async (final: RoutedRequest): Promise<T> => {
      const { provider, rest } = routeTo(final.path)
      // The verb determines the type of the answer.
      const answer = call(provider, rest, final) as Promise<T> | undefined
      return answer ?? notOffered(final)
    }
    return passThrough([...present(), refuseWritesWhenReadOnly], request, perform)
  }

  const resources: Resources = {
    async read(path, { fields, ...context }) {
      const resource = await route<Resource>({ verb: 'read', path, context, fields })
      return project(resource, fields)
    },
    async query(path, query, context) {
      if (query.counts) return counted(await resources.query(path, inCounting(query), context), path)
      const page = await route<ResourcePage>({ verb: 'query', path, context, query })
      return { ...page, result: page.result.map((resource) => project(resource, query.fields)) }
    },
    create: (path, id, content, context) => route({ verb: 'create', path, context, id, content }),
    update: (path, rev, content, context) => route({ verb: 'update', path, context, rev, content }),
    patch: (path, rev, operations, context) => route({ verb: 'patch', path, context, rev, operations }),
    delete: (path, rev, context) => route({ verb: 'delete', path, context, rev }),
    action: (path, action, context) => route({ verb: 'action', path, context, action }),
    objectSet(path) {
      const { provider, rest } = routeTo(normalizePath(path))
      const set = provider.objectSet?.(rest)
      if (!set) throw new Problem('NOT_FOUND', `There is no object set ${path}`)
      return filteredSet(guardedSet(set), present(), resources)
    },
  }
  return resources
}

function inCounting({ counts, ...query }: ResourceQuery): ResourceQuery {
  return { ...query, fields: [['_id']], pageSize: 1, totalPolicy: 'EXACT' }
}

function counted({ total }: ResourcePage, path: string): ResourcePage {
  if (total === undefined) throw new Problem('NOT_IMPLEMENTED', `${path} does not say how many there are`)
  return { result: [{ _id: '', total }], cookie: null }
}

/** Undefined if the provider lacks the verb. The router has set the input that each verb needs. */
function call(
  to: ResourceProvider,
  path: string,
  { verb, context, action, id, rev, content = {}, operations = [], query, fields }: RoutedRequest,
): Promise<unknown> | undefined {
  switch (verb) {
    case 'read':
      return to.read?.(path, { ...context, ...(fields && { fields }) })
    case 'query':
      return query && to.query?.(path, query, context)
    case 'create':
      return to.create?.(path, id, content, context)
    case 'update':
      return to.update?.(path, rev, content, context)
    case 'patch':
      return to.patch?.(path, rev, operations, context)
    case 'delete':
      return to.delete?.(path, rev, context)
    case 'action':
      return action && to.action?.(path, action, context)
  }
}

/** `rest`: the path below the mount. */
function dispatch(mounts: Mounts, path: string) {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const mount = path.slice(0, end)
    const provider = Object.hasOwn(mounts, mount) ? mounts[mount] : undefined
    if (provider) return { provider, rest: path.slice(end + 1) }
  }
  throw new Problem('NOT_FOUND', `There is no resource ${path || 'at the root'}`)
}

/** Makes the path canonical again after each filter that changes it, so that no spelling bypasses a filter. */
async function passThrough<T>(
  filters: readonly RouterFilter[],
  received: RoutedRequest,
  perform: (request: RoutedRequest) => Promise<T>,
): Promise<T> {
  const request = { ...received, path: normalizePath(received.path) }
  const [first, ...others] = filters
  return first
    ? first(request, (changed = request) => passThrough(others, changed, perform))
    : perform(request)
}

function notOffered({ verb, path, action }: RoutedRequest): never {
  throw new Problem(
    action ? 'BAD_REQUEST' : 'NOT_IMPLEMENTED',
    `${path} does not offer ${action ? `the action "${action.name}"` : verb}`,
  )
}
