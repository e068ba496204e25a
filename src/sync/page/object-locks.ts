import { Problem } from '../../model/problem.ts'

/**
 * Who works on which object (engine §7.2, [D]): reconciliations, single operations and changes that come
 * in meanwhile take turns, object by object. Keys are those of `lockKey`. All keys of a page are taken at once and in
 * the order of asking, so nobody waits in a circle. Within this process; two processes are kept apart by run-lock.ts
 * and, where it comes to that, by the uniqueness of links.
 */
export class ObjectLocks {
  /** Who came last for a key, settled when they are done. */
  readonly #last = new Map<string, Promise<void>>()
  readonly #watches = new Set<Watch>()

  /**
   * Does `work` when nobody else has any of the keys, and tells the watches of others that these were touched.
   * UNAVAILABLE if it takes longer than `patience` ms: then somebody may be waiting for what the caller holds.
   */
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
      // Whoever asked after us still waits for those before us.
      turn.then(leave)
      throw error
    }
    try {
      return await work()
    } finally {
      for (const watch of this.#watches) if (watch !== own) watch.touch(keys)
      leave()
    }
  }

  /** Remembers, from now on, which objects others worked on: what was read of these before is not to be relied on. */
  watch(): Watch {
    const watch = new Watch(() => this.#watches.delete(watch))
    this.#watches.add(watch)
    return watch
  }
}

export interface HoldOptions {
  /** Of the caller: what he does himself is not news to him. */
  readonly own?: Watch | undefined
  /** For how many milliseconds to wait; absent: as long as it takes. */
  readonly patience?: number | undefined
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const message = `somebody else has been working on the object for ${milliseconds / 1000} s`
    reject(new Problem('UNAVAILABLE', message, { hint: 'Try again.' }))
  }, milliseconds)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

export class Watch {
  readonly #touched = new Set<string>()
  readonly #end: () => void

  constructor(end: () => void) {
    this.#end = end
  }

  touch(keys: readonly string[]): void {
    for (const key of keys) this.#touched.add(key)
  }

  touched(key: string): boolean {
    return this.#touched.has(key)
  }

  [Symbol.dispose](): void {
    this.#end()
  }
}

/** One object of one link set under one qualifier; `sourceId` as links compare it. */
export function lockKey(linkType: string, linkQualifier: string, sourceId: string): string {
  return JSON.stringify([linkType, linkQualifier, sourceId])
}
