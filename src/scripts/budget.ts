import { Problem } from '../model/problem.ts'

/**
 * What the scripts of one input may ask of the server. Their own time is limited by the isolate; this limits how long they
 * wait, how often they call and how much they log, so that no script keeps a page, a connection or the log for ever.
 */
export interface Limits {
  /** Milliseconds from the first call on. */
  readonly total: number
  readonly calls: number
  /** Characters. */
  readonly log: number
}

export const usualLimits: Limits = { total: 600_000, calls: 100_000, log: 1 << 20 }

interface Spent {
  readonly since: number
  calls: number
  logged: number
}

export class Budget {
  readonly #limits: Limits
  readonly #inputs = new Map<number, Spent>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** One call of the input at `position`. SCRIPT_TIMEOUT if it is one too many, or is not answered in time. */
  async call<T>(position: number, work: () => Promise<T>): Promise<T> {
    const { total } = this.#limits
    const spent = this.count(position)
    const left = spent.since + total - performance.now()
    const late = () => over(`waited for its calls for more than ${total} ms in all`)
    if (left <= 0) throw late()
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(late()), left)
    try {
      return await Promise.race([work(), promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** One call that may take as long as it likes: whoever answers it limits its time. */
  count(position: number): Spent {
    const spent = this.#of(position)
    if (++spent.calls > this.#limits.calls) throw over(`made more than ${this.#limits.calls} calls`)
    return spent
  }

  /** As much of `message` as the input at `position` may still log; undefined: nothing. */
  loggable(position: number, message: string): string | undefined {
    const spent = this.#of(position)
    const left = this.#limits.log - spent.logged
    if (left < 0) return undefined
    spent.logged += message.length
    if (message.length <= left) return message
    return `${message.slice(0, left)}… (an object's scripts may log ${this.#limits.log} characters; the rest is left out)`
  }

  #of(position: number): Spent {
    const known = this.#inputs.get(position)
    if (known) return known
    const spent = { since: performance.now(), calls: 0, logged: 0 }
    this.#inputs.set(position, spent)
    return spent
  }
}

function over(what: string): Problem {
  return new Problem('SCRIPT_TIMEOUT', `the script ${what} and was stopped`)
}
