import { Problem } from '../model/problem.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import type { Sink } from './sink.ts'

/**
 * Handlers that keep nothing themselves. If a process dies after an event was handed over and before that was stored, the
 * event comes a second time, with the same `_id`.
 */

/** Lines of JSON, each with its topic: for whatever collects the output of a container. */
export function stdoutSink(print: (text: string) => Promise<void>): Sink {
  return {
    async write(events) {
      await print(events.map(({ topic, content }) => `${JSON.stringify({ topic, ...content })}\n`).join(''))
      return events.length
    },
  }
}

const context: RequestContext = {
  external: false,
  userId: 'system',
  roles: ['system'],
  transactionId: 'audit',
  // What it writes is a record, not a change to be carried on and recorded in turn.
  chain: { synchronizes: false },
}

/** Each event is created below a path of the router: an endpoint, a table of a system. One that is there already counts. */
export function routerSink(resourcePath: string, resources: () => Resources): Sink {
  return {
    async write([first]) {
      if (!first) return 0
      const { topic, content } = first
      try {
        await resources().create(`${resourcePath}/${topic}`, String(content._id), content, context)
      } catch (error) {
        const isThere = error instanceof Problem && error.code === 'PRECONDITION_FAILED'
        if (!isThere) throw error
      }
      return 1
    },
  }
}
