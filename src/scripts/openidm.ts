import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { parsePatch } from '../model/patch.ts'
import { getAt, type Pointer, setAt } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { queryAnswer } from '../model/query-words.ts'
import type { RequestContext, Resource, Resources } from '../router/resources.ts'
import {
  actionParameters,
  bad,
  contentObject,
  fieldList,
  optionalText,
  parameters,
  resourcePath,
  resourceQuery,
  texts,
} from './call-arguments.ts'

/**
 * The resource functions of `openidm` (platform §7.2). Calls act for the user that the script runs for, are
 * internal, and pass the router's filters like any request. In a dry run nothing that could write is reached.
 */
export type OpenidmCall = (
  args: readonly Json[],
  request: RequestContext,
  resources: Resources,
) => Promise<Json>

export const openidmCalls = {
  create([container, id, content, params, fields], request, resources) {
    return written('create', params, fields, request, (asked) => {
      const path = resourcePath(container, 'create')
      const newId = optionalText(id, 'the new id', 'create')
      return resources.create(path, newId, contentObject(content, 'create'), asked)
    })
  },

  async read([path, params, fields], request, resources) {
    const { _fields, ...given } = parameters(params, 'read')
    const asked = { ...request, parameters: texts(given) }
    const wanted = fieldList(fields, 'read') ?? fieldList(_fields, 'read')
    try {
      return await resources.read(resourcePath(path, 'read'), wanted ? { ...asked, fields: wanted } : asked)
    } catch (error) {
      if (error instanceof Problem && error.code === 'NOT_FOUND') return null
      throw error
    }
  },

  update([resource, revision, content, params, fields], request, resources) {
    return written('update', params, fields, request, (asked) => {
      const path = resourcePath(resource, 'update')
      const rev = optionalText(revision, 'the revision', 'update')
      return resources.update(path, rev, contentObject(content, 'update'), asked)
    })
  },

  patch([resource, revision, operations, params, fields], request, resources) {
    return written('patch', params, fields, request, (asked) => {
      const path = resourcePath(resource, 'patch')
      const rev = optionalText(revision, 'the revision', 'patch')
      return resources.patch(path, rev, parsePatch(operations, path), asked)
    })
  },

  delete([resource, revision, params, fields], request, resources) {
    return written('delete', params, fields, request, (asked) => {
      const path = resourcePath(resource, 'delete')
      return resources.delete(path, optionalText(revision, 'the revision', 'delete'), asked)
    })
  },

  async query([container, params, fields], request, resources) {
    const path = resourcePath(container, 'query')
    const query = resourceQuery(path, params, fields)
    return queryAnswer(await resources.query(path, query, request), query.totalPolicy)
  },

  async action(args, request, resources) {
    const { path, name, content, params, fields } = actionArguments(args)
    const { _action, ...given } = actionParameters(params, 'action')
    const action = name ?? _action
    if (typeof action !== 'string') throw bad('action', 'no action is named')
    const answer = await resources.action(path, { name: action, content, parameters: texts(given) }, request)
    return isJsonObject(answer) ? chosen(answer, fieldList(fields, 'action')) : answer
  },
} as const satisfies Record<string, OpenidmCall>

/** The answer of a write, with the fields that its caller wants. */
async function written(
  call: string,
  params: Json | undefined,
  fields: Json | undefined,
  request: RequestContext,
  write: (request: RequestContext) => Promise<Resource>,
): Promise<JsonObject> {
  const answer = await write({ ...request, parameters: texts(parameters(params, call)) })
  return chosen(answer, fieldList(fields, call))
}

export type OpenidmName = keyof typeof openidmCalls

export function isOpenidmName(name: string): name is OpenidmName {
  return Object.hasOwn(openidmCalls, name)
}

/** Calls that a dry run refuses. An action may do anything. */
export const openidmWrites: ReadonlySet<string> = new Set<OpenidmName>([
  'create',
  'update',
  'patch',
  'delete',
  'action',
])

/** The name may be omitted; then it is `params._action`: `action(resource, content, params)`. */
function actionArguments(args: readonly Json[]) {
  if (args.length < 3)
    throw bad('action', 'at least three arguments are needed: resource, action name, content')
  const [resource, second, third] = args
  const path = resourcePath(resource, 'action')
  const named = typeof second === 'string' || (second === null && !hasAction(third))
  const [name, content, params, fields] = named ? args.slice(1) : [undefined, ...args.slice(1)]
  if (content !== null && content !== undefined && !isJsonObject(content))
    throw bad('action', 'the content must be an object or null')
  return { path, name: name ?? undefined, content: content ?? null, params, fields }
}

function hasAction(params: Json | undefined): boolean {
  return isJsonObject(params) && typeof params._action === 'string'
}

/** The requested fields, with `_id` and `_rev`. Everything if a field is a pattern, which only providers resolve. */
function chosen(answer: Resource | JsonObject, fields: readonly Pointer[] | undefined): JsonObject {
  if (!fields || fields.length === 0 || fields.some((pointer) => pointer.includes('*'))) return answer
  const result: JsonObject = {}
  for (const pointer of [['_id'], ['_rev'], ...fields]) {
    const value = getAt(answer, pointer)
    if (value !== undefined) setAt(result, pointer, value)
  }
  return result
}
