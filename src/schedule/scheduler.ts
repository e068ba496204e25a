import { auditEvent } from '../audit/events.ts'
import { Mutex } from '../kit/mutex.ts'
import { timeOrderedId } from '../kit/time-ordered-id.ts'
import { Timer } from '../kit/timer.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { asProblem, type Problem } from '../model/problem.ts'
import type { Locks } from '../repository/locks.ts'
import type { StoredObject } from '../repository/objects.ts'
import type { Repository } from '../repository/repository.ts'
import type { RequestContext } from '../router/resources.ts'
import { type Job, nextDue, type ServiceName } from './job.ts'
import type { TaskScannerOptions } from './tasks/task-scanner.ts'

/** What runs when a job is due; `signal` is aborted when the server closes. */
export type Service = (context: JsonObject, request: RequestContext) => Promise<Json | undefined>
export type Services = Readonly<Record<ServiceName, Service>>

export interface SchedulerOptions extends Pick<TaskScannerOptions, 'log' | 'during' | 'now'> {
  readonly repository: Repository
  readonly services: Services
  /** Separates processes on the same store. Absent: there is only one. */
  readonly locks?: Locks
}

/** The progress of each job, by its id. */
const triggers = 'scheduler/trigger'

/** The progress of a job; times in ms since 1970. */
interface Progress extends JsonObject {
  /** When the job was first configured. */
  first: number
  fired: number
  last: number | null
  next: number | null
  /** What the clock showed when `next` was found. */
  counted?: number
  paused: boolean
  /** True while a run is active, so that a crash of the process can be noticed. */
  running: boolean
  /** The lease of the process that runs it. */
  runner?: string
}

export interface JobTrigger {
  readonly job: string
  /** `ACQUIRED` while a run is active. */
  readonly state: 'NORMAL' | 'ACQUIRED' | 'PAUSED'
  /** ms since 1970. */
  readonly next: number
  readonly last: number | undefined
  readonly start: number | undefined
  readonly end: number | undefined
}

/** A run that is late by no more than this, in ms, is not a misfire. */
const punctual = 60_000

/**
 * Runs jobs when they are due (platform §8). How far each has come is in the store: a restart makes up for what
 * was missed as the job's misfire policy wants, and of several processes on one store one runs it.
 */
export class Scheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions
  #configured: ReadonlyMap<string, Job>
  readonly #running = new Map<string, Promise<void>>()
  readonly #timer = new Timer(
    () => void this.tick(),
    () => this.#now(),
  )
  readonly #turn = new Mutex()
  #started = false
  #paused = false
  #closed = false

  constructor(options: SchedulerOptions, configured: readonly Job[]) {
    this.#options = options
    this.#configured = new Map(configured.map((job) => [job.id, job]))
  }

  /** Replaces the configured jobs. Removed jobs are dropped with their progress. */
  async configure(jobs: readonly Job[]): Promise<void> {
    const before = this.#configured
    this.#configured = new Map(jobs.map((job) => [job.id, job]))
    for (const id of before.keys()) if (!this.#configured.has(id)) await this.#forget(id)
    if (this.#started) await this.tick()
  }

  all(): readonly Job[] {
    return [...this.#configured.values()]
  }

  job(id: string): Job | undefined {
    return this.#configured.get(id)
  }

  async start(): Promise<void> {
    this.#started = true
    for (const job of this.all()) await this.#recoverRun(job)
    await this.tick()
  }

  /** When the job is due next; undefined if never, or while nothing is running. */
  async nextRun(job: Job): Promise<number | undefined> {
    const { next, paused } = await this.#progress(job)
    return job.enabled && !paused && next !== null ? next : undefined
  }

  /** The jobs of the active runs of this process, one for each run. */
  running(): readonly string[] {
    return [...this.#running.keys()].flatMap((key) => key.split('\n', 1))
  }

  /** When and whether the job runs; undefined if it is switched off or will never run again. */
  async triggerOf(job: Job): Promise<JobTrigger | undefined> {
    const { next, last, paused } = await this.#progress(job)
    if (!job.enabled || next === null) return undefined
    const state = paused || this.#paused ? 'PAUSED' : this.running().includes(job.id) ? 'ACQUIRED' : 'NORMAL'
    return { job: job.id, state, next, last: last ?? undefined, start: job.start, end: job.end }
  }

  async pauseAll(paused: boolean): Promise<void> {
    this.#paused = paused
    await this.tick()
  }

  async pause(job: Job, paused: boolean): Promise<void> {
    await this.#update(job, (progress) => ({ ...progress, paused }))
    await this.tick()
  }

  /** Runs the job now, whatever its schedule. */
  trigger(job: Job): void {
    this.#run(job)
  }

  /** Fires all jobs that are due, and sets the timer for the next one. */
  tick(): Promise<void> {
    return this.#turn.run(() =>
      this.#fireDue().catch((error) => {
        this.#options.log('error', `the scheduler: ${asProblem(error).message}; it goes on later`)
        this.#timer.set(this.#now() + 1000)
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#timer[Symbol.dispose]()
    await this.idle()
  }

  /** Waits for what is running. */
  async idle(): Promise<void> {
    await this.#turn.idle()
    await Promise.all(this.#running.values())
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  async #fireDue(): Promise<void> {
    if (this.#closed || this.#paused || !this.#started) return
    let soonest = Number.POSITIVE_INFINITY
    for (const job of this.all()) {
      if (!job.enabled) continue
      const next = await this.#fireIfDue(job)
      if (next !== undefined) soonest = Math.min(soonest, next)
    }
    this.#timer.set(soonest)
  }

  /** Returns when the job is due next. */
  async #fireIfDue(job: Job): Promise<number | undefined> {
    const now = this.#now()
    const before = await this.#goingOn(job, now)
    const { next, paused } = before
    if (paused || next === null) return undefined
    if (next > now) return next
    // The server was not running, or the previous run of the job took too long.
    const misfired = now - next > punctual
    const busy = !job.concurrent && (this.#running.has(job.id) || (await this.#runsElsewhere(before)))
    // While its previous run is active, the job stays due. All missed runs become one, when that ends.
    if (busy && job.misfire === 'fireAndProceed') return now + 1000
    const runs = !busy && (!misfired || job.misfire === 'fireAndProceed')
    const lease = runs ? await this.#options.locks?.ownLease() : undefined
    const claimed = await this.#update(job, (progress) => {
      if (progress.next !== next) return undefined
      const fired = progress.fired + (runs ? 1 : 0)
      const due = nextDue(job, now, { first: progress.first, fired: progress.fired + 1 }) ?? null
      const running = runs ? { running: true, ...(lease && { runner: lease.name }) } : {}
      return { ...progress, fired, last: runs ? now : progress.last, next: due, counted: now, ...running }
    })
    if (claimed && runs) this.#run(job)
    return (await this.#progress(job)).next ?? undefined
  }

  /** The progress; counted anew from now if the clock was set back, or the job would wait until it shows the old time again. */
  async #goingOn(job: Job, now: number): Promise<Progress> {
    const before = await this.#progress(job)
    const anew = setBack(job, before, now)
    if (!anew) return before
    await this.#update(job, (progress) => setBack(job, progress, now))
    this.#options.log('warn', `schedule ${job.id}: the clock was set back; it is counted anew from now`)
    return this.#progress(job)
  }

  /** True while another live process runs the job. */
  async #runsElsewhere({ running, runner }: Progress): Promise<boolean> {
    const { locks } = this.#options
    if (!running || !locks || typeof runner !== 'string') return false
    return runner !== (await locks.ownLease()).name && (await locks.holder(runner)) !== undefined
  }

  #run(job: Job): void {
    const key = job.concurrent ? `${job.id}\n${timeOrderedId()}` : job.id
    const before = this.#running.get(key) ?? Promise.resolve()
    const work = before
      .then(() => this.#perform(job))
      .finally(() => {
        if (this.#running.get(key) === work) this.#running.delete(key)
      })
    this.#running.set(key, work)
  }

  async #perform(job: Job): Promise<void> {
    const { services, log, during = (work) => work() } = this.#options
    const request: RequestContext = {
      external: false,
      userId: 'scheduler',
      roles: ['system'],
      trigger: 'schedule',
      transactionId: timeOrderedId(),
    }
    const began = this.#now()
    let problem: Problem | undefined
    try {
      await during(() => services[job.service](job.context, request))
    } catch (error) {
      problem = asProblem(error)
      log('error', `schedule ${job.id}: ${problem.message}`)
    }
    try {
      await this.#update(job, (progress) => ({ ...progress, running: false }))
      await this.#record(job, request, this.#now() - began, problem)
    } catch (error) {
      log('error', `schedule ${job.id}: its run could not be recorded: ${asProblem(error).message}`)
    }
  }

  /** `audit/access` (platform §8). */
  async #record(
    job: Job,
    { transactionId, userId, roles }: RequestContext,
    elapsed: number,
    problem?: Problem,
  ): Promise<void> {
    const event = auditEvent.access({
      userId,
      transactionId,
      roles,
      timestamp: new Date(this.#now()).toISOString(),
      operation: 'ScheduledTask',
      detail: { id: job.id, service: job.service },
      elapsed,
      succeeded: !problem,
      statusCode: problem?.status ?? null,
      reason: problem?.message,
    })
    await this.#options.repository.audit.append([event])
  }

  /** A run that died with its process is run again where the job is recoverable. */
  async #recoverRun(job: Job): Promise<void> {
    const progress = await this.#progress(job)
    if (!progress.running || (await this.#runsElsewhere(progress))) return
    await this.#update(job, (progress) => ({ ...progress, running: false }))
    if (job.recoverable && job.enabled) this.#run(job)
  }

  async #forget(id: string): Promise<void> {
    const known = await this.#stored(id)
    if (known)
      await this.#options.repository.objects.write(triggers, [{ operation: 'delete', id, rev: known._rev }])
  }

  async #stored(id: string): Promise<StoredObject | undefined> {
    return (await this.#options.repository.objects.read(triggers, [id])).get(id)
  }

  async #progress(job: Job): Promise<Progress> {
    const stored = await this.#stored(job.id)
    // A schedule that was changed while no server ran begins anew.
    const known = progressIn(stored)
    if (known && JSON.stringify(stored?.schedule) === JSON.stringify(scheduleOf(job))) return known
    const first = this.#now()
    const next = nextDue(job, first - 1, { first, fired: 0 }) ?? null
    const progress = { first, fired: 0, last: null, next, paused: false, running: false, counted: first }
    await this.#write(job, stored, progress)
    return progress
  }

  /** False if another process was faster, or `change` wants nothing changed. */
  async #update(job: Job, change: (progress: Progress) => Progress | undefined): Promise<boolean> {
    await this.#progress(job)
    const stored = await this.#stored(job.id)
    const known = progressIn(stored)
    const next = known && change(known)
    return next !== undefined && this.#write(job, stored, next)
  }

  async #write(job: Job, stored: StoredObject | undefined, progress: Progress): Promise<boolean> {
    const content = { schedule: scheduleOf(job), progress }
    const [outcome] = await this.#options.repository.objects.write(triggers, [
      stored
        ? { operation: 'update', id: job.id, rev: stored._rev, content }
        : { operation: 'create', id: job.id, content },
    ])
    return outcome?.ok === true
  }
}

/**
 * The progress after the clock was set back by more than a correction; undefined if it was not. A trigger that is counted from when
 * it began begins again.
 */
function setBack(job: Job, progress: Progress, now: number): Progress | undefined {
  const { first, fired, next, counted } = progress
  if (next === null || (counted ?? first) - now <= punctual) return undefined
  const begun = Math.min(first, now)
  return { ...progress, first: begun, next: nextDue(job, now, { first: begun, fired }) ?? null, counted: now }
}

/** The part of a job that decides when it runs. */
function scheduleOf({ content }: Job): JsonObject {
  const { type, schedule, repeatInterval, repeatCount, startTime, endTime, timeZone } = content
  const configured = { type, schedule, repeatInterval, repeatCount, startTime, endTime, timeZone }
  return JSON.parse(JSON.stringify(configured))
}

function progressIn(stored: StoredObject | undefined): Progress | undefined {
  return isProgress(stored?.progress) ? stored.progress : undefined
}

/** Nothing else writes it, so two members are enough to recognize it. */
function isProgress(value: Json | undefined): value is Progress {
  return isJsonObject(value) && typeof value.first === 'number' && typeof value.fired === 'number'
}
