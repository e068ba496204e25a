import { clockOffset, hasJumped } from './clock.ts'

/** The longest timer, in milliseconds: whoever waits looks again whether something has changed. */
const longestSleep = 60_000
/** How long a jump of the clock may stay unnoticed. */
const slice = 1_000

/**
 * Calls back after a while, or earlier if that is far away or the clock of the machine has jumped: the callback checks whether
 * something is due and sets the timer again. The wait itself is measured by a clock that cannot jump. Does not keep the process
 * alive.
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
    this.in(due - this.#now())
  }

  /** In so many milliseconds, whatever happens to the clock. */
  in(delay: number): void {
    clearTimeout(this.#timer)
    if (this.#disposed) return
    const wait = Math.min(longestSleep, Math.max(1, delay))
    this.#sleep(performance.now() + wait, clockOffset())
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    clearTimeout(this.#timer)
  }

  /** `end` by `performance.now`. */
  #sleep(end: number, offset: number): void {
    const left = Math.max(1, end - performance.now())
    this.#timer = setTimeout(
      () => {
        if (performance.now() >= end || hasJumped(offset)) this.#ring()
        else this.#sleep(end, offset)
      },
      Math.min(slice, left),
    ).unref()
  }
}
