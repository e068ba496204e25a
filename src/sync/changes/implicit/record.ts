import { auditEvent } from '../../../audit/events.ts'
import type { RequestContext } from '../../../router/resources.ts'
import type { Recorder } from '../../page/apply/apply.ts'
import { ambiguousIds } from '../../page/operation.ts'
import { historyOf, outcomeOf } from '../../page/outcome.ts'
import type { Synchronization } from '../../page/synchronization.ts'

/**
 * `audit/sync` (engine §10): an entry for every action, NOREPORT included. The source id is qualified and
 * the target id local, as there.
 */
export function syncRecorder(
  { rules: { mapping }, targets }: Synchronization,
  requestOf: (sourceId: string) => RequestContext,
): Recorder {
  return {
    async record(page, store) {
      const timestamp = new Date().toISOString()
      const events = page.map((operation) => {
        const { linkQualifier, situation, action, targetId, sourceId } = operation
        const { userId, transactionId } = requestOf(sourceId ?? '')
        return auditEvent.sync({
          ...{ timestamp, userId, transactionId, mapping: mapping.name, linkQualifier, situation, action },
          sourceObjectId: `${mapping.source}/${sourceId}`,
          targetObjectId: targetId ?? null,
          objectId: targetId === undefined ? null : `${mapping.target}/${targetId}`,
          ...{ ambiguousIds: ambiguousIds(operation), outcome: outcomeOf(operation) },
          history: historyOf(operation, targets.isSecret),
        })
      })
      await store.audit.append(events)
    },
  }
}
