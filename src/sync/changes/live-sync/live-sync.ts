import { v7 as timeOrderedId } from 'uuid'
import { auditEvent } from '../../../audit/events.ts'
import type { Json, JsonObject } from '../../../model/json.ts'
import { asProblem, Problem } from '../../../model/problem.ts'
import type { RequestContext, Resource, SetChanges, SyncToken } from '../../../router/resources.ts'
import { acquireRunLock } from '../../reconciliation/run-lock.ts'
import type { SyncServices } from '../../services.ts'
import { type ChangeEvent, failureOf, type Notify, type NotifyOutcome } from '../notify.ts'
import { type Delta, judge } from './brakes.ts'
import { type AfterRetries, type FailureHandler, type Invoked, nextStep } from './failure-handler.ts'
import { readStage, type Stage, writeStage } from './state.ts'

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

export interface LiveSyncRequest {
  readonly source: string
  readonly detailedFailure?: boolean
  /** With nothing known yet: work everything there is, instead of starting from now. */
  readonly fromBeginning?: boolean
  /** `allowEmptySourceSet` and `guard`, in place of the mappings' own for this call. */
  readonly overrides?: JsonObject
}

/** Where changes go that could not be carried on. */
export const deadLetters = 'repo/synchronisation/deadLetterQueue'

/**
 * One liveSync (engine §9): carries on what has changed in a system since the last one, change by change. The
 * first call only remembers the present. What would do too much damage is refused before anything is written
 * (brakes.ts). How far it came is stored after each change, so a process that dies repeats one
 * change at most, which does no harm. Answers the state record. CONFLICT while the same source is at it already.
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
    const stage = await new LiveSync({ ...options, ...request, context }).run()
    const record = await writeStage(repository, source, stage)
    return shown(record, request.detailedFailure === true)
  } finally {
    await lock.release()
  }
}

/** What the change was is shown only to who asks for it. */
function shown({ retry, lastException, ...record }: Resource, detailed: boolean): Json {
  const { syncDelta, ...exception } = (lastException ?? {}) as JsonObject
  if (lastException === undefined) return record
  return {
    ...record,
    lastException: detailed && syncDelta !== undefined ? { ...exception, syncDelta } : exception,
  }
}

interface Call extends LiveSyncOptions, LiveSyncRequest {
  readonly context: RequestContext
}

class LiveSync {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  async run(): Promise<Stage> {
    const { resources, repository, source, fromBeginning } = this.#call
    const { changes } = resources().objectSet(source)
    if (!changes) throw new Problem('NOT_FOUND', `${source}: its connector cannot tell what has changed`)
    const known = await readStage(repository, source)
    if (!known && !fromBeginning) return { token: await changes.latestToken() }
    return this.#carryOnAll(changes, { token: known?.token ?? null, retry: known?.retry })
  }

  async #carryOnAll(changes: SetChanges, from: Stage): Promise<Stage> {
    const { repository, log, source } = this.#call
    const since = () => changes.since(from.token)
    const judged = await judge(this.#call, this.#call, since, this.#call.context)
    let stage = from
    for await (const change of since()) {
      if (change.kind === 'END') return { token: change.token }
      if (judged && !judged.has(change)) {
        log('info', `${source} has changed meanwhile: from ${change.id} on, the next liveSync carries it on`)
        return stage
      }
      const next = await this.#carryOn(change, stage)
      if (next.lastException) return next
      if (JSON.stringify(next) !== JSON.stringify(stage)) await writeStage(repository, source, next)
      stage = next
    }
    return stage
  }

  /** The state after the change; with `lastException` if the rest has to wait. */
  async #carryOn(change: Delta, stage: Stage): Promise<Stage> {
    const { notify, handlerOf, source, context } = this.#call
    const outcome = await notify(eventOf(source, change), context)
    await this.#record(change, outcome)
    // The token moves on with what is done; one that stays as it was is repeated after a crash.
    const token = change.token ?? stage.token
    if (outcome.success) return { token }
    const cause = failureOf(outcome) ?? { code: 500, message: 'synchronization failed' }
    const failures = sameChange(stage.retry, change, stage.token) ? (stage.retry?.failures ?? 0) + 1 : 1
    const stopped: Stage = {
      token: stage.token,
      retry: { uid: change.id, token: stage.token, failures },
      lastException: {
        throwable: `Failed to synchronize ${change.id} object on ${source}: ${cause.message}`,
        syncDelta: describe(change),
      },
    }
    const handler = handlerOf(source)
    if (nextStep(handler, failures) === 'retry') return stopped
    return (await this.#giveUp(change, handler, cause)) ? { token } : stopped
  }

  /** True if the change need not be tried again. */
  async #giveUp(change: Delta, { after }: FailureHandler, cause: JsonObject): Promise<boolean> {
    const { log, runScript, source, context } = this.#call
    const failure = syncFailure(source, change)
    const handle = async (kind: AfterRetries['kind']) => {
      if (kind === 'logged-ignore') log('warn', `${source}: ${change.id} is left out: ${cause.message}`)
      else if (kind === 'dead-letter-queue') await this.#bury(failure, cause)
    }
    try {
      if (after.kind !== 'script') await handle(after.kind)
      else {
        const variables = { syncFailure: failure, failureCause: cause }
        for (const kind of await runScript(after.script, variables, context)) await handle(kind)
      }
      return true
    } catch (error) {
      log('error', `${source}: the failure handler failed on ${change.id}: ${asProblem(error).message}`)
      return false
    }
  }

  /** Under an id of its own: tokens repeat (engine §9, [D]). */
  async #bury(failure: JsonObject, failureCause: JsonObject): Promise<void> {
    const collection = `${deadLetters}/${failure.systemIdentifier}`
    const content = { ...failure, failureCause, createDate: new Date().toISOString() }
    await this.#call.repository.objects.write(collection, [
      { operation: 'create', id: timeOrderedId(), content },
    ])
  }

  /** `audit/activity` (engine §10). */
  async #record(change: Delta, { success, results }: NotifyOutcome): Promise<void> {
    const { source, context, repository } = this.#call
    const { userId, transactionId } = context
    const event = auditEvent.activity({
      ...{ userId, transactionId, objectId: `${source}/${change.id}`, operation: change.kind },
      message: `sync-${change.kind.toLowerCase()}`,
      status: success ? 'SUCCESS' : 'FAILURE',
      messageDetail: success ? null : ([...results] as Json),
    })
    await repository.audit.append([event])
  }
}

/** liveSync never knows the old value. */
function eventOf(container: string, change: Delta): ChangeEvent {
  const { id } = change
  if (change.kind === 'DELETE')
    return { action: 'notifyDelete', container, id, oldValue: null, newValue: null }
  const { object, previousId } = change
  const action = change.kind === 'CREATE' ? 'notifyCreate' : 'notifyUpdate'
  return { action, container, id, oldValue: null, newValue: object, previousId }
}

function sameChange(retry: Stage['retry'], { id }: Delta, token: SyncToken | null): boolean {
  return retry?.uid === id && JSON.stringify(retry.token) === JSON.stringify(token)
}

function describe(change: Delta): JsonObject {
  const { kind, id } = change
  return { type: kind, uid: id, token: change.token, object: change.kind === 'DELETE' ? null : change.object }
}

/** The first five fields of the handlers' `syncFailure`. */
function syncFailure(source: string, change: Delta): JsonObject {
  const [, systemIdentifier = '', objectType = ''] = source.split('/')
  return {
    token: change.token,
    systemIdentifier,
    objectType,
    uid: change.id,
    failedRecord: change.kind === 'DELETE' ? null : change.object,
  }
}
