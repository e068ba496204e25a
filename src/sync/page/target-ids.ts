/**
 * The ids that a run's target query returned, and which of them no operation has dealt with yet. Ids only, never
 * objects: two hash tables over the same strings, about 100 bytes an id.
 */
export class TargetIds {
  readonly #normal: (id: string) => string
  /** Normalized → as the target spells it: links may hold the lower-case form only. */
  readonly #known = new Map<string, string>()
  readonly #remaining = new Set<string>()

  constructor(normal: (id: string) => string) {
    this.#normal = normal
  }

  get size(): number {
    return this.#known.size
  }

  get remainingCount(): number {
    return this.#remaining.size
  }

  add(id: string): void {
    const key = this.#normal(id)
    this.#known.set(key, id)
    this.#remaining.add(key)
  }

  /** Marks all ids as not handled again: after planning, the run now does the work. */
  startOver(): void {
    for (const key of this.#known.keys()) this.#remaining.add(key)
  }

  has(id: string): boolean {
    return this.#known.has(this.#normal(id))
  }

  /** The id in the target's own spelling (engine §5.4, [D]). */
  spelling(id: string): string {
    return this.#known.get(this.#normal(id)) ?? id
  }

  handled(id: string): void {
    this.#remaining.delete(this.#normal(id))
  }

  /** What is left, in pages, in the order of the target query. */
  *remaining(pageSize: number): Iterable<readonly string[]> {
    let page: string[] = []
    for (const key of this.#remaining) {
      page.push(this.#known.get(key) ?? key)
      if (page.length === pageSize) {
        yield page
        page = []
      }
    }
    if (page.length > 0) yield page
  }
}
