import { asProblem, type Problem } from '../../../model/problem.ts'
import type { QueuedEvent } from '../../../repository/sync-queue.ts'
import type { RequestContext } from '../../../router/resources.ts'
import type { Rules } from '../../page/rules.ts'
import { recover } from '../../reconciliation/recover.ts'
import type { SyncServices } from '../../services.ts'
import { synchronizeChanges } from '../implicit/implicit-sync.ts'
import { failedResult } from '../implicit/result.ts'
import { failureOf, type NotifyOutcome } from '../notify.ts'
import { giveUp } from './give-up.ts'
import { changeIn, inState, requestIn } from './queued-change.ts'

export interface ChangeQueueOptions extends SyncServices {
  /** True for runs and single operations that some process works on. */
  readonly isActive: (runId: string, worker: string) => Promise<boolean>
  /** Around all work: what it works with stays until it is done. */
  readonly during?: <T>(work: () => Promise<T>) => Promise<T>
}

/** A change is recorded for those who made it; what carries it on is the server's own work. */
const ownWork: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 'queue' }

/**
 * Works the changes that wait (engine §8.5): those of one object strictly in order, those of different objects
 * beside one another. What fails is tried again, later each time; what has failed too often is given up as the
 * mapping says. Nothing is lost if the process dies: an event leaves the store when it is done, and doing it again does no
 * harm.
 */
export class ChangeQueue implements AsyncDisposable {
  readonly #options: ChangeQueueOptions
  readonly #lines = new Map<string, Line>()
  #started = false
  #closed = false

  constructor(options: ChangeQueueOptions) {
    this.#options = options
  }

  /** Begins with what an earlier process has left. Until then changes only wait. */
  async start(): Promise<void> {
    this.#started = true
    await this.#options.repository.syncQueue.releaseHeld()
    this.reconfigured()
  }

  /** There may be other mappings now, with changes that wait for them. */
  reconfigured(): void {
    for (const mapping of this.#options.mappings()) if (mapping.changes.queue) this.wake(mapping.name)
  }

  /** Something new waits for the mapping. */
  wake(mapping: string): void {
    if (this.#closed || !this.#started) return
    const line = this.#lines.get(mapping) ?? new Line(this.#options, mapping)
    this.#lines.set(mapping, line)
    line.wake()
  }

  /** Waits until nothing is left that could be done now. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.settled()))
  }

  /** What is under way is finished; the rest stays for the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#lines.values()].map((line) => line.close()))
  }
}

/** Changes of different objects that were claimed under a lease of this process. */
interface Claimed {
  readonly events: readonly QueuedEvent[]
  readonly epoch: number
}

/** The waiting changes of one mapping. */
class Line {
  readonly #options: ChangeQueueOptions
  readonly #mapping: string
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()
  #isWoken = false
  #closed = false

  constructor(options: ChangeQueueOptions, mapping: string) {
    this.#options = options
    this.#mapping = mapping
  }

  wake(): void {
    if (this.#isWoken || this.#closed) return
    this.#isWoken = true
    const { during = (work) => work() } = this.#options
    this.#turn = this.#turn.then(() => during(() => this.#work()))
  }

  async settled(): Promise<void> {
    await this.#turn
    if (this.#isWoken) await this.settled()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#turn
  }

  async #work(): Promise<void> {
    const { log } = this.#options
    try {
      while (!this.#closed) {
        this.#isWoken = false
        const rules = await this.#usableRules()
        const settings = rules?.mapping.changes.queue
        if (!rules || !settings) return this.#later(1000)
        const { epoch } = await this.#options.locks.ownLease()
        const events = await this.#claim(epoch, settings.pageSize)
        if (events.length === 0) return await this.#whenDue(settings.pollingInterval)
        const unsettled = await this.#settleLeftovers(rules).then(() => undefined, asProblem)
        if (unsettled) await this.#allFailed({ events, epoch }, rules, unsettled)
        else await this.#carryOn({ events, epoch }, rules)
      }
    } catch (error) {
      log(
        'error',
        `${this.#mapping}: the queue of changes stopped: ${asProblem(error).message}; it goes on later`,
      )
      this.#later(1000)
    }
  }

  /** Undefined while the source or the target of the mapping is not there: then nothing is worked, and nothing counts as failed. */
  async #usableRules(): Promise<Rules | undefined> {
    return this.#options.rulesOf(this.#mapping).catch(() => undefined)
  }

  /** Several processes may work the changes of one mapping: those of one object are given to one at a time. */
  #claim(epoch: number, pageSize: number): Promise<readonly QueuedEvent[]> {
    const { syncQueue } = this.#options.repository
    return syncQueue.claim(this.#mapping, { epoch, now: Date.now() }, pageSize)
  }

  /** A write that broke off has its link before the change is tried again, or it would be made twice. */
  async #settleLeftovers({ mapping }: Rules): Promise<void> {
    const { repository, resources, log } = this.#options
    const { type } = mapping.links
    if ((await repository.intents.list(type, 1)).length === 0) return
    await recover({ repository, resources: resources(), isActive: this.#options.isActive, log }, type)
  }

  /** The events are of different objects, so they go together, as a page of a run does. */
  async #carryOn({ events, epoch }: Claimed, rules: Rules): Promise<void> {
    const flows = events.map((event) => ({
      event: changeIn(event),
      mappings: [rules.mapping],
      request: requestIn(event),
      // Later changes of its object may have been carried on while it was a dead letter: it must not undo them.
      readsAfresh: event.content.revived === true,
    }))
    const outcomes = await synchronizeChanges(this.#options, flows, ownWork)
    const done = events.filter((_event, place) => outcomes[place]?.success)
    if (done.length > 0)
      await this.#options.repository.syncQueue.finish(
        done.map(({ id }) => id),
        epoch,
      )
    for (const [place, event] of events.entries()) {
      const outcome = outcomes[place]
      if (outcome && !outcome.success) await this.#failed({ event, epoch }, rules, outcome)
    }
  }

  /** As long as the target cannot be read, it is unknown what became of a write that broke off: nothing can be done. */
  async #allFailed({ events, epoch }: Claimed, rules: Rules, problem: Problem): Promise<void> {
    for (const event of events) {
      const results = [failedResult(rules.mapping, changeIn(event).id, problem)]
      await this.#failed({ event, epoch }, rules, { success: false, results })
    }
  }

  async #failed(
    { event, epoch }: { readonly event: QueuedEvent; readonly epoch: number },
    rules: Rules,
    { results }: NotifyOutcome,
  ): Promise<void> {
    const change = changeIn(event)
    const settings = rules.mapping.changes.queue
    const attempts = event.attempts + 1
    const lastError = String(failureOf({ results })?.message ?? 'failed')
    const tried = inState(event, { attempts, lastError })
    const { log, repository } = this.#options
    const about = `${this.#mapping}: ${change.container}/${change.id}: ${lastError}`
    if (settings?.maxRetries !== undefined && attempts > settings.maxRetries) {
      log('warn', `${about}; given up after ${attempts} tries`)
      return giveUp({ event: tried, epoch, rules, results }, this.#options)
    }
    const delay = backoff(attempts, settings?.retryDelay ?? 1000)
    if (attempts === 1) log('warn', `${about}; it is tried again`)
    await repository.syncQueue.putBack([inState(tried, { due: Date.now() + delay })], epoch)
  }

  async #whenDue(pollingInterval: number): Promise<void> {
    const due = await this.#options.repository.syncQueue.nextDue(this.#mapping)
    if (this.#isWoken) return this.#again()
    this.#later(
      due === undefined ? pollingInterval : Math.min(pollingInterval, Math.max(1, due - Date.now())),
    )
  }

  #again(): void {
    this.#isWoken = false
    this.wake()
  }

  #later(delay: number): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => this.wake(), delay).unref()
  }
}

/** No try is put off longer than this, in ms. */
const longest = 5 * 60_000

/**
 * How long to wait after the `attempts`th failure, in ms: twice as long each time, and a little more or less than that, so
 * that what failed together does not come back together.
 */
export function backoff(attempts: number, delay: number, random: () => number = Math.random): number {
  const grown = Math.min(longest, delay * 2 ** Math.min(attempts - 1, 30))
  return Math.round(grown * (0.8 + 0.4 * random()))
}
