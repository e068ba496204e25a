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
  texts,
} from './call-arguments.ts'
import { resourceQuery } from './query-arguments.ts'
import { resourcePath } from './resource-path.ts'

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
  async create([container, id, content, params, fields], request, resources) {
    const given = texts(parameters(params, 'create'))
    const created = await resources.create(
      resourcePath(container, 'openidm.create'),
      optionalText(id, 'the new id', 'create'),
      contentObject(content, 'create'),
      { ...request, parameters: given },
    )
    return chosen(created, fieldList(fields, 'create'))
  },

  async read([path, params, fields], request, resources) {
    const { _fields, ...given } = parameters(params, 'read')
    const asked = { ...request, parameters: texts(given) }
    const wanted = fieldList(fields, 'read') ?? fieldList(_fields, 'read')
    try {
      return await resources.read(
        resourcePath(path, 'openidm.read'),
        wanted ? { ...asked, fields: wanted } : asked,
      )
    } catch (error) {
      if (error instanceof Problem && error.code === 'NOT_FOUND') return null
      throw error
    }
  },

  async update([path, rev, content, params, fields], request, resources) {
    const given = texts(parameters(params, 'update'))
    const updated = await resources.update(
      resourcePath(path, 'openidm.update'),
      optionalText(rev, 'the revision', 'update'),
      contentObject(content, 'update'),
      { ...request, parameters: given },
    )
    return chosen(updated, fieldList(fields, 'update'))
  },

  async patch([path, rev, operations, params, fields], request, resources) {
    const given = texts(parameters(params, 'patch'))
    const patched = await resources.patch(
      resourcePath(path, 'openidm.patch'),
      optionalText(rev, 'the revision', 'patch'),
      parsePatch(operations),
      { ...request, parameters: given },
    )
    return chosen(patched, fieldList(fields, 'patch'))
  },

  async delete([path, rev, params, fields], request, resources) {
    const given = texts(parameters(params, 'delete'))
    const deleted = await resources.delete(
      resourcePath(path, 'openidm.delete'),
      optionalText(rev, 'the revision', 'delete'),
      { ...request, parameters: given },
    )
    return chosen(deleted, fieldList(fields, 'delete'))
  },

  async query([container, params, fields], request, resources) {
    const path = resourcePath(container, 'openidm.query')
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

export type OpenidmName = keyof typeof openidmCalls

export function isOpenidmName(name: string): name is OpenidmName {
  return Object.hasOwn(openidmCalls, name)
}

/** Calls that a dry run refuses. An action may do anything. */
const writes: ReadonlySet<string> = new Set<OpenidmName>(['create', 'update', 'patch', 'delete', 'action'])

export function isWrite(name: string): boolean {
  return writes.has(name)
}

export function refuseInDryRun(name: string, args: readonly Json[], request: RequestContext): void {
  if (!request.readOnly || !isWrite(name)) return
  throw new Problem(
    'FORBIDDEN',
    `dry run: openidm.${name} of ${String(args[0])} is refused, because nothing may change`,
  )
}

/** The name may be omitted; then it is `params._action`: `action(resource, content, params)`. */
function actionArguments(args: readonly Json[]) {
  if (args.length < 3)
    throw bad('action', 'at least three arguments are needed: resource, action name, content')
  const [resource, second, third] = args
  const path = resourcePath(resource, 'openidm.action')
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
