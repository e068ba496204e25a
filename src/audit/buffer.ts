import type { Log } from '../kit/log.ts'
import { Mutex } from '../kit/mutex.ts'
import { asProblem } from '../model/problem.ts'
import type { AuditEvent } from '../repository/audit.ts'

export interface BufferOptions {
  readonly append: (events: readonly AuditEvent[]) => Promise<void>
  readonly log: Log
  /** How long events are collected before they are stored, in ms. */
  readonly interval?: number
}

/** The maximum number of waiting events, so that a store that cannot be written does not fill the memory. */
const maximum = 100_000

/**
 * Collects events of requests and stores them in batches, so that no request waits for its record. A normal stop stores
 * them all; a crash loses the last ones. If the store fails, it is tried again.
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
    if (this.#waiting.length >= maximum) this.#lost++
    else this.#waiting.push(event)
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.interval ?? 100)
  }

  /** When this resolves, all events added so far are stored, if the store works. */
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
