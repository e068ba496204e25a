import { ConnectorError } from '../kit/errors.ts'
import { systemClock } from '../kit/host.ts'
import type { Clock, Resilience } from '../kit/kind.ts'
import { breakerOf, LeftAlone } from './breaker.ts'
import { failureOf, isWrite, type Operation, type OperationName } from './operation.ts'
import { Pace, type Rates } from './pace.ts'
import { Slots } from './slots.ts'

export interface CallLimits extends Resilience {
  readonly rates?: Rates
}

/** The work of a call; the signal is that of its caller, and aborted at the timeout. */
type Work<T> = (signal: AbortSignal | undefined) => Promise<T>

/**
 * The rules for every call of a connector: rate limits, how many at a time, timeout (platform §4.1), retries,
 * circuit breaker, and the naming of failures (platform §4.7). What may have taken effect is not repeated here (see
 * send-writes.ts).
 */
export class Calls {
  readonly #limits: CallLimits
  readonly #clock: Clock
  readonly #random: () => number
  readonly #breaker: ReturnType<typeof breakerOf>
  readonly #pace: Pace
  readonly #slots: Slots

  /** `random`, between 0 and 1, spreads the retries of many callers. */
  constructor(limits: CallLimits = {}, clock: Clock = systemClock, random: () => number = Math.random) {
    this.#limits = limits
    this.#clock = clock
    this.#random = random
    this.#breaker = breakerOf(limits, clock)
    this.#pace = new Pace(limits.rates ?? {}, clock)
    this.#slots = new Slots(limits.concurrency)
  }

  /** So many objects of a page are written side by side. */
  get writesAtOnce(): number {
    return this.#limits.writesAtOnce ?? 1
  }

  /** Calls the connector; a call that ignores its signal is abandoned after the timeout. */
  async call<T>(operation: Operation, signal: AbortSignal | undefined, work: Work<T>): Promise<T> {
    return named(operation, signal, () => this.#attempts(operation, signal, work))
  }

  /**
   * A stream of pages: only the time of the connector counts, not that of the reader. Its first page is
   * retried, a later one is not. Returns what the connector's stream returns.
   */
  async *stream<T, R>(
    operation: Operation,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal) => AsyncIterable<T, R>,
  ): AsyncGenerator<T, R | undefined> {
    let running = begin(start, signal)
    let left = operation.timeout
    let isWaiting = false
    const next = async () => {
      const asked = performance.now()
      isWaiting = true
      const result = await once({ ...operation, timeout: left }, signal, () => running.pages.next())
      isWaiting = false
      if (left !== undefined) left = Math.max(1, left - (performance.now() - asked))
      return result
    }
    const first = () =>
      this.#attempts(operation, signal, () => {
        // A failed iterator is finished: calling it again would look like the end of the listing.
        if (running.isAsked) {
          giveUp(running)
          running = begin(start, signal)
        }
        running.isAsked = true
        left = operation.timeout
        return next()
      })
    try {
      let result = await named(operation, signal, first)
      while (!result.done) {
        yield result.value
        result = await named(operation, signal, next)
      }
      return result.value
    } finally {
      // A silent iterator would let its reader wait for ever.
      if (isWaiting) giveUp(running)
      else {
        running.stop.abort()
        await running.pages.return?.()
      }
    }
  }

  /**
   * Waits before what failed with this error may be done again, and returns true; false where it has failed often enough, or the
   * failure does not pass. Whether it may be done at all is for the caller to know.
   */
  async waitsAfter(error: unknown, failures: number, signal?: AbortSignal): Promise<boolean> {
    const delay = delayAfter(error, failures, this.#limits, this.#random())
    if (delay === undefined || signal?.aborted) return false
    await this.#clock.sleep(delay, signal)
    return true
  }

  async #attempts<T>(operation: Operation, signal: AbortSignal | undefined, work: Work<T>): Promise<T> {
    const { longestDelay = standardDelay } = this.#limits
    for (let failures = 0; ; failures++) {
      await this.#pace.turn(operation, longestDelay, signal)
      try {
        return await this.#slots.run(signal, () =>
          this.#breaker(operation.name, () => once(operation, signal, work)),
        )
      } catch (error) {
        this.heed(error)
        if (!repeatable.has(operation.name) || !(await this.waitsAfter(error, failures, signal))) throw error
      }
    }
  }

  /** When a system asks to be left alone for some time, all calls leave it alone. */
  heed(error: unknown): void {
    if (!(error instanceof ConnectorError) || error instanceof LeftAlone) return
    if (error.kind === 'busy' && error.retryAfter !== undefined) this.#pace.hold(error.retryAfter)
  }
}

async function named<T>(
  operation: Operation,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    signal?.throwIfAborted()
    throw failureOf(error, operation)
  }
}

interface Running<T, R> {
  readonly pages: AsyncIterator<T, R>
  readonly stop: AbortController
  isAsked: boolean
}

function begin<T, R>(
  start: (signal: AbortSignal) => AsyncIterable<T, R>,
  signal: AbortSignal | undefined,
): Running<T, R> {
  const stop = new AbortController()
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  return { pages: start(both)[Symbol.asyncIterator](), stop, isAsked: false }
}

/** Does not wait. */
function giveUp<T, R>({ pages, stop }: Running<T, R>): void {
  stop.abort()
  pages.return?.().catch(() => undefined)
}

/** One call within its time. */
async function once<T>(
  { system, name, timeout }: Operation,
  signal: AbortSignal | undefined,
  work: Work<T>,
): Promise<T> {
  signal?.throwIfAborted()
  if (timeout === undefined) return work(signal)
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const outcome = isWrite(name) ? '; whether it was done is unknown' : ''
      const fact = `The system ${system} took longer than the operationTimeout of ${name} allows${outcome}`
      const error = new ConnectorError('timeout', fact, { detail: { timeout } })
      reject(error)
      stop.abort(error)
    }, timeout)
  })
  try {
    return await Promise.race([work(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal), timedOut])
  } finally {
    clearTimeout(timer)
  }
}

/** Only reads can be repeated; a login counts against the account, and a test must show the present state. */
const repeatable: ReadonlySet<OperationName> = new Set(['GET', 'SEARCH', 'SCHEMA', 'SYNC'])

const standardDelay = 30_000

function delayAfter(
  error: unknown,
  failures: number,
  { retries = 0, firstDelay = 500, longestDelay = standardDelay }: CallLimits,
  random: number,
): number | undefined {
  if (failures >= retries) return undefined
  if (!(error instanceof ConnectorError) || error instanceof LeftAlone) return undefined
  if (!['connection', 'timeout', 'busy', 'conflict'].includes(error.kind)) return undefined
  // The system's own delay is best, but the wait is limited.
  if (error.retryAfter !== undefined)
    return error.retryAfter <= longestDelay ? error.retryAfter + firstDelay * random : undefined
  // A part is fixed, so that no retry comes at once.
  return (Math.min(firstDelay * 2 ** failures, longestDelay) / 2) * (1 + random)
}
