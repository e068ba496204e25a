import { Problem } from '../../model/problem.ts'
import type { HoldOptions, Watch } from '../locks.ts'

/** Keys that are held within this process. */
export class KeyLocks {
  /** The last holder of each key; resolved when it is done. */
  readonly #last = new Map<string, Promise<void>>()
  /** Each with the keys of which it has been notified. */
  readonly #watches = new Map<Watch, Set<string>>()

  async hold<T>(
    keys: readonly string[],
    work: () => Promise<T>,
    { own, patience }: HoldOptions = {},
  ): Promise<T> {
    const { promise: done, resolve: release } = Promise.withResolvers<void>()
    const before = keys.map((key) => this.#last.get(key))
    for (const key of keys) this.#last.set(key, done)
    const turn = Promise.all(before)
    const leave = () => {
      for (const key of keys) if (this.#last.get(key) === done) this.#last.delete(key)
      release()
    }
    try {
      await (patience === undefined ? turn : within(patience, turn))
    } catch (error) {
      // Later requests still wait for those before us.
      turn.then(leave)
      throw error
    }
    try {
      return await work()
    } finally {
      for (const [watch, touched] of this.#watches)
        if (watch !== own) for (const key of keys) touched.add(key)
      leave()
    }
  }

  watch(): Watch {
    const touched = new Set<string>()
    const watch: Watch = {
      touched: (key) => touched.has(key),
      [Symbol.dispose]: () => this.#watches.delete(watch),
    }
    this.#watches.set(watch, touched)
    return watch
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const message = `another request has been working on the object for ${milliseconds / 1000} s`
    reject(new Problem('UNAVAILABLE', message, { hint: 'Try again.' }))
  }, milliseconds)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
