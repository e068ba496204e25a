import type { Log } from '../kit/log.ts'
import { Mutex } from '../kit/mutex.ts'
import { asProblem } from '../model/problem.ts'
import type { AuditEvent } from '../repository/repository.ts'

export interface BufferOptions {
  readonly append: (events: readonly AuditEvent[]) => Promise<void>
  readonly log: Log
  /** How long an event waits for others, in ms. */
  readonly interval?: number
}

/** As many wait at the most: a store that cannot be written to does not fill the memory. */
const most = 100_000

/**
 * Events of requests, stored some at a time, so that no request waits for its own record. An orderly stop stores them all; a
 * process that dies loses those of the last moment. A store that fails is tried again.
 */
export class EventBuffer implements AsyncDisposable {
  readonly #options: BufferOptions
  #waiting: AuditEvent[] = []
  #lost = 0
  #hasFailed = false
  #timer: NodeJS.Timeout | undefined
  readonly #turn = new Mutex()

  constructor(options: BufferOptions) {
    this.#options = options
  }

  add(event: AuditEvent): void {
    if (this.#waiting.length >= most) this.#lost++
    else this.#waiting.push(event)
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.interval ?? 100)
  }

  /** What was added by now is stored when this resolves, if it can be. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    return this.#turn.run(() => this.#store())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
    clearTimeout(this.#timer)
  }

  async #store(): Promise<void> {
    const events = this.#waiting
    if (events.length === 0) return
    this.#waiting = []
    const { append, log } = this.#options
    try {
      await append(events)
      if (this.#lost > 0) log('error', `audit: ${this.#lost} events of requests could not be kept`)
      this.#lost = 0
      this.#hasFailed = false
    } catch (error) {
      this.#waiting = [...events, ...this.#waiting]
      if (!this.#hasFailed)
        log(
          'error',
          `audit: events of requests are not stored: ${asProblem(error).message}; it is tried again`,
        )
      this.#hasFailed = true
      this.#timer ??= setTimeout(() => void this.flush(), 1000).unref()
    }
  }
}
