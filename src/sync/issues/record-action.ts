import { auditEvent } from '../../audit/events.ts'
import type { Store } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'

/** `audit/activity` of what a person did by hand to something that is no identity object: who, what and why. */
export function recordAction(
  { audit }: Pick<Store, 'audit'>,
  { objectId, message }: { readonly objectId: string; readonly message: string },
  { userId, transactionId }: RequestContext,
): Promise<void> {
  return audit.append([
    auditEvent.activity({ userId, transactionId, objectId, operation: 'ACTION', message }),
  ])
}
