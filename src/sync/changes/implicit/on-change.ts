import type { Mapping } from '../../../mapping/mapping.ts'
import type { ObjectChange, OnChange } from '../../../objects/write/changes.ts'
import type { QueuedEvent } from '../../../repository/sync-queue.ts'
import type { SyncServices } from '../../services.ts'
import type { ChangeEvent } from '../change.ts'
import { inState, queuedEvent } from '../queue/queued-change.ts'
import { concerned, failureOf, synchronizeChanges } from './implicit-sync.ts'

interface OnChangeOptions extends SyncServices {
  /** Something waits for the mapping now. */
  readonly wake: (mapping: string) => void
  /** True if a change of this set may still be taken back after it is stored: it has scripts that run then. */
  readonly mayBeTakenBack: (path: string) => boolean
}

/**
 * Synchronizes changes of managed objects (engine §8.1): those of mappings with a queue are stored in the transaction of the
 * change itself, all others go through their mappings when it is committed.
 */
export function onChange(options: OnChangeOptions): OnChange {
  const { repository, mappings, wake, mayBeTakenBack, log } = options
  /** Events whose change may still be taken back, by the change. */
  const held = new WeakMap<ObjectChange, readonly QueuedEvent[]>()
  const ofSource = (path: string) =>
    mappings().filter(({ source, changes }) => source === path && changes.enabled)

  return {
    concerns: (path) => ofSource(path).length > 0,

    async enlist(store, changes, request) {
      const events: QueuedEvent[] = []
      for (const change of changes) {
        const event = eventOf(change)
        const queued = concerned(mappings(), event).filter(hasQueue)
        const state = mayBeTakenBack(change.path) ? 'HELD' : 'PENDING'
        const own = queued.map(({ name }) => queuedEvent(name, event, request, state))
        if (own.length > 0) held.set(change, own)
        events.push(...own)
      }
      if (events.length > 0) await store.syncQueue.add(events)
    },

    async withdraw(store, change) {
      const events = held.get(change)
      if (events) await store.syncQueue.remove(events.map(({ id }) => id))
    },

    async notify(changes, request) {
      const waiting = changes
        .flatMap((change) => held.get(change) ?? [])
        .filter(({ state }) => state === 'HELD')
      if (waiting.length > 0)
        await repository.syncQueue.update(waiting.map((event) => inState(event, { state: 'PENDING' })))
      const flows = changes.map((change) => {
        const event = eventOf(change)
        return { event, mappings: concerned(mappings(), event) }
      })
      const queued = flows.flatMap((flow) => flow.mappings.filter(hasQueue))
      for (const [mapping, { length }] of Map.groupBy(queued, (one) => one)) {
        wake(mapping.name)
        options.flows.tell(request.transactionId, { mapping, done: [], queued: length })
      }
      const atOnce = flows.map(({ event, mappings: all }) => ({
        event,
        mappings: all.filter((mapping) => !hasQueue(mapping)),
        readsAfresh: true,
      }))
      const outcomes = await synchronizeChanges(options, atOnce, request)
      return outcomes.map(({ success, results, event: { action, container, id } }) => {
        const failed = results.find(({ result }) => result === 'FAILED')
        const why = failureOf({ results })?.message || 'failed'
        if (failed) log('warn', `${failed.mapping}: ${container}/${id}: ${why}`)
        return { success, action, syncDetails: results }
      })
    },
  }
}

function hasQueue({ changes }: Mapping): boolean {
  return changes.queue !== undefined
}

const actions = { create: 'notifyCreate', update: 'notifyUpdate', delete: 'notifyDelete' } as const

function eventOf({ operation, path, id, before, after }: ObjectChange): ChangeEvent {
  const values = { oldValue: before ?? null, newValue: after ?? null }
  return { action: actions[operation], container: path, id, ...values }
}
