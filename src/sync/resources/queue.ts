import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { recordedObject } from '../../model/recorded-changes.ts'
import type { Repository } from '../../repository/repository.ts'
import type { QueuedEvent } from '../../repository/sync-queue.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import { asResource, storePage, storeQuery } from '../../router/store-query.ts'
import { heldBackOf } from '../changes/queue/held-back.ts'
import { inLineAgain } from '../changes/queue/queued-change.ts'
import { clearLetter, heldBackId } from '../issues/issue.ts'
import { recordAction } from '../issues/record-action.ts'

/**
 * `sync/queue` (engine §8.6): the changes that wait, dead letters too. One event shows what the objects were, without secrets;
 * a list does not. Actions: `retry` puts an event in line again; `discard` drops it, and answers what it was; `release` on the set lets
 * go what the guard holds back of a mapping, for a reason that is audited.
 */
export function queueProvider(
  repository: Pick<Repository, 'syncQueue' | 'audit' | 'issues'>,
  wake: (mapping: string) => void,
  isSecret: (set: string, pointer: Pointer) => boolean = () => false,
): ResourceProvider {
  const { syncQueue } = repository
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
  /** Who took a change out of its fate, and that its case is over. */
  async function recordDone(name: string, event: QueuedEvent, context: RequestContext): Promise<void> {
    await clearLetter(repository, `sync/queue/${event.id}`)
    const message = `${name}: ${event.mapping}, ${event.resource}`
    await recordAction(repository, { objectId: `sync/queue/${event.id}`, message }, context)
  }
  async function discard(id: string, context: RequestContext): Promise<Resource> {
    const event = await found(id)
    await syncQueue.remove([id])
    await recordDone('discard', event, context)
    return shown(event)
  }
  return {
    read: async (id) => shown(await found(id)),
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `sync/queue/${path} is a change, not a set`)
      return storePage(await syncQueue.query(storeQuery(query)), listed)
    },
    delete: (id, _rev, context) => discard(id, context),
    async action(id, action, context) {
      const { name } = action
      if (id === '' && name === 'release') {
        const released = await release(repository, action, context)
        wake(released.mapping)
        return { ...released }
      }
      if (name === 'discard') return discard(id, context)
      if (name !== 'retry')
        throw new Problem(
          'BAD_REQUEST',
          `unknown action ${name} on a change; allowed: retry, discard; on the set: release`,
        )
      const event = inLineAgain(await found(id))
      await syncQueue.update([event])
      await recordDone('retry', event, context)
      wake(event.mapping)
      return shown(event)
    },
  }
}

/** Their objects are read afresh: of one that has come back nothing is deleted. */
async function release(
  repository: Pick<Repository, 'syncQueue' | 'audit' | 'issues'>,
  { parameters, content }: ResourceAction,
  context: RequestContext,
): Promise<{ readonly mapping: string; readonly released: number }> {
  const { mapping, reason } = { ...(isJsonObject(content) ? content : {}), ...parameters }
  if (typeof mapping !== 'string' || mapping === '' || typeof reason !== 'string' || reason.trim() === '')
    throw new Problem('BAD_REQUEST', 'release needs the parameters mapping, and reason: it is audited')
  const { syncQueue, issues } = repository
  const message = `the guard is overridden: ${reason}`
  await recordAction(repository, { objectId: `sync/queue/${mapping}`, message }, context)
  for (let released = 0; ; ) {
    const { result } = await syncQueue.query({ filter: heldBackOf(mapping), pageSize: 500 })
    const events = await Promise.all(result.map(({ _id }) => syncQueue.read(String(_id))))
    const waiting = events.flatMap((event) => (event ? [inLineAgain(event, reason)] : []))
    if (waiting.length === 0) {
      await issues.clear([heldBackId(mapping)])
      return { mapping, released }
    }
    await syncQueue.update(waiting)
    released += waiting.length
  }
}

/** Payloads may be long and do not belong in a list. */
function listed({ oldObject, newObject, context, ...record }: JsonObject): Resource {
  return asResource(record)
}
