import { diff } from '../../model/diff.ts'
import type { JsonObject } from '../../model/json.ts'
import { printPointer } from '../../model/pointer.ts'
import type { Store } from '../../repository/repository.ts'
import type { Version } from './versions.ts'

/** `audit/config` (platform specification §9): who changed which object, and what; its id is that of the version. */
export async function recordConfigurationChange(
  { audit }: Pick<Store, 'audit'>,
  { id, configId, operation, timestamp, userId, transactionId }: Version,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): Promise<void> {
  const changedFields = diff(before ?? {}, after ?? {}).map(({ pointer }) => printPointer(pointer))
  const content: JsonObject = {
    ...{ eventName: 'config', timestamp, transactionId, userId, trackingIds: null, runAs: userId },
    ...{ objectId: `config/${configId}`, operation: operation.toUpperCase(), changedFields, revision: id },
    ...{ before: before ?? null, after: after ?? null },
  }
  await audit.append([{ id, topic: 'config', timestamp, content }])
}
