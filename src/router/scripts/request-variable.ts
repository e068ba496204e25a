import { equal } from '../../model/equality.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { printFilter } from '../../model/filter/print.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { type PatchOperation, parsePatch } from '../../model/patch.ts'
import { parsePointer, printPointer } from '../../model/pointer.ts'
import { normalizePath } from '../../model/resource-path.ts'
import type { RoutedRequest } from '../filter.ts'

/** Converts a request to the script variable `request` (platform §7.3), and back. */
export function requestVariable(request: RoutedRequest): JsonObject {
  const { verb, path, context, action, id, rev, content, operations, query, fields } = request
  return {
    method: verb,
    resourcePath: path,
    ...(verb === 'create' && { newResourceId: id ?? null }),
    ...(content !== undefined && { content }),
    ...((verb === 'update' || verb === 'patch' || verb === 'delete') && { revision: rev ?? null }),
    ...(operations && { patchOperations: operations.map(wireOperation) }),
    ...(action && { action: action.name, content: action.content }),
    ...(query && {
      queryFilter: printFilter(query.filter),
      pageSize: query.pageSize ?? 0,
      pagedResultsCookie: query.cookie ?? null,
      pagedResultsOffset: query.offset ?? 0,
    }),
    fields: (query?.fields ?? fields ?? []).map(printPointer),
    additionalParameters: { ...(action?.parameters ?? query?.parameters ?? context.parameters) },
  }
}

/** The request as changed by a script. BAD_REQUEST or a similar problem if it is no longer a request. */
export function changedRequest(request: RoutedRequest, left: JsonObject): RoutedRequest {
  const { resourcePath, newResourceId, content, revision, patchOperations, queryFilter, fields } = left
  const { action, query, operations } = request
  // Unchanged members are not read again: not every request can be expressed as a script variable.
  const before = requestVariable(request)
  const parameters = textsOf(left.additionalParameters)
  const pointers =
    Array.isArray(fields) && fields.length > 0 ? fields.map((one) => parsePointer(String(one))) : undefined
  return {
    ...request,
    ...(typeof resourcePath === 'string' && { path: normalizePath(resourcePath) }),
    ...(request.verb === 'create' && { id: typeof newResourceId === 'string' ? newResourceId : undefined }),
    ...(request.content && isJsonObject(content) && { content }),
    ...('revision' in left && { rev: typeof revision === 'string' ? revision : undefined }),
    ...(operations &&
      !equal(patchOperations, before.patchOperations) && {
        operations: parsePatch(patchOperations, request.path),
      }),
    ...(action && { action: { ...action, content: content ?? null, parameters } }),
    ...(query && {
      query: {
        ...query,
        ...(typeof queryFilter === 'string' &&
          queryFilter !== before.queryFilter && { filter: parseFilter(queryFilter) }),
        ...(pointers && { fields: pointers }),
        parameters,
      },
    }),
    ...(!query && pointers && { fields: pointers }),
    context: { ...request.context, ...(Object.keys(parameters).length > 0 && { parameters }) },
  }
}

function wireOperation(operation: PatchOperation): Json {
  const { field, ...rest } = operation
  const end = 'append' in operation && operation.append ? '/-' : ''
  const { append, ...plain } = rest as typeof rest & { append?: boolean }
  const from = 'from' in operation ? { from: printPointer(operation.from) } : {}
  return { ...plain, ...from, field: `${printPointer(field)}${end}` } as Json
}

function textsOf(value: Json | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, text]) =>
      text === undefined || text === null ? [] : [[name, String(text)]],
    ),
  )
}
