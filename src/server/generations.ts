/**
 * States of something that is replaced while it is in use. What begins under one state may go on under it, and may meet later ones
 * on its way; so a state is disposed of when nothing is left that began while it, or an earlier one, was current.
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

  /** What is current now, and what becomes so meanwhile, stays until `work` is done. */
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

  /** What begins from now on begins under `next`. */
  replace(next: State): void {
    this.#known.push({ state: next, users: 0 })
    this.#clear()
  }

  /** Waits for nothing: whoever disposes has seen to it that nothing is under way. */
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
