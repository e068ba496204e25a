import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import helmet from '@fastify/helmet'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { isJsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import { normalizePath } from '../router/path.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import { type Answer, answerOf, jsonAnswer } from './answer.ts'
import { checkApiVersion, contentApiVersion } from './api-version.ts'
import type { Authentication } from './authentication.ts'
import { errorBody, isInternal } from './errors.ts'
import { type Login, login } from './login.ts'
import { perform } from './operation.ts'
import { parseParameters } from './parameters.ts'

/**
 * The REST face (platform specification §1): reads a request off the socket, asks the router, writes the answer.
 * Fastify carries the bytes; the protocol's rules are in the neighbouring files, which know nothing of Fastify.
 */
export interface HttpServer extends AsyncDisposable {
  /** Resolves when requests are accepted. Port 0 takes a free one; `url` includes the context path. */
  listen(where?: {
    readonly host?: string
    readonly port?: number
  }): Promise<{ readonly url: string; readonly port: number }>
  /** Answers what is under way, accepts nothing new. */
  close(): Promise<void>
}

export interface HttpServerOptions {
  readonly resources: Resources
  readonly authentication: Authentication
  readonly log: FastifyBaseLogger
  /** Begins with a slash; default `/openidm`. */
  readonly contextPath?: string
  /** Bytes; default 16 MiB. */
  readonly bodyLimit?: number
}

export function httpServer(options: HttpServerOptions): HttpServer {
  const { resources, log, contextPath = '/openidm', bodyLimit = 16 * 1024 * 1024 } = options
  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 64 * 1024 },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
  })
  server.register(helmet)
  acceptAnyBody(server)
  server.setErrorHandler(sendError)
  server.setNotFoundHandler((request) => refuseUnrouted(request, contextPath))
  server.options(`${contextPath}/*`, async (_request, reply) =>
    reply.code(204).header('allow', allowed).send(),
  )
  const handle = requestHandler(resources, login(options.authentication), contextPath)
  server.route({ method: methods, url: `${contextPath}/*`, handler: handle })
  return {
    async listen({ host = '127.0.0.1', port = 0 } = {}) {
      await server.listen({ host, port })
      // A server that listens on a host and port, not on a pipe, has an address of this form.
      const { port: actual } = server.server.address() as AddressInfo
      return {
        url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}${contextPath}`,
        port: actual,
      }
    },
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const allowed = [...methods, 'OPTIONS'].join(', ')

function refuseUnrouted(request: FastifyRequest, contextPath: string): never {
  if (!methods.includes(request.method)) {
    throw new Problem('NOT_IMPLEMENTED', `The method ${request.method} is not supported`)
  }
  throw new Problem('NOT_FOUND', `There is nothing at ${pathOf(request)}; resources are below ${contextPath}`)
}

function requestHandler(resources: Resources, identify: Login, contextPath: string) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    refuseCrossSite(request)
    const path = normalizePath(pathOf(request).slice(contextPath.length))
    const identity = await identify(request.headers, request.ip, path)
    checkApiVersion(headerOf(request, 'accept-api-version'))
    const parameters = parseParameters(searchOf(request))
    const outcome = await perform(
      resources,
      {
        method: request.method,
        path,
        parameters,
        headers: request.headers,
        body: { contentType: request.headers['content-type'], bytes: bodyOf(request) },
      },
      { external: true, transactionId: request.id, ...identity } satisfies RequestContext,
    )
    return send(reply, answerOf(outcome, parameters, `${request.protocol}://${request.host}${contextPath}`))
  }
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-cache', 'content-api-version': contentApiVersion, ...headers })
    .send(body)
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = fromFastify(error)
  if (isInternal(problem)) request.log.error({ err: error, transactionId: request.id }, 'request failed')
  else if (problem.status >= 500)
    request.log.warn({ err: error, transactionId: request.id }, 'request failed')
  const answer = jsonAnswer(problem.status, errorBody(problem, request.id), {
    prettyPrint: wantsPrettyPrint(request),
  })
  return send(reply, { ...answer, headers: { ...answer.headers, ...challenge(problem) } })
}

/** What the client may do about it: send credentials, or wait. */
function challenge({ status, detail }: Problem): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Basic realm="Syncline", charset="UTF-8"' }
  return status === 429 && isJsonObject(detail) ? { 'retry-after': String(detail.retryAfter) } : {}
}

function wantsPrettyPrint(request: FastifyRequest): boolean {
  return /[?&]_prettyPrint=true(?:&|$)/i.test(request.raw.url ?? '')
}

/** What goes wrong before a request reaches us: too large, malformed, an unknown method. */
function fromFastify(error: unknown): Problem {
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (error instanceof Problem || statusCode === undefined || statusCode >= 500) return asProblem(error)
  return new Problem('BAD_REQUEST', message ?? 'The request is malformed', { status: statusCode })
}

/** Bodies stay bytes: what they must be depends on the operation, and the type of an empty one does not matter. */
function acceptAnyBody(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: string | Buffer) => body,
  )
}

/** Browsers send credentials along with other sites' requests; those say where they come from. */
function refuseCrossSite(request: FastifyRequest): void {
  if (headerOf(request, 'sec-fetch-site') === 'cross-site') {
    throw new Problem('FORBIDDEN', 'Requests from pages of other sites are refused')
  }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array()
}

/** As it was sent: decoding here would lose the difference between a slash and an escaped one. */
function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').split('?', 1)[0] as string
}

function searchOf(request: FastifyRequest): string {
  const url = request.raw.url ?? ''
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at + 1)
}
