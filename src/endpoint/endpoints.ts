import { isJsonObject, type Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { joinPath, splitPath } from '../model/resource-path.ts'
import type { RoutedRequest } from '../router/filter.ts'
import type { Resource, ResourcePage, ResourceProvider } from '../router/resources.ts'
import { requestVariable } from '../router/scripts/request-variable.ts'
import type { ScriptEngine, ScriptSource } from '../scripts/engine.ts'

/** A resource defined by administrators: `conf/endpoint-<name>.json`. */
export interface Endpoint {
  readonly name: string
  readonly script: ScriptSource | MissingFile
}

/** Stock configurations name scripts of the user interface that are not here. */
export interface MissingFile {
  readonly missing: string
}

/**
 * `endpoint/{name}[/…]` (platform §7.4): the endpoint's script answers each request. It sees `request`, `context` and
 * `resourcePath`, the path below its name. Errors that it throws keep their codes.
 */
export function endpointProvider(endpoints: readonly Endpoint[], engine: ScriptEngine): ResourceProvider {
  const byName = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint.script]))

  async function answer(path: string, asked: Omit<RoutedRequest, 'path'>): Promise<Json | undefined> {
    const [name = '', ...below] = splitPath(path)
    const script = byName.get(name)
    if (!script) throw new Problem('NOT_FOUND', `There is no endpoint/${name}`)
    if ('missing' in script)
      throw new Problem('NOT_IMPLEMENTED', `endpoint/${name}: its script ${script.missing} is not there`)
    const resourcePath = joinPath(...below)
    const request = { content: null, ...requestVariable({ ...asked, path: resourcePath }) }
    return engine.evaluate(script, { resourcePath, request }, { request: asked.context })
  }

  async function object(path: string, asked: Omit<RoutedRequest, 'path'>): Promise<Resource> {
    const found = (await answer(path, asked)) ?? null
    if (found === null) throw new Problem('NOT_FOUND', 'script returned null')
    if (isJsonObject(found)) return { _id: '', ...found } as Resource
    throw new Problem('SCRIPT_FAILED', `endpoint/${path}: the script must return an object`)
  }

  return {
    read: (path, { fields, ...context }) => object(path, { verb: 'read', context, fields }),
    create: (path, id, content, context) => object(path, { verb: 'create', context, id, content }),
    update: (path, rev, content, context) => object(path, { verb: 'update', context, rev, content }),
    patch: (path, rev, operations, context) => object(path, { verb: 'patch', context, rev, operations }),
    delete: (path, rev, context) => object(path, { verb: 'delete', context, rev }),
    query: async (path, query, context) =>
      pageIn(path, await answer(path, { verb: 'query', context, query })),
    action: async (path, action, context) =>
      (await answer(path, { verb: 'action', context, action })) ?? null,
  }
}

function pageIn(path: string, found: Json | undefined): ResourcePage {
  const page = Array.isArray(found) ? { result: found } : found
  if (!isJsonObject(page) || !Array.isArray(page.result))
    throw new Problem(
      'SCRIPT_FAILED',
      `endpoint/${path}: a query must return an array, or an object with result`,
    )
  const { pagedResultsCookie } = page
  return {
    result: page.result as Resource[],
    cookie: typeof pagedResultsCookie === 'string' ? pagedResultsCookie : null,
  }
}
