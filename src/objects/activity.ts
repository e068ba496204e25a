import { v7 as timeOrderedId } from 'uuid'
import { diff } from '../model/diff.ts'
import type { JsonObject } from '../model/json.ts'
import { recordedChanges } from '../model/recorded-changes.ts'
import type { AuditEvent, StoredObject } from '../repository/repository.ts'
import type { RequestContext } from '../router/resources.ts'
import type { ObjectChange } from './changes.ts'
import type { CompiledType } from './managed-set.ts'

/** True if nobody else records the write: what a mapping writes is in its own record already. */
export function isActivity({ chain }: RequestContext): boolean {
  return chain?.afterwards === undefined && chain?.synchronizes !== false
}

/**
 * `audit/activity` (platform specification §9): who changed a managed object, and what. Values that are nobody's business are
 * masked; `before` and `after` are kept as changes, attribute by attribute.
 */
export function activityEvent(
  change: ObjectChange,
  { sealing }: CompiledType,
  { userId, transactionId }: RequestContext,
): AuditEvent {
  const { operation, path, id, before, after } = change
  const changes = diff(content(before), content(after))
  const timestamp = new Date().toISOString()
  return {
    id: timeOrderedId(),
    topic: 'activity',
    timestamp,
    content: {
      eventName: 'activity',
      ...{ timestamp, transactionId, userId, trackingIds: null, runAs: userId },
      objectId: `${path}/${id}`,
      operation: operation.toUpperCase(),
      changedFields: changes.map(({ pointer }) => `/${pointer.join('/')}`),
      changes: operation === 'delete' ? {} : recordedChanges(changes, (pointer) => sealing.isSecret(pointer)),
      revision: after?._rev ?? null,
      ...{ status: 'SUCCESS', message: '' },
      passwordChanged: changes.some(({ pointer: [name] }) => name === 'password'),
    },
  }
}

function content(object: StoredObject | undefined): JsonObject {
  const { _id, _rev, ...rest } = object ?? {}
  return rest
}
