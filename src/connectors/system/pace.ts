import type { Json, JsonObject } from '../../model/json.ts'
import { asObject } from '../../model/json.ts'
import { ConnectorError, misconfigured } from '../kit/errors.ts'
import type { Clock } from '../kit/kind.ts'
import { isWrite, type Operation, type OperationName } from './operation.ts'

/** How many requests a system gets. Rates are requests in a second. */
export interface Rates {
  readonly byOperation?: Readonly<Record<string, number>>
  /** Of all that only reads, together; and of all writes. */
  readonly reads?: number | undefined
  readonly writes?: number | undefined
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `30/sec`, `100/min`, `5000/hour`, or a number, which is requests in a second. */
export function rateOf(value: Json | undefined, place: readonly string[]): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number' && value > 0) return value
  const [, count = '', unit = ''] =
    /^\s*(\d+(?:\.\d+)?)\s*\/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$/i.exec(String(value)) ?? []
  const rate = Number(count) / (units[unit.charAt(0).toLowerCase()] ?? Number.NaN)
  if (rate > 0) return rate
  throw misconfigured(place, `is ${JSON.stringify(value)}; a rate is written as 30/sec, 100/min or 5000/hour`)
}

/** `operationRateLimits`, and `readRateLimit` and `writeRateLimit` of `resilience`. */
export function ratesOf({ operationRateLimits, resilience }: JsonObject): Rates {
  const rates = Object.entries(asObject(operationRateLimits)).flatMap(([name, value]) => {
    const rate = rateOf(value, ['operationRateLimits', name])
    return rate === undefined ? [] : [[name, rate] as const]
  })
  const { readRateLimit, writeRateLimit } = asObject(resilience)
  return {
    byOperation: Object.fromEntries(rates),
    reads: rateOf(readRateLimit, ['resilience', 'readRateLimit']),
    writes: rateOf(writeRateLimit, ['resilience', 'writeRateLimit']),
  }
}

/**
 * Lets requests go at the allowed rates. What a system says of when it takes requests again holds for all of them, except a
 * test.
 */
export class Pace {
  readonly #rates: Rates
  readonly #clock: Clock
  /** When each limit allows its next request. */
  readonly #free = new Map<string, number>()
  #heldUntil = 0

  constructor(rates: Rates, clock: Clock) {
    this.#rates = rates
    this.#clock = clock
  }

  /** The system takes no requests for so many milliseconds. */
  hold(milliseconds: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.now() + milliseconds)
  }

  /** Resolves when this request may be made. One that would have to wait longer than `patience` for a held system fails as `busy`. */
  async turn({ name, requests = 1 }: Operation, patience: number, signal?: AbortSignal): Promise<void> {
    const now = this.#clock.now()
    let due = now
    for (const [limit, rate] of this.#limitsOf(name)) {
      const free = Math.max(now, this.#free.get(limit) ?? now)
      this.#free.set(limit, free + (requests * 1000) / rate)
      due = Math.max(due, free)
    }
    if (due > now) await this.#clock.sleep(due - now, signal)
    if (name === 'TEST') return
    for (let wait = this.#held(); wait > 0; wait = this.#held()) {
      if (wait > patience) {
        const message = `The system takes no requests for another ${Math.ceil(wait / 1000)} s, as it says itself`
        throw new ConnectorError('busy', message, { retryAfter: wait })
      }
      await this.#clock.sleep(wait, signal)
    }
  }

  #held(): number {
    return this.#heldUntil - this.#clock.now()
  }

  *#limitsOf(name: OperationName): Iterable<readonly [limit: string, rate: number]> {
    const { byOperation = {}, reads, writes } = this.#rates
    const own = byOperation[name]
    if (own !== undefined) yield [name, own]
    const group = isWrite(name) ? writes : reads
    if (group !== undefined) yield [isWrite(name) ? 'writes' : 'reads', group]
  }
}
