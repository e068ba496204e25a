import { auditEvent } from '../../audit/events.ts'
import { diff } from '../../model/diff.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { recordedChanges, recordedObject } from '../../model/recorded-changes.ts'
import type { AuditEvent } from '../../repository/audit.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { CompiledType } from '../type/compile.ts'
import { isSynchronized, type ObjectChange } from './changes.ts'
import type { WriteContext, WrittenPage } from './entry.ts'

/** The stage in the transaction of the changes: the audit of each, and what is to be synchronized later. */
export async function record(
  context: WriteContext,
  { outcomes, others }: WrittenPage,
  message = '',
): Promise<void> {
  const { compiled, onChange, request, store } = context
  const all = [...outcomes, ...others.map((change) => ({ change, patched: false }))].flatMap(
    ({ change, patched = false }) => (change ? [{ change, patched }] : []),
  )
  const ofMapping = mappingOf(request)
  if (isActivity(request) || ofMapping !== undefined) {
    const { collection, relations } = compiled
    const events = all.flatMap(({ change, patched }) => {
      if (ofMapping !== undefined) return [mappedEvent(change, ofMapping, request)]
      const type = change.path === collection ? compiled : relations?.services.typeOf(change.path)
      return type ? [activityEvent(change, type, request, { patched, message })] : []
    })
    if (events.length > 0) await store.audit.append(events)
  }
  const synchronized = all.map(({ change }) => change).filter(({ path }) => isSynchronized(context, path))
  if (synchronized.length > 0) await onChange.enlist(store, synchronized, request)
}

/** What a mapping wrote: who and by which mapping and run; the record of the mapping has the values. */
function mappedEvent(
  { operation, path, id, before, after }: ObjectChange,
  mapping: string,
  { userId, transactionId }: RequestContext,
): AuditEvent {
  const changedFields = before
    ? diff(content(before), content(after)).map(({ pointer }) => `/${pointer.join('/')}`)
    : Object.keys(content(after)).map((name) => `/${name}`)
  return auditEvent.activity({
    ...{ userId, transactionId, objectId: `${path}/${id}`, operation, mapping },
    ...{ changedFields, revision: after?._rev, passwordChanged: changedFields.includes('/password') },
  })
}

/** The mapping that writes; undefined for what its scripts write, and for what is taken back. */
function mappingOf({ chain }: RequestContext): string | undefined {
  return chain?.takeFollowUp === undefined || chain.synchronizes === false ? undefined : chain.mapping
}

/** True if no mapping writes. */
export function isActivity({ chain }: RequestContext): boolean {
  return chain?.takeFollowUp === undefined && chain?.synchronizes !== false
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
    ...{ userId, transactionId, message, objectId: `${path}/${id}` },
    operation: patched ? 'patch' : operation,
    ...{ before: recordedObject(before, isSecret), after: recordedObject(after, isSecret) },
    changedFields: changes.map(({ pointer }) => `/${pointer.join('/')}`),
    changes: operation === 'delete' ? {} : recordedChanges(changes, isSecret),
    revision: after?._rev,
    passwordChanged: changes.some(({ pointer: [name] }) => name === 'password'),
  })
}

function content(object: StoredObject | undefined): JsonObject {
  const { _id, _rev, ...rest } = object ?? {}
  return rest
}
