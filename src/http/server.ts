import { randomUUID } from 'node:crypto'
import helmet from '@fastify/helmet'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { Problem } from '../model/problem.ts'
import { normalizePath } from '../model/resource-path.ts'
import type { Events } from '../repository/events.ts'
import type { RequestObserver } from '../router/exchange.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import { sessionCookie } from './authentication/cookie.ts'
import {
  type Caller,
  type Login,
  type LoginOptions,
  type LoginRequest,
  login,
} from './authentication/login.ts'
import { eventStream } from './event-stream.ts'
import { preferredLanguages } from './languages.ts'
import { refuseForeignPage } from './origin.ts'
import { answerOf } from './rest/answer.ts'
import { checkApiVersion } from './rest/api-version.ts'
import { observeRequests } from './rest/exchanges.ts'
import { perform, type WireRequest } from './rest/operation.ts'
import { parseParameters } from './rest/parameters.ts'
import { bodyOf, headerOf, pathOf, searchOf } from './rest/raw-request.ts'
import { send, sendError } from './rest/reply.ts'

/**
 * The REST interface (platform §1): receives a request, calls the router, sends the answer. Fastify handles the bytes.
 * The rules of the protocol are in the neighbouring files, which do not use Fastify. Disposal finishes active requests and
 * accepts no new ones.
 */
export interface HttpServer extends AsyncDisposable {
  /** Resolves when requests are accepted. Port 0 means any free port; `url` includes the context path. */
  listen(where?: {
    readonly host?: string
    readonly port?: number
  }): Promise<{ readonly url: string; readonly port: number }>
}

export interface HttpServerOptions {
  readonly resources: Resources
  readonly authentication: Pick<LoginOptions, 'logins' | 'sessions'>
  readonly log: FastifyBaseLogger
  /** The path before resource paths, with or without slashes around it; default `/openidm`. */
  readonly contextPath?: string | undefined
  /** Bytes; default 16 MiB. */
  readonly bodyLimit?: number
  /** Milliseconds in which a request must have arrived whole; default two minutes. */
  readonly requestTimeout?: number
  /** Addresses and networks whose X-Forwarded-For, -Host and -Proto are believed; none by default. */
  readonly trustedProxies?: readonly string[]
  /** What `GET events` tells of. Absent: there is no such stream. */
  readonly events?: Pick<Events, 'subscribe'>
  /** Notified of every request and every login. */
  readonly observer?: RequestObserver
}

export function httpServer(options: HttpServerOptions): HttpServer {
  const { resources, log, observer, bodyLimit = 16 * 1024 * 1024 } = options
  const { requestTimeout = 120_000, trustedProxies = [] } = options
  const barePath = (options.contextPath ?? 'openidm').replace(/^\/+|\/+$/g, '')
  const contextPath = barePath === '' ? '' : `/${barePath}`
  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    // A sender that drips its bytes keeps a connection no longer than this.
    requestTimeout,
    http: {
      connectionsCheckingInterval: Math.min(requestTimeout, 5_000),
      headersTimeout: Math.min(requestTimeout, 60_000),
    },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 64 * 1024 },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
  })
  server.register(helmet)
  server.decorateRequest('caller')
  if (observer) observeRequests(server, observer)
  acceptAnyBody(server)
  server.setErrorHandler(sendError)
  server.setNotFoundHandler((request) => refuseUnrouted(request, contextPath))
  server.options(`${contextPath}/*`, async (_request, reply) =>
    reply.code(204).header('allow', allowed).send(),
  )
  const identify = login({ ...options.authentication, observer })
  const answer = requestHandler(resources, contextPath)
  const { events } = options
  const lookedAtAnew = async (request: FastifyRequest) =>
    contextOf(request, await identify(loginRequest(request, contextPath)))
  const stream = events && eventStream(server, { resources, events, contextOf: lookedAtAnew })
  server.route({
    method: methods,
    url: `${contextPath}/*`,
    // Before the body is read, so that unknown callers cannot fill the memory.
    onRequest: guard(identify, contextPath),
    handler: (request, reply) =>
      stream && wantsEvents(request, contextPath) ? stream(request, reply) : answer(request, reply),
  })
  return {
    async listen({ host = '127.0.0.1', port = 0 } = {}) {
      await server.listen({ host, port })
      const bound = server.addresses().find((one) => typeof one !== 'string')
      const actual = bound?.port ?? port
      const authority = `${host.includes(':') ? `[${host}]` : host}:${actual}`
      return { url: `http://${authority}${contextPath}`, port: actual }
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before anything else happens. */
    caller: Caller
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

function guard(identify: Login, contextPath: string) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { method, headers, protocol, host } = request
    refuseForeignPage({ method, headers, origin: `${protocol}://${host}` })
    request.caller = await identify(loginRequest(request, contextPath))
    const { token } = request.caller
    if (token !== undefined)
      reply.header('set-cookie', sessionCookie(token ?? undefined, { secure: protocol === 'https' }))
  }
}

function loginRequest(request: FastifyRequest, contextPath: string): LoginRequest {
  // Whether the action is one is for later: nobody is told more than 401 before.
  const action = new URLSearchParams(searchOf(request)).get('_action') ?? undefined
  const { headers, method, ip: address, id: transactionId } = request
  return { headers, method, path: resourcePath(request, contextPath), action, address, transactionId }
}

/** `EventSource` asks for this type. */
function wantsEvents(request: FastifyRequest, contextPath: string): boolean {
  const isAsked = /\btext\/event-stream\b/i.test(headerOf(request, 'accept') ?? '')
  return request.method === 'GET' && isAsked && resourcePath(request, contextPath) === 'events'
}

function contextOf(request: FastifyRequest, { identity, session }: Caller): RequestContext {
  return {
    external: true,
    transactionId: request.id,
    address: request.ip,
    languages: preferredLanguages(headerOf(request, 'accept-language')),
    ...identity,
    ...(session !== undefined && { session }),
  }
}

function requestHandler(resources: Resources, contextPath: string) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    checkApiVersion(headerOf(request, 'accept-api-version'))
    const parameters = parseParameters(searchOf(request))
    const wire: WireRequest = {
      method: request.method,
      path: resourcePath(request, contextPath),
      parameters,
      headers: request.headers,
      body: { contentType: request.headers['content-type'], bytes: bodyOf(request) },
    }
    const outcome = await perform(resources, wire, contextOf(request, request.caller))
    return send(reply, answerOf(outcome, parameters, `${request.protocol}://${request.host}${contextPath}`))
  }
}

function resourcePath(request: FastifyRequest, contextPath: string): string {
  return normalizePath(pathOf(request).slice(contextPath.length))
}

/** Bodies stay bytes: the required type depends on the operation, and an empty body may have any type. */
function acceptAnyBody(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: string | Buffer) => body,
  )
}
