import { Problem } from '../model/problem.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import type { Sink } from './sink.ts'

/**
 * Handlers without state. If the process crashes after an event was handed over and before the position was stored, the
 * event comes a second time, with the same `_id`.
 */

/** Lines of JSON, each with its topic, for programs that collect the output of a container. */
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
  // What it writes is a record, not a change: it must be neither synchronized nor recorded again.
  chain: { synchronizes: false },
}

/** Creates each event below a path of the router: an endpoint, a table of a system. An event that exists already is a success. */
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
