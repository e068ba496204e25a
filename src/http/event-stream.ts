import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../model/problem.ts'
import type { Events } from '../repository/events.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import { type LiveChange, liveChanges } from './live-changes.ts'

export interface EventStreamOptions {
  readonly resources: Resources
  readonly events: Pick<Events, 'subscribe'>
  /** Who sends the request, looked at anew with each call. */
  readonly contextOf: (request: FastifyRequest) => Promise<RequestContext>
  /** Streams that may be open at a time. */
  readonly most?: number
  /** Milliseconds. */
  readonly pace?: number
  readonly heartbeat?: number
}

/**
 * `GET events`: what changes, as server-sent events (HTML Living Standard, "Server-sent events"). A stream has no memory: one that is
 * opened again begins with how things are. It ends with the server, with the session, and with the right to read `events`.
 */
export function eventStream(server: FastifyInstance, options: EventStreamOptions) {
  const { resources, events, contextOf, most = 100, pace = 250, heartbeat = 15_000 } = options
  const closing = new AbortController()
  let open = 0
  server.addHook('preClose', async () => closing.abort())
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const context = async () => {
      const caller = await contextOf(request)
      await resources.read('events', caller)
      return caller
    }
    await context()
    if (open >= most)
      throw new Problem('UNAVAILABLE', `${most} clients follow the events already`, {
        hint: 'Close one of them, or ask again later.',
      })
    open++
    const gone = new AbortController()
    request.raw.once('close', () => gone.abort())
    const signal = AbortSignal.any([closing.signal, gone.signal])
    const changes = liveChanges({ resources, events, context, signal, pace, heartbeat })
    const stream = Readable.from(texts(changes), { objectMode: false, highWaterMark: 0 })
    stream.once('close', () => {
      open--
    })
    return (
      reply
        .header('content-type', 'text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        // A connection that stays open after the stream would keep the server from stopping.
        .header('connection', 'close')
        .send(stream)
    )
  }
}

/** A comment first and in between, so that a client and proxies see that the stream is alive. */
async function* texts(changes: AsyncIterable<LiveChange | undefined>): AsyncGenerator<string> {
  yield ': these are the events of Syncline\nretry: 2000\n\n'
  try {
    for await (const change of changes) {
      yield change === undefined
        ? ': nothing new\n\n'
        : `event: ${change.event}\ndata: ${JSON.stringify(change.data)}\n\n`
    }
  } catch {
    // The right to see it has gone: a client that comes back is told so.
  }
}
