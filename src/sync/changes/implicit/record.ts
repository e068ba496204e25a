import { v7 as timeOrderedId } from 'uuid'
import type { RequestContext } from '../../../router/resources.ts'
import type { Recorder } from '../../page/apply/apply.ts'
import { ambiguousIds, sourceIdOf } from '../../page/operation.ts'
import { historyOf, outcomeOf } from '../../page/outcome.ts'
import type { Synchronization } from '../../page/synchronization.ts'

/**
 * `audit/sync` (engine §10): an entry for every action, NOREPORT included. The source id is qualified and
 * the target id local, as there.
 */
export function syncRecorder(
  { rules: { mapping }, targets }: Synchronization,
  requestOf: (sourceId: string | undefined) => RequestContext,
): Recorder {
  return {
    async record(operations, store) {
      const timestamp = new Date().toISOString()
      const events = operations.map((operation) => {
        const { linkQualifier, situation, action, targetId, sourceId } = operation
        const { userId, transactionId } = requestOf(sourceId)
        return {
          id: timeOrderedId(),
          topic: 'sync',
          timestamp,
          content: {
            eventName: 'sync',
            transactionId,
            timestamp,
            userId,
            trackingIds: null,
            mapping: mapping.name,
            linkQualifier,
            situation: situation ?? null,
            action: action ?? null,
            sourceObjectId: `${mapping.source}/${sourceIdOf(operation)}`,
            targetObjectId: targetId ?? null,
            // Beyond the specification: the target in full, so that its history is found.
            objectId: targetId === undefined ? null : `${mapping.target}/${targetId}`,
            ambiguousTargetObjectIds: ambiguousIds(operation).join(', '),
            ...outcomeOf(operation),
            ...historyOf(operation, targets.isSecret),
          },
        }
      })
      await store.audit.append(events)
    },
    forget() {},
  }
}
