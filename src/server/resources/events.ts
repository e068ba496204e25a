import { Problem } from '../../model/problem.ts'
import type { ResourceProvider } from '../../router/resources.ts'

/** `events` as a resource: who may read it may follow the stream (http/event-stream.ts). */
export const eventsProvider: ResourceProvider = {
  async read(path) {
    if (path !== '') throw new Problem('NOT_FOUND', `There is nothing at events/${path}`)
    return { _id: '', type: 'text/event-stream', events: ['run', 'issues', 'queue', 'configuration'] }
  },
}
