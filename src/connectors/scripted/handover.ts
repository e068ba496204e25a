/**
 * Hands pages from one who makes them to one who reads them; the maker waits until a page has been taken, so that there is
 * never more than one.
 */
export class Handover<T> {
  #page: T | undefined
  #taken = Promise.withResolvers<boolean>()
  #ready = Promise.withResolvers<void>()
  #isEnded = false

  /** False: nobody wants more. */
  async put(page: T): Promise<boolean> {
    if (this.#isEnded) return false
    this.#page = page
    this.#taken = Promise.withResolvers()
    this.#ready.resolve()
    return this.#taken.promise
  }

  /** No more pages come, or none is wanted. */
  end(): void {
    this.#isEnded = true
    this.#taken.resolve(false)
    this.#ready.resolve()
  }

  async *pages(): AsyncGenerator<T> {
    for (;;) {
      await this.#ready.promise
      const page = this.#page
      this.#page = undefined
      if (page === undefined) return
      this.#ready = Promise.withResolvers()
      // A maker that ends with its last page has no other.
      if (this.#isEnded) this.#ready.resolve()
      yield page
      this.#taken.resolve(true)
    }
  }
}
