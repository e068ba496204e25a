import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Address, Exchange, RequestObserver } from '../../router/exchange.ts'
import { pathOf, searchOf } from './raw-request.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Both ends of the connection, stored while it is open. */
    ends: { readonly server: Address; readonly client: Address } | undefined
    /** The message of an error answer. */
    failure: string | undefined
  }
}

/** Reports every request after its answer, including failed ones. */
export function observeRequests(server: FastifyInstance, observer: RequestObserver): void {
  server.decorateRequest('ends', undefined)
  server.decorateRequest('failure', undefined)
  server.addHook('onRequest', async (request) => {
    request.ends = endsOf(request)
  })
  server.addHook('onResponse', async (request, reply) => {
    const { userId, roles = [] } = request.caller?.identity ?? {}
    observer.exchange({
      ...{ transactionId: request.id, userId, roles, ...(request.ends ?? endsOf(request)) },
      ...{ secure: request.protocol === 'https', method: request.method, path: pathOf(request) },
      ...{ search: searchOf(request), headers: request.headers },
      ...operationOf(request, reply.statusCode),
      status: reply.statusCode,
      reason: request.failure,
      elapsed: reply.elapsedTime,
    })
  })
}

function endsOf({ ip, socket }: FastifyRequest): Pick<Exchange, 'server' | 'client'> {
  const { localAddress, localPort, remotePort } = socket
  return {
    server: { ip: localAddress ?? null, port: localPort ?? null },
    client: { ip: ip ?? null, port: remotePort ?? null },
  }
}

const byMethod: Readonly<Record<string, string>> = {
  GET: 'READ',
  HEAD: 'READ',
  PUT: 'UPDATE',
  PATCH: 'PATCH',
  DELETE: 'DELETE',
  POST: 'CREATE',
}

/** The operation of a request, also if the request was refused early. */
function operationOf(request: FastifyRequest, status: number): Pick<Exchange, 'operation' | 'action'> {
  const override = request.headers['x-http-method-override']
  const method =
    request.method === 'POST' && typeof override === 'string' ? override.toUpperCase() : request.method
  const parameters = new Map(
    [...new URLSearchParams(searchOf(request))].map(([name, value]) => [name.toLowerCase(), value]),
  )
  const action = method === 'POST' ? parameters.get('_action') : undefined
  if (action !== undefined && action !== 'create') return { operation: 'ACTION', action }
  const selects = ['_queryfilter', '_queryid', '_queryexpression'].some((name) => parameters.has(name))
  if (method === 'GET' && selects) return { operation: 'QUERY', action: undefined }
  if (method === 'PUT' && (status === 201 || request.headers['if-none-match'] === '*'))
    return { operation: 'CREATE', action: undefined }
  return { operation: byMethod[method] ?? method, action: undefined }
}
