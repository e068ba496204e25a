import { Mutex } from '../../../kit/mutex.ts'
import { Timer } from '../../../kit/timer.ts'
import type { JsonObject } from '../../../model/json.ts'
import { asProblem } from '../../../model/problem.ts'
import type { Issue } from '../../../repository/issues.ts'
import { type Claimant, longestWait, type QueuedEvent } from '../../../repository/sync-queue.ts'
import type { RequestContext } from '../../../router/resources.ts'
import { deadLetterIssue, reportLetter } from '../../issues/issue.ts'
import type { Rules } from '../../page/rules.ts'
import { recover } from '../../reconciliation/recover.ts'
import type { SyncServices } from '../../services.ts'
import { failedIn, failureOf, type NotifyOutcome, synchronizeChanges } from '../implicit/implicit-sync.ts'
import { failedResult, heldBackBy, reasonOf } from '../implicit/result.ts'
import { reportHeldBack } from './held-back.ts'
import { changeIn, heldBack, inState, requestIn } from './queued-change.ts'

interface ChangeQueueOptions extends SyncServices {
  /** True for runs and single operations that some process works on. */
  readonly isActive: (runId: string, worker: string) => Promise<boolean>
}

/** A change is recorded for those who made it; to synchronize it is the server's own work. */
const ownWork: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 'queue' }

/**
 * Works the changes that wait (engine §8.5), those of one object strictly in order. What fails is tried again, later each
 * time; after that the mapping's `postRetryAction` says whether it is dropped, kept as a dead letter or handed to a script.
 * Nothing is lost if the process dies: an event leaves the store when it is done, and doing it again does no harm.
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
    for (const { name } of this.#options.mappings()) this.wake(name)
  }

  /** Something new waits for the mapping. */
  wake(mapping: string): void {
    if (this.#closed || !this.#started) return
    const line = this.#lines.get(mapping) ?? new Line(this.#options, mapping)
    this.#lines.set(mapping, line)
    line.wake()
  }

  /** Works what is due of one mapping now, in a process that has not started: what else waits is left to others. */
  async work(mapping: string): Promise<void> {
    if (this.#closed || this.#started) return this.wake(mapping)
    await using line = new Line(this.#options, mapping)
    line.wake()
    await line.idle()
  }

  /** Waits until nothing is left that could be done now. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.idle()))
  }

  /** What is running is finished; the rest stays for the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#lines.values()].map((line) => line[Symbol.asyncDispose]()))
  }
}

/** The waiting changes of one mapping. */
class Line implements AsyncDisposable {
  readonly #options: ChangeQueueOptions
  readonly #mapping: string
  readonly #timer = new Timer(() => this.wake())
  readonly #turns = new Mutex()
  /** Events that wait because another object has what theirs wants: they are tried along with whatever comes next. */
  readonly #contested = new Set<string>()
  #isWoken = false
  #closed = false

  constructor(options: ChangeQueueOptions, mapping: string) {
    this.#options = options
    this.#mapping = mapping
  }

  wake(): void {
    if (this.#isWoken || this.#closed) return
    this.#isWoken = true
    void this.#turns.run(() => this.#options.during(() => this.#work()))
  }

  async idle(): Promise<void> {
    await this.#turns.idle()
    if (this.#isWoken) await this.idle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#timer[Symbol.dispose]()
    await this.#turns.idle()
  }

  async #work(): Promise<void> {
    const { repository, locks, log } = this.#options
    try {
      while (!this.#closed) {
        this.#isWoken = false
        // As long as the source or the target of the mapping is not there, nothing is worked, and nothing counts as failed.
        const rules = await this.#options.rulesOf(this.#mapping).catch(() => undefined)
        if (!rules) return this.#timer.in(1000)
        const { queue } = rules.mapping.changes
        const { epoch } = await locks.ownLease()
        // Several processes may work the changes of one mapping: those of one object are given to one at a time.
        const claimant = { epoch, now: Date.now() }
        const events = await repository.syncQueue.claim(
          this.#mapping,
          claimant,
          queue?.pageSize ?? releasedTogether,
          [...this.#contested],
        )
        if (events.length === 0) return await this.#whenDue(queue?.pollingInterval)
        await this.#synchronize(events, claimant, rules)
      }
    } catch (error) {
      const why = asProblem(error).message
      log('error', `${this.#mapping}: the queue of changes stopped: ${why}; it goes on later`)
      this.#timer.in(1000)
    }
  }

  /** Events of different objects, which go together as a page of a run does. */
  async #synchronize(events: readonly QueuedEvent[], { epoch, now }: Claimant, rules: Rules): Promise<void> {
    const { repository } = this.#options
    const { syncQueue } = repository
    const outcomes = await this.#outcomesOf(events, rules)
    const why = (place: number) => heldBackBy(outcomes[place]?.results ?? [])
    const held = events.flatMap((event, place) => {
      const reason = why(place)
      return reason === undefined ? [] : [heldBack(event, reason)]
    })
    if (held.length > 0) {
      const first = String(held[0]?.content.lastError)
      await repository.transaction(async (store) => {
        await store.syncQueue.putBack(held, epoch)
        await reportHeldBack(store, this.#mapping, first)
      })
      this.#options.log(
        'warn',
        `${this.#mapping}: ${held.length} changes wait to be released, see syncline issues: ${first}`,
      )
    }
    const isHeld = (place: number) => why(place) !== undefined
    const done = events
      .filter((_event, place) => outcomes[place]?.success && !isHeld(place))
      .map(({ id }) => id)
    if (done.length > 0) await syncQueue.finish(done, epoch)
    for (const [place, event] of events.entries()) {
      const outcome = outcomes[place]
      const cameEarly = this.#contested.has(event.id) && event.due > now
      if (!isContested(outcome)) this.#contested.delete(event.id)
      else if (this.#contested.size < mostContested) this.#contested.add(event.id)
      if (outcome?.success || isHeld(place)) continue
      if (cameEarly) {
        // That was no try of its own.
        await syncQueue.putBack([event], epoch)
        continue
      }
      const result = failedIn(outcome ?? { results: [] })
      const failed = await this.#failed(event, rules, failureOf(outcome ?? { results: [] }))
      if (failed?.state === 'DEAD')
        await repository.transaction(async (store) => {
          await store.syncQueue.putBack([failed], epoch)
          await reportLetter(store, letterOf(failed, result))
        })
      else if (failed) await syncQueue.putBack([failed], epoch)
      else await syncQueue.finish([event.id], epoch)
    }
  }

  async #outcomesOf(events: readonly QueuedEvent[], rules: Rules): Promise<readonly NotifyOutcome[]> {
    const { mapping } = rules
    try {
      await this.#recover(mapping.links.type)
    } catch (error) {
      // As long as the target cannot be read, it is unknown what became of a write that broke off: nothing can be done.
      const failed = (id: string) => [failedResult(mapping, id, asProblem(error))]
      return events.map((event) => ({ success: false, results: failed(changeIn(event).id) }))
    }
    const flows = events.map((event) => ({
      event: changeIn(event),
      mappings: [mapping],
      request: requestIn(event),
      // Later changes of its object may have been synchronized while it was a dead letter: it must not undo them.
      readsAfresh: event.content.revived === true,
      queued: true,
      released: event.content.released !== undefined,
    }))
    return synchronizeChanges(this.#options, flows, ownWork)
  }

  /** A write that broke off has its link before the change is tried again, or it would be made twice. */
  async #recover(linkType: string): Promise<void> {
    const { repository, resources, isActive, log } = this.#options
    if ((await repository.intents.list(linkType, 1)).length === 0) return
    await recover({ repository, resources: resources(), isActive, log }, linkType)
  }

  /** The event as it goes back into the queue; undefined if it is dropped. */
  async #failed(
    event: QueuedEvent,
    rules: Rules,
    cause: JsonObject | undefined,
  ): Promise<QueuedEvent | undefined> {
    const { log } = this.#options
    const { container, id } = changeIn(event)
    const { maxRetries, retryDelay = 1000, postRetryAction: action } = rules.mapping.changes.queue ?? {}
    const attempts = event.attempts + 1
    const lastError = String(cause?.message ?? 'failed')
    const tried = inState(event, { attempts, lastError })
    const about = `${this.#mapping}: ${container}/${id}: ${lastError}`
    if (maxRetries === undefined || attempts <= maxRetries) {
      if (attempts === 1) log('warn', `${about}; it is tried again`)
      return inState(tried, { due: Date.now() + backoff(attempts, retryDelay) })
    }
    log('warn', `${about}; given up after ${attempts} tries`)
    const deadLetter = inState(tried, { state: 'DEAD' })
    if (action?.kind === 'dead-letter-queue') return deadLetter
    if (action?.kind !== 'script') return undefined
    const variables = { syncFailure: tried.content, failureCause: cause ?? null }
    const call = { script: action.script, variables }
    const [outcome] = await rules.ask('postAction', [call], { request: requestIn(tried) })
    if (outcome?.ok) return undefined
    // Nothing is lost.
    const why = asProblem(outcome?.error).message
    log('error', `${this.#mapping}: the postRetryAction script failed: ${why}`)
    return deadLetter
  }

  /** Without an interval, of a mapping that has no queue of its own, only what was released is waited for. */
  async #whenDue(pollingInterval: number | undefined): Promise<void> {
    const due = await this.#options.repository.syncQueue.nextDue(this.#mapping)
    if (!this.#isWoken) {
      const wait = Math.min(pollingInterval ?? Infinity, (due ?? Infinity) - Date.now())
      if (wait < Infinity) this.#timer.in(wait)
      return
    }
    this.#isWoken = false
    this.wake()
  }
}

/** The case of a change that was given up. */
function letterOf(event: QueuedEvent, result: JsonObject | undefined): Issue {
  const { container: source, id: sourceId } = changeIn(event)
  return deadLetterIssue(String(event.content.lastError), {
    ...{ path: `sync/queue/${event.id}`, source, sourceId, attempts: event.attempts },
    failed: { ...result, mapping: event.mapping },
  })
}

/** How many are remembered, so that they are tried along with others. */
const mostContested = 1000

/** True if another object has what the change wants: it may succeed together with the change of that one. */
function isContested(outcome: NotifyOutcome | undefined): boolean {
  return outcome?.results.some((result) => reasonOf(result)?.lost) === true
}

/** How many released changes of a mapping without a queue are worked together. */
const releasedTogether = 100

/** The longest wait before another try, in ms, without its random part. */
const longest = longestWait / 1.2

/**
 * The wait after the `attempts`th failure, in ms: twice as long each time, with a random part that spreads what failed
 * together.
 */
export function backoff(attempts: number, delay: number, random: () => number = Math.random): number {
  const grown = Math.min(longest, delay * 2 ** Math.min(attempts - 1, 30))
  return Math.round(grown * (0.8 + 0.4 * random()))
}
