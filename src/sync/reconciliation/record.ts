import { v7 as timeOrderedId } from 'uuid'
import { auditEvent } from '../../audit/events.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { Lease } from '../../repository/locks.ts'
import type { AuditEvent, RunEntry, Store } from '../../repository/repository.ts'
import type { Recorder } from '../page/apply/apply.ts'
import { ambiguousIds, type Recorded } from '../page/operation.ts'
import { historyOf, type Outcome, outcomeOf } from '../page/outcome.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { Run } from './run.ts'
import { recordOf } from './stored-run.ts'

/** What of a run is written down, and for whom. */
export interface Recording {
  readonly run: Run
  /** A page is refused where one of them is lost: another process goes on. */
  readonly leases: readonly Lease[]
  readonly mapping: Mapping
  readonly userId: string
  /** Keep an entry an operation, for `recon/assoc` (engine §7.9). */
  readonly associations: boolean
  /** Attributes of the target whose values are not for those who read records. */
  readonly isSecret: ((pointer: Pointer) => boolean) | undefined
}

export function recorder(recording: Recording): Recorder {
  const { run } = recording
  return {
    record: (page, store) => recordPage(recording, page, store, run.statistics.plus(page)),
    count: (page) => run.keep(page, run.statistics.plus(page)),
  }
}

/** Writes an audit entry for what is done to one object on behalf of a run that is over. */
export function singleRecorder({ runId, rules, targets }: Synchronization, userId: string): Recorder {
  return {
    async record(page, store) {
      const timestamp = new Date().toISOString()
      const recording = { mapping: rules.mapping, userId, runId, isSecret: targets.isSecret }
      const events = page
        .filter(({ action }) => action !== 'NOREPORT')
        .map((operation) =>
          entryEvent(recording, operation, outcomeOf(operation), `${runId}-${timeOrderedId()}`, timestamp),
        )
      if (events.length > 0) await store.audit.append(events)
    },
  }
}

/** Writes a page's audit entries, associations and the run's progress with it: one call each. */
export async function recordPage(
  recording: Recording,
  page: readonly Recorded[],
  store: Store,
  statistics = recording.run.statistics,
): Promise<void> {
  const { run, leases } = recording
  for (const lease of leases) await lease.require(store)
  const events: AuditEvent[] = []
  const entries: RunEntry[] = []
  const timestamp = new Date().toISOString()
  for (const [place, operation] of page.entries()) {
    const id = `${run.id}-${run.entries + place}`
    const outcome = outcomeOf(operation)
    if (!run.analysis && operation.action !== 'NOREPORT')
      events.push(entryEvent({ ...recording, runId: run.id }, operation, outcome, id, timestamp))
    if (recording.associations)
      entries.push({ id, runId: run.id, content: association(recording, operation, outcome, id) })
  }
  if (events.length > 0) await run.durations.time('auditLog', () => store.audit.append(events))
  if (entries.length > 0) await store.runs.appendEntries(entries)
  await store.runs.save(recordOf(run, statistics))
}

/** On whose behalf, and in whose records. */
interface Records extends Pick<Recording, 'mapping' | 'userId' | 'isSecret'> {
  readonly runId: string
}

/** `entryType: entry` of the topic `recon`. */
function entryEvent(
  { runId, mapping, userId, isSecret }: Records,
  operation: Recorded,
  outcome: Outcome,
  id: string,
  timestamp: string,
): AuditEvent {
  const { linkQualifier, situation, action, sourceId, targetId, phase } = operation
  return auditEvent.reconEntry({
    ...{ id, timestamp, userId, runId, phase, mapping: mapping.name, linkQualifier, situation, action },
    sourceObjectId: sourceId === undefined ? null : `${mapping.source}/${sourceId}`,
    targetObjectId: targetId === undefined ? null : `${mapping.target}/${targetId}`,
    ...{ ambiguousIds: ambiguousIds(operation), outcome, history: historyOf(operation, isSecret) },
  })
}

function association(
  { run, mapping }: Recording,
  operation: Recorded,
  outcome: Outcome,
  id: string,
): JsonObject {
  const { linkQualifier, situation, action, sourceId, targetId, phase } = operation
  return {
    _id: id,
    reconId: run.id,
    mapping: mapping.name,
    situation: situation ?? null,
    action: action ?? null,
    linkQualifier,
    sourceObjectId: sourceId ?? null,
    targetObjectId: targetId ?? null,
    sourceResourceCollection: mapping.source,
    targetResourceCollection: mapping.target,
    ...outcome,
    ambiguousTargetObjectIds: ambiguousIds(operation).join(', '),
    phase,
  }
}

/** The `start` and `summary` entries that frame a run. */
export async function recordFrame(
  { run, mapping, userId }: Recording,
  entryType: 'start' | 'summary',
  reconAction: string,
  store: Store,
): Promise<void> {
  const counts = Object.entries(run.statistics.situationSummary).map(
    ([situation, count]) => `${situation}: ${count} `,
  )
  const problem = run.problem ? `${run.problem.message}. ` : ''
  const facts = { userId, runId: run.id, mapping: mapping.name, reconAction }
  const event =
    entryType === 'start'
      ? auditEvent.reconFrame({
          ...{ ...facts, entryType, status: 'SUCCESS', message: `Reconciliation initiated by ${userId}` },
        })
      : auditEvent.reconFrame({
          ...{ ...facts, entryType, status: run.state === 'SUCCESS' ? 'SUCCESS' : 'FAILURE' },
          ...{ message: `${problem}${counts.join('')}`, run: run.toJSON() },
        })
  await store.audit.append([event])
  await store.runs.save(recordOf(run))
}
