/** Runs at most so many works at a time; the others wait in the order in which they came. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count = Number.POSITIVE_INFINITY) {
    this.#free = Math.max(1, count)
  }

  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#take(signal)
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return
    }
    const turn = Promise.withResolvers<void>()
    const leave = () => {
      const place = this.#waiting.indexOf(turn.resolve)
      // A turn that was given already is not given back.
      if (place >= 0) this.#waiting.splice(place, 1)
      turn.reject(signal?.reason)
    }
    this.#waiting.push(turn.resolve)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      await turn.promise
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }
}
