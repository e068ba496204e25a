import type { IncomingHttpHeaders } from 'node:http'
import type { Json } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import { Problem } from '../../model/problem.ts'
import { selected, type TotalPolicy } from '../../model/query-words.ts'
import { joinPath, splitLast } from '../../model/resource-path.ts'
import type { RequestContext, Resource, ResourcePage, Resources } from '../../router/resources.ts'
import { type Body, parseBody, parseObject } from './body.ts'
import { type Conditions, conditionsOf, type RequestKind, type Revision } from './conditions.ts'
import { actionParameters, type Parameters } from './parameters.ts'

/**
 * Maps a request to its operation (platform §1.1, the table of requests). Contains the rules of the protocol, nothing
 * about sockets; answer.ts writes the result.
 */
export interface WireRequest {
  readonly method: string
  /** Below the context path, segments still encoded. */
  readonly path: string
  readonly parameters: Parameters
  readonly headers: IncomingHttpHeaders
  readonly body: Body
}

export type Outcome =
  | {
      readonly kind: 'resource'
      readonly resource: Resource
      readonly created?: { readonly path: string | undefined }
    }
  | { readonly kind: 'notModified'; readonly rev: string }
  | { readonly kind: 'page'; readonly page: ResourcePage; readonly totalPolicy: TotalPolicy }
  | { readonly kind: 'value'; readonly value: Json }

export async function perform(
  resources: Resources,
  wire: WireRequest,
  context: RequestContext,
): Promise<Outcome> {
  const method = effectiveMethod(wire)
  const kind = requestKind(method, wire.parameters)
  const conditions = conditionsOf(kind, wire.headers)
  const { additional } = wire.parameters
  const operations = { read, query, put, patch, delete: remove, post }
  return operations[kind](resources, wire, conditions, { ...context, parameters: additional })
}

type Operation = (
  resources: Resources,
  wire: WireRequest,
  conditions: Conditions,
  context: RequestContext,
) => Promise<Outcome>

/** Clients behind strict proxies send POST and name the real method in a header. */
function effectiveMethod({ method, headers }: WireRequest): string {
  const override = headers['x-http-method-override']
  return method === 'POST' && typeof override === 'string' ? override.trim().toUpperCase() : method
}

function requestKind(method: string, { selection }: Parameters): RequestKind {
  if (method === 'GET' || method === 'HEAD') return selection ? 'query' : 'read'
  const kind = kinds.find((one) => one.toUpperCase() === method)
  if (kind) return kind
  throw new Problem('NOT_IMPLEMENTED', `The method ${method} is not supported`)
}

const kinds = ['put', 'patch', 'delete', 'post'] as const

const read: Operation = async (resources, { path, parameters }, { ifNoneMatch }, context) => {
  const { fields } = parameters
  const resource = await resources.read(path, { ...context, ...(fields && { fields }) })
  const known = ifNoneMatch && !ifNoneMatch.any ? ifNoneMatch.rev : undefined
  if (known !== undefined && known === resource._rev) return { kind: 'notModified', rev: known }
  return { kind: 'resource', resource }
}

const query: Operation = async (resources, wire, conditions, context) => {
  const { path, parameters } = wire
  const { fields, paging, selection, additional } = parameters
  if (!selection) return read(resources, wire, conditions, context)
  const found = selected(selection, additional, path)
  const wanted = fields ?? found.fields
  const { filter, parameters: more } = found
  const request = {
    ...{
      filter,
      ...(wanted && { fields: wanted }),
      ...(found.sortKeys && { sortKeys: found.sortKeys }),
      ...paging,
      parameters: more,
    },
    ...(found.counts && { counts: found.counts }),
  }
  return {
    kind: 'page',
    page: await resources.query(path, request, context),
    totalPolicy: paging.totalPolicy,
  }
}

const put: Operation = async (resources, { path, body }, { ifMatch, ifNoneMatch }, context) => {
  const content = parseObject(body)
  const update = async (rev: string | undefined): Promise<Outcome> => ({
    kind: 'resource',
    resource: await resources.update(path, rev, content, context),
  })
  if (ifMatch) return update(wantedRevision(ifMatch))
  const { parent, last } = splitLast(path)
  try {
    const resource = await resources.create(parent, last, content, context)
    return { kind: 'resource', resource, created: { path: locationOf(parent, resource, last) } }
  } catch (error) {
    const exists = error instanceof Problem && error.code === 'PRECONDITION_FAILED'
    if (!exists || ifNoneMatch) throw error
    return update(undefined)
  }
}

const patch: Operation = async (resources, { path, body }, { ifMatch }, context) => {
  const operations = parsePatch(parseBody(body), path)
  const resource = await resources.patch(path, wantedRevision(ifMatch), operations, context)
  return { kind: 'resource', resource }
}

const remove: Operation = async (resources, { path }, { ifMatch }, context) => {
  return { kind: 'resource', resource: await resources.delete(path, wantedRevision(ifMatch), context) }
}

/** Without `_action` a POST is a create. If it also has no body, the name of an action was forgotten. */
const post: Operation = async (resources, { path, body, parameters }, _conditions, context) => {
  const { action = 'create' } = parameters
  if (parameters.action === undefined && body.bytes.length === 0) {
    throw new Problem('BAD_REQUEST', 'A POST needs the parameter _action, or an object to create as its body')
  }
  if (action === 'create') {
    const resource = await resources.create(path, undefined, parseObject(body), context)
    return { kind: 'resource', resource, created: { path: locationOf(path, resource) } }
  }
  const content = parseBody(body) ?? null
  const request = { name: action, content, parameters: actionParameters(parameters) }
  return { kind: 'value', value: (await resources.action(path, request, context)) ?? null }
}

function wantedRevision(ifMatch: Revision | undefined): string | undefined {
  return ifMatch === undefined || ifMatch.any ? undefined : ifMatch.rev
}

/** An endpoint's script may answer with anything: what has no id has no place of its own. */
function locationOf(parent: string, { _id }: Resource, given = ''): string | undefined {
  const id = _id || given
  return id === '' ? undefined : `${parent}/${joinPath(id)}`
}
