/**
 * States of something that is replaced while it is in use. Work that begins under one state may continue under it, and may
 * also use later ones. So a state is disposed of when all work that began under it, or under an earlier one, has ended.
 */
export class Generations<State extends AsyncDisposable> implements AsyncDisposable {
  /** Oldest first; the last one is current. */
  readonly #known: { readonly state: State; users: number }[]
  #clearing: Promise<void> = Promise.resolve()

  constructor(...first: readonly State[]) {
    this.#known = first.map((state) => ({ state, users: 0 }))
  }

  get current(): State {
    return this.#latest().state
  }

  /** The current state, and all later ones, stay open until `work` is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const generation = this.#latest()
    generation.users++
    try {
      return await work()
    } finally {
      generation.users--
      if (generation.users === 0) this.#clear()
    }
  }

  /** Makes `next` the current state: new work begins under it. */
  replace(next: State): void {
    this.#known.push({ state: next, users: 0 })
    this.#clear()
  }

  /** Does not wait: the caller has made sure that no work is active. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clearing
    for (const { state } of this.#known.splice(0)) await state[Symbol.asyncDispose]()
  }

  #latest() {
    const latest = this.#known.at(-1)
    if (!latest) throw new Error('used before there was a state, or after it was disposed of')
    return latest
  }

  #clear(): void {
    while (this.#known.length > 1 && this.#known[0]?.users === 0) {
      const retired = this.#known.shift()
      this.#clearing = this.#clearing.then(() => retired?.state[Symbol.asyncDispose]())
    }
  }
}
