import { timeOrderedId } from '../../../kit/time-ordered-id.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { QueuedEvent } from '../../../repository/sync-queue.ts'
import type { RequestContext } from '../../../router/resources.ts'
import type { ChangeEvent } from '../change.ts'

/** A change as the queue of a mapping keeps it (engine §8.5): everything that is needed to synchronize it later. */
export function queuedEvent(
  mapping: string,
  event: ChangeEvent,
  { userId, roles, transactionId }: RequestContext,
  state: 'HELD' | 'PENDING',
): QueuedEvent {
  const id = timeOrderedId()
  const { action: syncAction, container: resourceCollection, id: resourceId, oldValue, newValue } = event
  const content = {
    ...{ _id: id, mapping, resourceCollection, resourceId, syncAction, state, attempts: 0, lastError: null },
    createDate: new Date().toISOString(),
    ...{ oldObject: oldValue, newObject: newValue },
    objectRev: newValue?._rev ?? null,
    context: { userId, roles: [...roles], transactionId },
  }
  return { id, mapping, resource: `${resourceCollection}/${resourceId}`, state, due: 0, attempts: 0, content }
}

/** As `queuedEvent` stores it. */
interface Content {
  readonly syncAction: ChangeEvent['action']
  readonly resourceCollection: string
  readonly resourceId: string
  readonly oldObject?: JsonObject | null
  readonly newObject?: JsonObject | null
  readonly context: { readonly userId: string; readonly roles: string[]; readonly transactionId: string }
}

export function changeIn({ content }: QueuedEvent): ChangeEvent {
  const { syncAction, resourceCollection, resourceId, ...objects } = content as unknown as Content
  const { oldObject: oldValue = null, newObject: newValue = null } = objects
  return { action: syncAction, container: resourceCollection, id: resourceId, oldValue, newValue }
}

/** On whose behalf the change was made; to synchronize it is the server's own work. */
export function requestIn({ content }: QueuedEvent): RequestContext {
  const { userId, roles, transactionId } = (content as unknown as Content).context
  return { external: false, userId, roles, transactionId }
}

/** The same event in another state. */
export function inState(
  event: QueuedEvent,
  change: Partial<Pick<QueuedEvent, 'state' | 'due' | 'attempts'>> & {
    readonly lastError?: string
    /** It was a dead letter. */
    readonly revived?: true
    /** The guard holds it back, until a person releases it, for this reason. */
    readonly heldBack?: boolean
    readonly released?: string
  },
): QueuedEvent {
  const { lastError, revived, ...columns } = change
  const { due, ...shown } = change
  return { ...event, ...columns, content: { ...event.content, ...shown } }
}

/** Kept until a person releases it: it blocks no others, and is read afresh then. */
export function heldBack(event: QueuedEvent, why: string): QueuedEvent {
  return inState(event, { state: 'DEAD', lastError: why, heldBack: true })
}

/** In line again. `reason`: the guard does not hold it back any more, for this reason. */
export function inLineAgain(event: QueuedEvent, reason?: string): QueuedEvent {
  return inState(event, {
    ...{ state: 'PENDING', due: 0, attempts: 0, heldBack: false },
    ...(event.state === 'DEAD' ? { revived: true } : {}),
    ...(reason === undefined ? {} : { released: reason }),
  })
}
