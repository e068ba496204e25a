import { asObject, elementsOf, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { parseJson } from '../model/json-text.ts'
import { messageOf, Problem } from '../model/problem.ts'
import type { ResourceProvider } from '../router/resources.ts'
import { isAllowedHost } from './allowed-hosts.ts'

export interface RestSettings {
  /** Empty: none may be called. */
  readonly allowedHosts: readonly string[]
  /** ms */
  readonly timeout: number
}

/** `external/rest?_action=call` (platform §2): an HTTP request to one of the hosts that `conf/external.rest.json` allows. */
export function restProvider(settings: RestSettings): ResourceProvider {
  return {
    async action(path, { name, content }) {
      if (path !== '' || name !== 'call')
        throw new Problem('BAD_REQUEST', 'external/rest offers the action call')
      if (!isJsonObject(content)) throw new Problem('BAD_REQUEST', 'call needs an object with url and method')
      const url = allowedUrl(content.url, settings)
      const request = requestIn(content)
      const signal = AbortSignal.timeout(settings.timeout)
      // An allowed host could lead to any other.
      const answer = await answered(url, { ...request, redirect: 'manual', signal })
      if (answer.status >= 300) throw failed(url, answer)
      return (content.forceWrap === true ? undefined : jsonIn(answer)) ?? wrapped(answer)
    },
  }
}

function allowedUrl(given: Json | undefined, { allowedHosts }: RestSettings): URL {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Problem('BAD_REQUEST', 'url must be an address that begins with http:// or https://')
  if (url.username !== '' || url.password !== '')
    throw new Problem('BAD_REQUEST', 'credentials belong in "authenticate", not in the url')
  if (!isAllowedHost(url, allowedHosts))
    throw new Problem('FORBIDDEN', `external/rest may not call ${url.host}`, {
      hint: 'Name the host in "allowedHosts" of conf/external.rest.json.',
    })
  return url
}

function requestIn({ method, headers, contentType, body, base64, authenticate }: JsonObject): RequestInit {
  if (typeof method !== 'string' || !/^[A-Za-z]+$/.test(method))
    throw new Problem('BAD_REQUEST', 'method must be the name of an HTTP method')
  const sent = new Headers()
  for (const [name, value] of Object.entries(asObject(headers)))
    for (const one of elementsOf(value ?? [])) sent.append(name, String(one))
  const authorization = authorizationIn(authenticate)
  if (authorization !== undefined) sent.set('authorization', authorization)
  const isEmpty = body === undefined || body === null || body === ''
  if (!isEmpty && !sent.has('content-type'))
    sent.set(
      'content-type',
      typeof contentType === 'string' ? contentType : 'application/json; charset=utf-8',
    )
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    method: method.toUpperCase(),
    headers: sent,
    ...(!isEmpty && { body: base64 === true ? Buffer.from(text, 'base64') : text }),
  }
}

function authorizationIn(authenticate: Json | undefined): string | undefined {
  if (!isJsonObject(authenticate)) return undefined
  const { type = 'basic', user, password, token } = authenticate
  if (type === 'bearer' && typeof token === 'string') return `Bearer ${token}`
  if (type === 'basic' && typeof user === 'string' && typeof password === 'string')
    return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  throw new Problem(
    'BAD_REQUEST',
    'authenticate needs type basic with user and password, or bearer with token',
  )
}

interface RemoteAnswer {
  readonly status: number
  readonly type: string
  readonly headers: JsonObject
  readonly bytes: Buffer
}

async function answered(url: URL, request: RequestInit): Promise<RemoteAnswer> {
  try {
    const response = await fetch(url, request)
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      headers: headersOf(response.headers),
      bytes: await limited(response, url),
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    const reason =
      error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
    throw new Problem('UNAVAILABLE', `${url.host} did not answer: ${reason}`)
  }
}

function headersOf(headers: Headers): JsonObject {
  const all: Record<string, string[]> = {}
  for (const [name, value] of headers) all[name] = [...(all[name] ?? []), value]
  return all
}

const longest = 16 * 1024 * 1024

async function limited({ body }: Response, url: URL): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > longest)
      throw new Problem('UNAVAILABLE', `${url.host} answers with more than ${longest} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Undefined for another type, and for a text that only claims to be JSON. */
function jsonIn({ type, bytes }: RemoteAnswer): Json | undefined {
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return undefined
  try {
    return parseJson(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Text as it is, all else in base64. */
function wrapped({ type, headers, bytes }: RemoteAnswer): JsonObject {
  const isText = type === '' || /^text\/|json|xml|javascript|x-www-form-urlencoded/i.test(type)
  return isText
    ? { headers, body: bytes.toString('utf8') }
    : { headers, body: bytes.toString('base64'), base64: true }
}

/** The remote server's own status; an answer that leads elsewhere is none. */
function failed(url: URL, answer: RemoteAnswer): Problem {
  const { status } = answer
  const message =
    status >= 400
      ? `${url.host} answered ${status}`
      : `${url.host} answered ${status}: redirections are not followed, call the address itself`
  return new Problem('CONNECTOR_FAILED', message, {
    status: status >= 400 ? status : 500,
    detail: wrapped(answer),
    hint: 'The detail has what the called server says.',
  })
}
