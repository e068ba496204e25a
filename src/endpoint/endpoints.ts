import { printFilter } from '../model/filter/print.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { printPointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { joinPath, splitPath } from '../model/resource-path.ts'
import type { RequestContext, Resource, ResourceProvider } from '../router/resources.ts'
import type { ScriptEngine, ScriptSource } from '../scripts/engine.ts'

/** A resource that administrators make themselves: `conf/endpoint-<name>.json`. */
export interface Endpoint {
  readonly name: string
  readonly script: ScriptSource
}

/**
 * `endpoint/{name}[/…]` (platform §7.4): each request is answered by the endpoint's script, which sees `request`,
 * `context` and `resourcePath`, the path below its name. What it throws keeps its code.
 */
export function endpointProvider(endpoints: readonly Endpoint[], engine: ScriptEngine): ResourceProvider {
  const byName = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint.script]))

  async function answer(
    path: string,
    method: string,
    request: RequestContext,
    details: JsonObject = {},
  ): Promise<Json | undefined> {
    const [name = '', ...below] = splitPath(path)
    const script = byName.get(name)
    if (!script) throw new Problem('NOT_FOUND', `There is no endpoint/${name}`)
    const resourcePath = joinPath(...below)
    const variables = {
      resourcePath,
      request: {
        method,
        resourcePath,
        content: null,
        additionalParameters: { ...request.parameters },
        ...details,
      },
    }
    return engine.evaluate(script, variables, { request })
  }

  async function object(path: string, value: Promise<Json | undefined>): Promise<Resource> {
    const found = await value
    if (found === null || found === undefined) throw new Problem('NOT_FOUND', 'script returned null')
    if (!isJsonObject(found))
      throw new Problem('SCRIPT_FAILED', `endpoint/${path}: the script must return an object`)
    return { _id: '', ...found } as Resource
  }

  return {
    read: (path, request) =>
      object(path, answer(path, 'read', request, { fields: (request.fields ?? []).map(printPointer) })),
    create: (path, id, content, request) =>
      object(path, answer(path, 'create', request, { newResourceId: id ?? null, content })),
    update: (path, rev, content, request) =>
      object(path, answer(path, 'update', request, { revision: rev ?? null, content })),
    patch: (path, rev, operations, request) =>
      object(
        path,
        answer(path, 'patch', request, {
          revision: rev ?? null,
          patchOperations: operations.map((one) => ({ ...one, field: printPointer(one.field) })) as Json,
        }),
      ),
    delete: (path, rev, request) => object(path, answer(path, 'delete', request, { revision: rev ?? null })),
    async query(path, query, request) {
      const { filter, pageSize = 0, cookie = null, offset = 0, fields = [], parameters = {} } = query
      const found = await answer(path, 'query', request, {
        ...{
          queryFilter: printFilter(filter),
          pageSize,
          pagedResultsCookie: cookie,
          pagedResultsOffset: offset,
        },
        ...{ fields: fields.map(printPointer), additionalParameters: { ...parameters } },
      })
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
    },
    action: async (path, { name, content, parameters }, request) =>
      (await answer(path, 'action', request, {
        action: name,
        content,
        additionalParameters: { ...parameters },
      })) ?? null,
  }
}
