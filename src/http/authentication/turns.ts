import { Mutex } from '../../kit/mutex.ts'

/** One piece of work at a time for each key; those of other keys do not wait. Nothing is kept of keys without work. */
export class Turns {
  readonly #of = new Map<string, { readonly mutex: Mutex; waiting: number }>()

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = this.#of.get(key) ?? { mutex: new Mutex(), waiting: 0 }
    this.#of.set(key, turn)
    turn.waiting++
    try {
      return await turn.mutex.run(work)
    } finally {
      turn.waiting--
      if (turn.waiting === 0) this.#of.delete(key)
    }
  }
}
