/** One piece of work at a time, in the order of asking. The failure of one is its caller's, and stops no other. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  /** Resolves when everything asked for until now is done. Never rejects. */
  async idle(): Promise<void> {
    await this.#last
  }
}
