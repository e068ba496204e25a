import { auditEvent } from '../../../audit/events.ts'
import { timeOrderedId } from '../../../kit/time-ordered-id.ts'
import type { Json, JsonObject } from '../../../model/json.ts'
import type { IncompleteListing } from '../../../model/listing.ts'
import { asProblem, Problem } from '../../../model/problem.ts'
import { parted, requireReadable } from '../../../model/unreadable.ts'
import type { RequestContext, Resource, SyncToken } from '../../../router/resources.ts'
import {
  deadLetterIssue,
  liveSyncId,
  liveSyncIssue,
  reportLetter,
  waitsForPeople,
} from '../../issues/issue.ts'
import { acquireRunLock } from '../../reconciliation/run-lock.ts'
import { requireSourceProperties } from '../../reconciliation/source-properties.ts'
import type { SyncServices } from '../../services.ts'
import type { ChangeEvent } from '../change.ts'
import {
  concerned,
  failedIn,
  failureOf,
  type Notify,
  type NotifyOutcome,
  synchronizeChanges,
} from '../implicit/implicit-sync.ts'
import { type Delta, judge, unreadableIn } from './brakes.ts'
import { type FailureHandler, type Invoked, nextStep } from './failure-handler.ts'
import { Pass } from './pass.ts'
import { ChangeReading } from './reading.ts'
import { type ChangeCounts, readStage, type Stage, writeStage } from './state.ts'

export interface LiveSyncOptions extends SyncServices {
  readonly notify: Notify
  /** `syncFailureHandler` of the source's connector. */
  readonly handlerOf: (source: string) => FailureHandler
  /** Runs the script of a failure handler; what it throws says that the change is to be tried again. */
  readonly runScript: (
    script: JsonObject,
    variables: JsonObject,
    request: RequestContext,
  ) => Promise<readonly Invoked[]>
}

interface LiveSyncRequest {
  readonly source: string
  readonly detailedFailure?: boolean
  /** With nothing known yet: work everything there is, instead of starting from now. */
  readonly fromBeginning?: boolean
  /** `allowEmptySourceSet` and `guard`, in place of the mappings' own for this call. */
  readonly overrides?: JsonObject
  /** How many changes are kept at most between looking at them and carrying them on; others are read twice. */
  readonly keptChanges?: number
}

/** Where changes go that could not be synchronized. */
export const deadLetters = 'repo/synchronisation/deadLetterQueue'

/**
 * One liveSync (engine §9): synchronizes what has changed in a system since the last one, change by change, in the
 * order of a pass (pass.ts); the first call only remembers the present. The progress is stored after each change; what a process
 * that dies repeats does no harm. Answers the state record. CONFLICT while one of the same source is running.
 */
export async function liveSync(
  options: LiveSyncOptions,
  request: LiveSyncRequest,
  context: RequestContext,
): Promise<Json> {
  const { repository, locks } = options
  const { source } = request
  const lock = await acquireRunLock(locks, `liveSync of ${source}`, timeOrderedId())
  try {
    const changes: ChangeCounts = { create: 0, update: 0, delete: 0, failed: 0 }
    const stage = await synchronizeAll({ ...options, ...request, context, counts: changes })
    const some = Object.values(changes).some((count) => count > 0)
    const record = await writeStage(repository, source, some ? { ...stage, changes } : stage)
    if (await repository.issues.any('')) await repository.issues.clear([liveSyncId(source)])
    return shown(record, request.detailedFailure === true)
  } catch (error) {
    if (error instanceof Problem && waitsForPeople(error))
      await repository.issues.report([liveSyncIssue(source, error)])
    throw error
  } finally {
    await lock.release()
  }
}

/** What the change was is shown only to who asks for it. */
function shown({ retry, leftOut, lastException, ...record }: Resource, detailed: boolean): Json {
  const { syncDelta, ...exception } = (lastException ?? {}) as JsonObject
  if (lastException === undefined) return record
  return {
    ...record,
    lastException: detailed && syncDelta !== undefined ? { ...exception, syncDelta } : exception,
  }
}

interface Call extends LiveSyncOptions, LiveSyncRequest {
  readonly context: RequestContext
  /** Counted while it runs. */
  readonly counts: ChangeCounts
}

/** How far the call has come; with `lastException` if the rest has to wait. */
async function synchronizeAll(call: Call): Promise<Stage> {
  const { resources, repository, source, fromBeginning, context, log } = call
  const { changes } = resources().objectSet(source)
  if (!changes) throw new Problem('NOT_FOUND', `${source}: its connector cannot tell what has changed`)
  // A column that is gone would be a change of every object.
  const set = resources().objectSet(source)
  await requireSourceProperties(source, { repository, log, set, remembers: true })
  const known = await readStage(repository, source)
  // What a system tells later than now may have happened now.
  const begun = new Date().toISOString()
  if (!known && !fromBeginning) return { token: await changes.latestToken(), completeAsOf: begun }
  const from = known?.token ?? null
  const reading = new ChangeReading(call, { source, changes, from }, call.keptChanges)
  const judged = await judge(call, call, () => reading.read(), context)
  const stage = await passThrough(call, { known, reading, judged })
  const { compared } = reading
  const isComplete = stage.lastException === undefined && stage.listing === undefined && !stage.goesOn
  const completeAsOf = isComplete ? begun : known?.completeAsOf
  return { ...stage, completeAsOf, compared }
}

interface PassOptions {
  readonly known: Stage | undefined
  readonly reading: ChangeReading
  /** The changes that may be synchronized; undefined: all. */
  readonly judged: { has(change: Delta): boolean } | undefined
}

async function passThrough(
  call: Call,
  { known, reading, judged }: PassOptions,
): Promise<Stage & { readonly goesOn?: boolean }> {
  const { repository, source, context, log } = call
  const { completeAsOf } = known ?? {}
  const from = known?.token ?? null
  const pass = new Pass(
    { token: from, retry: known?.retry, leftOut: known?.leftOut, completeAsOf },
    {
      async notify(change) {
        const problem = unreadableIn(change)
        return problem ? unreadableOutcome(problem) : call.notify(eventOf(source, change), context)
      },
      notifyTogether: (some) => notifyTogether(call, some),
      settle: (change, outcome, stage) => settle(call, change, outcome, stage),
      store: (stage) => writeStage(repository, source, { ...stage, completeAsOf }),
    },
  )
  for await (const change of reading.read()) {
    if (change.kind === 'END') return pass.end(change.token)
    if (change.kind === 'INCOMPLETE') {
      log('warn', `${source}: ${withheld(change.listing)}`)
      return { ...(await pass.end(from)), listing: change.listing }
    }
    if (judged && !judged.has(change)) {
      // The token of a comparison is that of its first reading: from there it is told again.
      if (reading.compared !== undefined) continue
      log('info', `${source} has changed meanwhile: from ${change.id} on, the next liveSync goes on`)
      return { ...(await pass.end()), goesOn: true }
    }
    const stopped = await pass.take(change)
    if (stopped) return stopped
  }
  return pass.end()
}

function withheld({ state, reason }: IncompleteListing): string {
  return `the listing of the source is ${state}, so nothing counts as deleted, and changes are counted from where they were: ${reason}`
}

/** What cannot be read cannot be synchronized. */
function unreadableOutcome({ code, status, message }: Problem): NotifyOutcome {
  return {
    success: false,
    results: [{ result: 'FAILED', cause: { code: status, reason: code, message, detail: null } }],
  }
}

/** Changes that concern the same values, as one page. */
async function notifyTogether(call: Call, changes: readonly Delta[]): Promise<readonly NotifyOutcome[]> {
  const flows = changes.map((change) => {
    const event = eventOf(call.source, change)
    return { event, mappings: concerned(call.mappings(), event), readsAfresh: true }
  })
  return synchronizeChanges(call, flows, call.context)
}

/** How far the call has come with a change that succeeded or failed; with `lastException` if the rest has to wait. */
async function settle(call: Call, change: Delta, outcome: NotifyOutcome, stage: Stage): Promise<Stage> {
  const { handlerOf, source } = call
  const { token: before, retry, leftOut = [], unreadable } = stage
  await record(call, change, outcome)
  const problem = unreadableIn(change)
  if (problem) return passOver(call, change, problem, stage)
  // The token moves on with what is done; one that stays as it was is repeated after a crash.
  const done: Stage = { token: change.token ?? before, leftOut, unreadable }
  if (outcome.success || leftOut.includes(change.id)) return done
  const failed = failedIn(outcome)
  const cause = failureOf(outcome) ?? { code: 500, message: 'synchronization failed' }
  const { id, kind, token } = change
  const failures = sameChange(retry, change, before) ? (retry?.failures ?? 0) + 1 : 1
  const handler = handlerOf(source)
  if (nextStep(handler, failures) === 'give up' && (await giveUp(call, change, handler, { cause, failed })))
    return { ...done, leftOut: [...leftOut, id] }
  return {
    token: before,
    leftOut,
    unreadable,
    retry: { uid: id, token: before, failures },
    lastException: {
      throwable: `Failed to synchronize ${id} object on ${source}: ${cause.message}`,
      syncDelta: { type: kind, uid: id, token, object: objectOf(change) },
    },
  }
}

/** What cannot be read is not tried again before it changes: it keeps nothing that comes after it. */
async function passOver(
  call: Call,
  change: Delta,
  { status, message }: Problem,
  { token, leftOut, unreadable = 0 }: Stage,
): Promise<Stage> {
  const { log, source, handlerOf } = call
  log('warn', `${source}: ${change.id} is left out: ${message}`)
  await giveUp(call, change, handlerOf(source), { cause: { code: status, message }, failed: undefined })
  // Not among those that are given up: once it can be read, it may fail like any other.
  return { token: change.token ?? token, leftOut, unreadable: unreadable + 1 }
}

/** True if the change need not be tried again. */
async function giveUp(
  { log, repository, runScript, source, context }: Call,
  change: Delta,
  { after }: FailureHandler,
  { cause: failureCause, failed }: { readonly cause: JsonObject; readonly failed: JsonObject | undefined },
): Promise<boolean> {
  const [, systemIdentifier = '', objectType = ''] = source.split('/')
  const { id: uid, token } = change
  const syncFailure = { token, systemIdentifier, objectType, uid, failedRecord: objectOf(change) }
  try {
    const kinds =
      after.kind === 'script'
        ? await runScript(after.script, { syncFailure, failureCause }, context)
        : [after.kind]
    for (const kind of kinds) {
      if (kind === 'logged-ignore') log('warn', `${source}: ${uid} is left out: ${failureCause.message}`)
      if (kind !== 'dead-letter-queue') continue
      const content = { ...syncFailure, failureCause, createDate: new Date().toISOString() }
      // Under an id of its own: tokens repeat (engine §9, [D]).
      const write = { operation: 'create' as const, id: timeOrderedId(), content }
      const path = `${deadLetters}/${systemIdentifier}/${write.id}`
      const letter = deadLetterIssue(String(failureCause.message), { path, source, sourceId: uid, failed })
      await repository.transaction(async (store) => {
        await store.objects.write(`${deadLetters}/${systemIdentifier}`, [write])
        await reportLetter(store, letter)
      })
    }
    return true
  } catch (error) {
    log('error', `${source}: the failure handler failed on ${uid}: ${asProblem(error).message}`)
    return false
  }
}

/** `audit/activity` (engine §10). */
async function record(
  { source, context: { userId, transactionId }, repository, counts }: Call,
  { id, kind }: Delta,
  { success, results }: NotifyOutcome,
): Promise<void> {
  counts[kind === 'CREATE' ? 'create' : kind === 'DELETE' ? 'delete' : 'update']++
  if (!success) counts.failed++
  const event = auditEvent.activity({
    ...{ userId, transactionId, objectId: `${source}/${id}`, operation: kind },
    message: `sync-${kind.toLowerCase()}`,
    status: success ? 'SUCCESS' : 'FAILURE',
    messageDetail: success ? null : ([...results] as Json),
  })
  await repository.audit.append([event])
}

/** liveSync never knows the old value. */
function eventOf(container: string, change: Delta): ChangeEvent {
  const { id } = change
  if (change.kind === 'DELETE')
    return { action: 'notifyDelete', container, id, oldValue: null, newValue: null, readsAfresh: true }
  const { previousId } = change
  const object = requireReadable(change.object)
  const action = change.kind === 'CREATE' ? 'notifyCreate' : 'notifyUpdate'
  return { action, container, id, oldValue: null, newValue: object, previousId }
}

function sameChange(retry: Stage['retry'], { id }: Delta, token: SyncToken | null): boolean {
  return retry?.uid === id && JSON.stringify(retry.token) === JSON.stringify(token)
}

function objectOf(change: Delta): JsonObject | null {
  return change.kind === 'DELETE' ? null : (parted(change.object).object ?? null)
}
