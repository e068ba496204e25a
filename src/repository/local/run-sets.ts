import type { RunSet, RunSets } from '../run-sets.ts'

/** In the memory of this process, for runs that end where they began. */
export function localRunSets(): RunSets {
  return { open: async (_run, _name, normal) => new LocalRunSet(normal) }
}

/** Two hash tables over the same strings, about 100 bytes an id when all are handled. */
class LocalRunSet implements RunSet {
  readonly #normal: (id: string) => string
  /** Normalized → as it was added. */
  readonly #known = new Map<string, string>()
  readonly #handled = new Set<string>()

  constructor(normal: (id: string) => string) {
    this.#normal = normal
  }

  async size(): Promise<number> {
    return this.#known.size
  }

  async add(ids: readonly string[]): Promise<readonly string[]> {
    return ids.filter((id) => {
      const key = this.#normal(id)
      if (this.#known.has(key)) return false
      this.#known.set(key, id)
      return true
    })
  }

  async known(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    for (const id of ids) {
      const spelling = this.#known.get(this.#normal(id))
      if (spelling !== undefined) found.set(id, spelling)
    }
    return found
  }

  async handle(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const key = this.#normal(id)
      if (this.#known.has(key)) this.#handled.add(key)
    }
  }

  async remainingCount(): Promise<number> {
    return this.#known.size - this.#handled.size
  }

  async *remaining(pageSize: number): AsyncIterable<readonly string[]> {
    let page: string[] = []
    for (const [key, id] of this.#known) {
      if (this.#handled.has(key)) continue
      page.push(id)
      if (page.length === pageSize) {
        yield page
        page = []
      }
    }
    if (page.length > 0) yield page
  }

  async startOver(): Promise<void> {
    this.#handled.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#known.clear()
    this.#handled.clear()
  }
}
