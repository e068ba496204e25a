/** Things shared by several states of the configuration: opened once, closed when the last user releases them. */
export class RefCounted<Thing extends AsyncDisposable> {
  readonly #open = new Map<string, { readonly thing: Promise<Thing>; users: number }>()

  /** The thing with this key, until the user releases it. All waiting users get a failure to open, which is not cached. */
  async use(key: string, open: () => Promise<Thing>): Promise<Use<Thing>> {
    const entry = this.#open.get(key) ?? { thing: open(), users: 0 }
    this.#open.set(key, entry)
    entry.users++
    const release = async () => {
      entry.users--
      if (entry.users > 0) return
      if (this.#open.get(key) === entry) this.#open.delete(key)
      await (await entry.thing)[Symbol.asyncDispose]()
    }
    try {
      return { thing: await entry.thing, [Symbol.asyncDispose]: release }
    } catch (error) {
      if (this.#open.get(key) === entry) this.#open.delete(key)
      throw error
    }
  }
}

export interface Use<Thing> extends AsyncDisposable {
  readonly thing: Thing
}
