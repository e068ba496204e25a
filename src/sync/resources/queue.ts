import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { recordedObject } from '../../model/recorded-changes.ts'
import type { Repository } from '../../repository/repository.ts'
import type { QueuedEvent } from '../../repository/sync-queue.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'
import { asResource, storePage, storeQuery } from '../../router/store-query.ts'
import { inState } from '../changes/queue/queued-change.ts'

/**
 * `sync/queue` (engine §8.6): the changes that wait, dead letters too. One event shows what the objects were, without secrets;
 * a list does not. Actions: `retry` puts an event in line again; `discard` drops it, and answers what it was.
 */
export function queueProvider(
  { syncQueue }: Pick<Repository, 'syncQueue'>,
  wake: (mapping: string) => void,
  isSecret: (set: string, pointer: Pointer) => boolean = () => false,
): ResourceProvider {
  /** Without what is secret: those who may see the queue need not be those who may read the object. */
  function shown({ content }: QueuedEvent): Resource {
    const { resourceCollection, oldObject, newObject } = content
    const readable = (object: Json | undefined) =>
      isJsonObject(object)
        ? recordedObject(object, (pointer) => isSecret(String(resourceCollection), pointer))
        : (object ?? null)
    return asResource({ ...content, oldObject: readable(oldObject), newObject: readable(newObject) })
  }
  async function found(id: string) {
    const event = await syncQueue.read(id)
    if (!event) throw new Problem('NOT_FOUND', `There is no change "${id}" in the queue; perhaps it is done`)
    return event
  }
  async function discard(id: string): Promise<Resource> {
    const event = await found(id)
    await syncQueue.remove([id])
    return shown(event)
  }
  return {
    read: async (id) => shown(await found(id)),
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `sync/queue/${path} is a change, not a set`)
      return storePage(await syncQueue.query(storeQuery(query)), listed)
    },
    delete: discard,
    async action(id, { name }) {
      if (name === 'discard') return discard(id)
      if (name !== 'retry')
        throw new Problem('BAD_REQUEST', `unknown action ${name} on a change; allowed: retry, discard`)
      const before = await found(id)
      const event = inState(before, {
        ...{ state: 'PENDING', due: 0, attempts: 0 },
        ...(before.state === 'DEAD' ? { revived: true } : {}),
      })
      await syncQueue.update([event])
      wake(event.mapping)
      return shown(event)
    },
  }
}

/** Payloads may be long and do not belong in a list. */
function listed({ oldObject, newObject, context, ...record }: JsonObject): Resource {
  return asResource(record)
}
