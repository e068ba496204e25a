/** Runs one piece of work at a time, in the order of the calls. A failure goes to its caller and does not stop the others. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  /** Resolves when all work submitted so far is done. Never rejects. */
  async idle(): Promise<void> {
    await this.#last
  }
}
