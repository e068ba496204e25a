/**
 * Single operations of this process that are running, by the id under which they write intents: these are not left over
 * (recover.ts).
 */
export class ActiveOperations {
  readonly #ids = new Set<string>()

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  async during<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#ids.add(id)
    try {
      return await work()
    } finally {
      this.#ids.delete(id)
    }
  }
}
