/** The longest timer, in milliseconds: clocks are corrected, and Node limits the length of timers. */
const longestSleep = 60_000

/**
 * Calls back at a time, or earlier if that time is far away: the callback checks the clock whether something is due and
 * sets the timer again. Does not keep the process alive.
 */
export class Timer implements Disposable {
  readonly #ring: () => void
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #disposed = false

  constructor(ring: () => void, now: () => number = Date.now) {
    this.#ring = ring
    this.#now = now
  }

  /** `due`: milliseconds since 1970; Infinity: nothing is expected. Replaces the previous time. */
  set(due: number): void {
    clearTimeout(this.#timer)
    if (this.#disposed) return
    const delay = Number.isFinite(due) ? due - this.#now() : longestSleep
    this.#timer = setTimeout(this.#ring, Math.min(longestSleep, Math.max(1, delay))).unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    clearTimeout(this.#timer)
  }
}
