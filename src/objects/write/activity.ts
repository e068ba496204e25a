import { auditEvent } from '../../audit/events.ts'
import { diff } from '../../model/diff.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { recordedChanges, recordedObject } from '../../model/recorded-changes.ts'
import type { AuditEvent, StoredObject } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import type { ObjectChange } from './changes.ts'

/** True if the write is recorded here: what a mapping writes is in its own record already. */
export function isActivity({ chain }: RequestContext): boolean {
  return chain?.afterwards === undefined && chain?.synchronizes !== false
}

/**
 * `audit/activity` (platform §9): who changed a managed object, and what: as it was, as it is, and, beyond the
 * specification, attribute by attribute. Secret values are masked.
 */
export function activityEvent(
  change: ObjectChange,
  { encryption }: CompiledType,
  { userId, transactionId }: RequestContext,
  { patched = false, message = '' } = {},
): AuditEvent {
  const { operation, path, id, before, after } = change
  const isSecret = (pointer: Pointer) => encryption.isSecret(pointer)
  const changes = diff(content(before), content(after))
  return auditEvent.activity({
    ...{
      userId,
      transactionId,
      objectId: `${path}/${id}`,
      operation: patched ? 'patch' : operation,
      message,
    },
    ...{ before: recordedObject(before, isSecret), after: recordedObject(after, isSecret) },
    changedFields: changes.map(({ pointer }) => `/${pointer.join('/')}`),
    changes: operation === 'delete' ? {} : recordedChanges(changes, isSecret),
    revision: after?._rev,
    passwordChanged: changes.some(({ pointer: [name] }) => name === 'password'),
  })
}

/** The change that undoes another one. */
export function undone({ operation, path, id, before, after }: ObjectChange): ObjectChange {
  const opposite = { create: 'delete', update: 'update', delete: 'create' } as const
  return { operation: opposite[operation], path, id, before: after, after: before }
}

function content(object: StoredObject | undefined): JsonObject {
  const { _id, _rev, ...rest } = object ?? {}
  return rest
}
