import type { Json, JsonObject } from '../../model/json.ts'
import { getAt } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { queryAnswer } from '../../model/query-words.ts'
import { project } from '../../router/fields.ts'
import type { Outcome } from './operation.ts'
import type { Parameters } from './parameters.ts'

/** HTTP answers (platform §1.2), independent of sockets. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const json = 'application/json; charset=utf-8'

/** `baseUrl` is the part before resource paths, e.g. `http://localhost:8080/openidm`. */
export function answerOf(outcome: Outcome, parameters: Parameters, baseUrl: string): Answer {
  switch (outcome.kind) {
    case 'notModified':
      return { status: 304, headers: { etag: entityTag(outcome.rev) }, body: '' }
    case 'value':
      return jsonAnswer(200, outcome.value, parameters)
    case 'page':
      if (parameters.mimeType !== undefined)
        throw new Problem('BAD_REQUEST', '_mimeType is not possible on a query')
      return jsonAnswer(200, queryAnswer(outcome.page, outcome.totalPolicy), parameters)
    case 'resource':
      return resourceAnswer(outcome, parameters, baseUrl)
  }
}

/** Any value as JSON; indented with `prettyPrint`. */
export function jsonAnswer(
  status: number,
  value: Json,
  { prettyPrint }: Pick<Parameters, 'prettyPrint'>,
): Answer {
  return {
    status,
    headers: { 'content-type': json },
    body: JSON.stringify(value, null, prettyPrint ? 2 : undefined),
  }
}

function resourceAnswer(
  { resource, created }: Outcome & { kind: 'resource' },
  parameters: Parameters,
  baseUrl: string,
): Answer {
  const headers = {
    ...(resource._rev !== undefined && { etag: entityTag(resource._rev) }),
    ...(created?.path !== undefined && { location: `${baseUrl}/${created.path}` }),
  }
  if (parameters.mimeType !== undefined) return rawField(resource, parameters, parameters.mimeType, headers)
  const answer = jsonAnswer(created ? 201 : 200, project(resource, parameters.fields), parameters)
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

/** One field without JSON around it: a picture, a certificate. */
function rawField(
  resource: JsonObject,
  { fields }: Parameters,
  mimeType: string,
  headers: Readonly<Record<string, string>>,
): Answer {
  const [field, ...others] = fields ?? []
  if (!field || others.length > 0)
    throw new Problem('BAD_REQUEST', '_mimeType needs exactly one field in _fields')
  const value = getAt(resource, field)
  if (value === undefined) throw new Problem('NOT_FOUND', `The resource has no field /${field.join('/')}`)
  const body = typeof value === 'string' ? value : JSON.stringify(value)
  return { status: 200, headers: { ...headers, ...asData(mimeType) }, body }
}

/**
 * A value may come from anyone. A browser would take a page, a script or a picture with scripts for ours, so such types are
 * given as bytes to be saved, and nothing of the answer runs.
 */
function asData(mimeType: string): Readonly<Record<string, string>> {
  const [type = ''] = mimeType.toLowerCase().split(';', 1)
  const harmless = passive.test(type.trim())
  return {
    'content-type': harmless ? mimeType : 'application/octet-stream',
    'content-security-policy': "default-src 'none'; sandbox",
    ...(harmless ? {} : { 'content-disposition': 'attachment' }),
  }
}

const passive =
  /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp|tiff|x-icon|vnd\.microsoft\.icon)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain|application\/(?:json|octet-stream|pkix-cert|x-x509-[\w-]+|pgp-keys|zip))$/

function entityTag(rev: string): string {
  return `"${rev}"`
}
