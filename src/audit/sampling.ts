/**
 * Which requests of unknown callers are recorded. They cost the caller nothing, so that recording all of them would let anybody fill
 * the store: after a burst, so many an hour, and how many were left out in between. Requests of known users are all recorded.
 */
export class Sampling {
  readonly #now: () => number
  #left = burst
  #filled: number
  #leftOut = 0

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#filled = now()
  }

  /** How many were left out since the last one that was recorded; undefined: this one is left out, too. */
  take(): number | undefined {
    const now = this.#now()
    this.#left = Math.min(burst, this.#left + ((now - this.#filled) * perHour) / 3_600_000)
    this.#filled = now
    if (this.#left < 1) {
      this.#leftOut++
      return undefined
    }
    this.#left--
    const leftOut = this.#leftOut
    this.#leftOut = 0
    return leftOut
  }
}

const burst = 500
const perHour = 600

/** Of a text that an unknown caller sent. */
export function shortened(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`
}

const longest = 500
