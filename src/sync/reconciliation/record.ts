import { auditEvent } from '../../audit/events.ts'
import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { AuditEvent } from '../../repository/audit.ts'
import type { Store } from '../../repository/repository.ts'
import type { RunEntry } from '../../repository/runs.ts'
import { issueRecorder, stoppedRunId, stoppedRunIssue, waitsForPeople } from '../issues/issue.ts'
import type { Recorder } from '../page/apply/apply.ts'
import { namingOf } from '../page/names.ts'
import { type Applied, ambiguousIds } from '../page/operation.ts'
import { historyOf, outcomeOf } from '../page/outcome.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { Reconciliation } from './reconciliation.ts'
import type { Run } from './run.ts'

type Recording = Omit<Reconciliation, 'recorder'>

export function recorder(reconciliation: Recording): Recorder {
  const { run } = reconciliation
  const noteIssues = issueRecorder(namingOf(reconciliation), run.id)
  return {
    async record(page, store) {
      await recordPage(reconciliation, page, store)
      if (!run.analysis) await noteIssues(page, store)
    },
    count: (page) => {
      run.statistics = run.statistics.plus(page)
    },
  }
}

/** Writes an audit entry for what is done to one object on behalf of a run that is over. */
export function singleRecorder(sync: Synchronization, userId: string): Recorder {
  const { runId, rules, targets } = sync
  const noteIssues = issueRecorder(sync, runId, { byHand: true })
  return {
    async record(page, store) {
      await noteIssues(page, store)
      const timestamp = new Date().toISOString()
      const recording = { mapping: rules.mapping, userId, runId, isSecret: targets.isSecret }
      const events = page
        .filter(({ action }) => action !== 'NOREPORT')
        .map((operation) => entryEvent(recording, operation, `${runId}-${timeOrderedId()}`, timestamp))
      if (events.length > 0) await store.audit.append(events)
    },
  }
}

/** Writes a page's audit entries and associations and the run's progress, one call each. Refused if a lease is lost. */
async function recordPage(
  { run, leases, rules: { mapping }, request, resources, persistAssociations }: Recording,
  page: readonly Applied[],
  store: Store,
): Promise<void> {
  for (const lease of leases) await lease.require(store)
  const { isSecret } = resources.objectSet(mapping.target)
  const records = { mapping, userId: request.userId, runId: run.id, isSecret }
  const events: AuditEvent[] = []
  const entries: RunEntry[] = []
  const timestamp = new Date().toISOString()
  for (const [place, operation] of page.entries()) {
    const id = `${run.id}-${run.statistics.entries + place}`
    if (!run.analysis && operation.action !== 'NOREPORT')
      events.push(entryEvent(records, operation, id, timestamp))
    if (persistAssociations) entries.push({ id, runId: run.id, content: association(records, operation, id) })
  }
  if (events.length > 0) await run.durations.time('auditLog', () => store.audit.append(events))
  if (entries.length > 0) await store.runs.appendEntries(entries)
  await store.runs.save(run.record(run.statistics.plus(page)))
}

/** On whose behalf, and in whose records. */
interface Records {
  readonly mapping: Mapping
  readonly userId: string
  readonly runId: string
  /** Attributes of the target whose values are not for those who read records. */
  readonly isSecret: ((pointer: Pointer) => boolean) | undefined
}

/** `entryType: entry` of the topic `recon`. */
function entryEvent(
  { runId, mapping, userId, isSecret }: Records,
  operation: Applied,
  id: string,
  timestamp: string,
): AuditEvent {
  const { linkQualifier, situation, action, sourceId, targetId, phase } = operation
  return auditEvent.reconEntry({
    ...{ id, timestamp, userId, runId, phase, mapping: mapping.name, linkQualifier, situation, action },
    sourceObjectId: sourceId === undefined ? null : `${mapping.source}/${sourceId}`,
    targetObjectId: targetId === undefined ? null : `${mapping.target}/${targetId}`,
    ...{
      ambiguousIds: ambiguousIds(operation),
      outcome: outcomeOf(operation),
      history: historyOf(operation, isSecret),
    },
  })
}

function association({ runId, mapping }: Records, operation: Applied, id: string): JsonObject {
  const { linkQualifier, situation, action, sourceId, targetId, phase } = operation
  return {
    _id: id,
    reconId: runId,
    mapping: mapping.name,
    situation: situation ?? null,
    action: action ?? null,
    linkQualifier,
    sourceObjectId: sourceId ?? null,
    targetObjectId: targetId ?? null,
    sourceResourceCollection: mapping.source,
    targetResourceCollection: mapping.target,
    ...outcomeOf(operation),
    ambiguousTargetObjectIds: ambiguousIds(operation).join(', '),
    phase,
  }
}

/** The `start` and `summary` entries that frame a run. */
export async function recordFrame(
  reconciliation: Reconciliation,
  entryType: 'start' | 'summary',
  store: Store,
): Promise<void> {
  const {
    run,
    sourceId,
    override,
    request: { userId },
  } = reconciliation
  const reconAction = sourceId === undefined ? 'recon' : 'reconById'
  const facts = { userId, runId: run.id, mapping: run.mapping, reconAction }
  const status = entryType === 'start' || run.state === 'SUCCESS' ? 'SUCCESS' : 'FAILURE'
  const content =
    entryType === 'start'
      ? { message: `Reconciliation initiated by ${userId}${overridden(override)}` }
      : { message: summaryOf(run), run: run.toJSON() }
  await store.audit.append([auditEvent.reconFrame({ ...facts, entryType, status, ...content })])
  await store.runs.save(run.record())
  if (entryType === 'summary') await concludeIssues(reconciliation, store)
}

/** A run of all that has ended has found all cases that there are; a stop of the guard is a case of its own. */
async function concludeIssues(reconciliation: Reconciliation, { issues }: Store): Promise<void> {
  const { run, settings, rules } = reconciliation
  const { problem, mapping, id } = run
  if (run.analysis) return
  // That a single object is not there, of which a run was asked, stops no other one.
  const isNobody = problem?.code === 'EMPTY_SOURCE' && reconciliation.sourceId !== undefined
  if (problem && waitsForPeople(problem) && !isNobody)
    await issues.report([stoppedRunIssue(mapping, id, problem)])
  if (approvesAll(reconciliation)) await issues.clear([stoppedRunId(mapping)])
  const own = rules.mapping.reconciliation
  const isWhole = settings.sourceQuery === own.sourceQuery && settings.targetQuery === own.targetQuery
  if (run.kind !== 'recon' || run.state !== 'SUCCESS' || run.listings.size > 0 || !isWhole) return
  const phases = settings.runTargetPhase === false ? ['source', 'run'] : ['source', 'target', 'run']
  if (await issues.any(mapping)) await issues.sweep(mapping, id, phases)
}

/** A plan of everything has been performed as a whole: what the guard stopped is over. */
function approvesAll({ run, plan, planFilters = {} }: Reconciliation): boolean {
  if (run.kind !== 'apply' || run.state !== 'SUCCESS' || !plan || plan.header.undoes !== undefined)
    return false
  const { request, filters } = plan.header
  return (
    request.sourceId === undefined && [filters, planFilters].every((one) => Object.keys(one).length === 0)
  )
}

function overridden(reason: string | undefined): string {
  return reason === undefined ? '' : `; the guard is overridden: ${reason}`
}

function summaryOf({ problem, statistics, listings }: Run): string {
  const counts = Object.entries(statistics.situationSummary)
  const words = counts.map(([situation, count]) => `${situation}: ${count} `)
  const { count } = statistics.unreadable
  const unread = count > 0 ? `Objects that could not be read: ${count}. ` : ''
  const doubts = [...listings].map(
    ([side, { state, reason }]) =>
      `The listing of the ${side} is ${state}, so what is absent from it is left alone: ${reason}. `,
  )
  return [problem ? `${problem.message}. ` : '', ...doubts, unread, ...words].join('')
}
