import type { SyncToken } from '../../../router/resources.ts'
import type { NotifyOutcome } from '../implicit/implicit-sync.ts'
import { type FailureReason, reasonOf } from '../implicit/result.ts'
import type { Delta } from './brakes.ts'
import type { Stage } from './state.ts'

export interface PassSteps {
  /** Takes a change through its mappings. */
  readonly notify: (change: Delta) => Promise<NotifyOutcome>
  /** The same for several ones at once, as they are now. */
  readonly notifyTogether: (changes: readonly Delta[]) => Promise<readonly NotifyOutcome[]>
  /** Records what became of a change; answers how far the pass has come. */
  readonly settle: (change: Delta, outcome: NotifyOutcome, stage: Stage) => Promise<Stage>
  readonly store: (stage: Stage) => Promise<unknown>
}

/** How many changes wait for the others; those behind fail at once. Deletes are not counted: they have no object. */
const mostWaiting = 10_000

/**
 * The changes of one liveSync, so that their order does not decide (engine §9, [D]): creates and updates as they come, then
 * deletes, then once more what another object stood in the way of. A delete that is found by correlation under a new id, or is
 * there in another spelling, is none. As long as something waits, the token stays before it.
 */
export class Pass {
  readonly #steps: PassSteps
  readonly #deletes: Delta[] = []
  readonly #lost: Delta[] = []
  /** Sources that are gone, whose targets correlation found for others: id → the other's id. */
  readonly #kept = new Map<string, string>()
  #stage: Stage
  #reached: SyncToken | null

  constructor(stage: Stage, steps: PassSteps) {
    this.#stage = stage
    this.#reached = stage.token
    this.#steps = steps
  }

  /** The next change. Answers where the pass has stopped; undefined: it goes on. */
  async take(change: Delta): Promise<Stage | undefined> {
    this.#reached = change.token ?? this.#reached
    if (change.kind === 'DELETE') {
      this.#deletes.push(change)
      return undefined
    }
    const outcome = await this.#steps.notify(change)
    const reasons = reasonsOf(outcome)
    for (const { keeps } of reasons) if (keeps !== undefined) this.#kept.set(keeps, change.id)
    if (reasons.some(({ lost }) => lost) && this.#lost.length < mostWaiting) {
      this.#lost.push(change)
      return undefined
    }
    return this.#settle(change, outcome)
  }

  /** There are no more. `token`: where the next pass begins; absent: after the last change. */
  async end(token: SyncToken | null = this.#reached): Promise<Stage> {
    for (const change of this.#deletes) {
      const stopped = await this.#settle(change, await this.#delete(change))
      if (stopped) return stopped
    }
    const outcomes = this.#lost.length > 0 ? await this.#steps.notifyTogether(this.#lost) : []
    for (const [place, change] of this.#lost.entries()) {
      const stopped = await this.#settle(change, outcomes[place] ?? { success: false, results: [] })
      if (stopped) return stopped
    }
    return { token, unreadable: this.#stage.unreadable }
  }

  /** What correlation has found for another source is not deleted: its link may still be carried over. */
  async #delete(change: Delta): Promise<NotifyOutcome> {
    const other = this.#kept.get(change.id)
    if (other === undefined) return this.#steps.notify(change)
    const message = `it is gone, but its target stays: correlation finds it for ${other}, which is not linked to it`
    const cause = { code: 409, reason: 'Conflict', message, detail: null }
    return { success: false, results: [{ sourceId: change.id, result: 'FAILED', cause }] }
  }

  async #settle(change: Delta, outcome: NotifyOutcome): Promise<Stage | undefined> {
    const next = await this.#steps.settle(change, outcome, this.#stage)
    if (next.lastException) return next
    const waits = this.#deletes.length + this.#lost.length > 0
    // What is given up is remembered only as long as it would be repeated.
    const { token, retry } = this.#stage
    const stage: Stage = waits
      ? { ...next, token, retry: next.retry ?? retry }
      : { ...next, leftOut: undefined }
    if (JSON.stringify(stage) !== JSON.stringify(this.#stage)) await this.#steps.store(stage)
    this.#stage = stage
    return undefined
  }
}

function reasonsOf({ results }: NotifyOutcome): readonly FailureReason[] {
  return results.flatMap((result) => reasonOf(result) ?? [])
}
