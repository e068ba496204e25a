import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { Store } from '../repository/repository.ts'
import { splitPath } from '../router/path.ts'
import type { Resource, ResourceProvider } from '../router/resources.ts'
import { storePage, storeQuery } from '../router/store-query.ts'
import { topics } from './topics.ts'

/** `audit/{topic}[/{id}]`: entries can be read and queried, never changed (platform specification §9). */
export function auditProvider(store: Store): ResourceProvider {
  return {
    async read(path) {
      const [topic, id] = auditPath(path)
      if (id === undefined)
        throw new Problem('BAD_REQUEST', `audit/${topic} is a set: query it with _queryFilter`)
      const entry = await store.audit.read(topic, id)
      if (!entry) throw new Problem('NOT_FOUND', `There is no audit entry ${topic}/${id}`)
      return { ...entry, _id: id }
    },
    async query(path, query) {
      const [topic, id] = auditPath(path)
      if (id !== undefined)
        throw new Problem('BAD_REQUEST', `audit/${path} is an entry: it cannot be queried`)
      return storePage(await store.audit.query(topic, storeQuery(query)), asResource)
    },
  }
}

function auditPath(path: string): readonly [topic: string, id: string | undefined] {
  const [topic, id, ...others] = splitPath(path)
  if (topic === undefined || !topics.has(topic) || others.length > 0) {
    throw new Problem('NOT_FOUND', `There is no audit topic ${path}; topics are ${[...topics].join(', ')}`)
  }
  return [topic, id]
}

/** The port promises `_id` in what it answers. */
function asResource(entry: JsonObject): Resource {
  return entry as Resource
}
