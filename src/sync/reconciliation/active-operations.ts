/**
 * Single operations that this process is working on, by the id under which they write down what they are about to do: what
 * they wrote down is not left over from a process that ended (recover.ts).
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
