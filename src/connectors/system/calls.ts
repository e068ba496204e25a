import { ConnectorError, connectorError } from '../kit/errors.ts'
import { systemClock } from '../kit/host.ts'
import type { Clock, Resilience } from '../kit/kind.ts'
import { failureOf, isWrite, type Operation, type OperationName } from './operation.ts'

export interface CallLimits extends Resilience {
  /** Requests in a second, by operation. */
  readonly rates?: Partial<Record<OperationName, number>>
}

/** The work of a call; the signal is that of its caller, and aborted at the timeout. */
type Work<T> = (signal: AbortSignal | undefined) => Promise<T>

/**
 * The rules for every call of a connector: rate limit, timeout (platform §4.1), retries,
 * circuit breaker, and the naming of failures (platform §4.7).
 */
export class Calls {
  readonly #limits: CallLimits
  readonly #clock: Clock
  readonly #random: () => number
  readonly #breaker: ReturnType<typeof breakerOf>
  readonly #pace: ReturnType<typeof paceOf>

  /** `random`, between 0 and 1, spreads the retries of many callers. */
  constructor(limits: CallLimits = {}, clock: Clock = systemClock, random: () => number = Math.random) {
    this.#limits = limits
    this.#clock = clock
    this.#random = random
    this.#breaker = breakerOf(limits, clock)
    this.#pace = paceOf(limits.rates ?? {}, clock)
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

  async #attempts<T>(operation: Operation, signal: AbortSignal | undefined, work: Work<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      await this.#pace(operation, signal)
      try {
        return await this.#breaker(() => once(operation, signal, work))
      } catch (error) {
        const delay = delayAfter(error, operation, failures, this.#limits, this.#random())
        if (delay === undefined || signal?.aborted) throw error
        await this.#clock.sleep(delay, signal)
      }
    }
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

function delayAfter(
  error: unknown,
  { name }: Operation,
  failures: number,
  { retries = 0, firstDelay = 500, longestDelay = 30_000 }: CallLimits,
  random: number,
): number | undefined {
  if (failures >= retries || !repeatable.has(name)) return undefined
  if (!(error instanceof ConnectorError) || error instanceof LeftAlone) return undefined
  if (!['connection', 'timeout', 'busy'].includes(error.kind)) return undefined
  // The system's own delay is best, but the wait is limited.
  if (error.retryAfter !== undefined)
    return error.retryAfter <= longestDelay ? error.retryAfter + firstDelay * random : undefined
  // A part is fixed, so that no retry comes at once.
  return (Math.min(firstDelay * 2 ** failures, longestDelay) / 2) * (1 + random)
}

/** The system gets no requests at present. */
class LeftAlone extends ConnectorError {}

/**
 * After so many connection failures in a row, calls are refused for a while; then one call is tried, and shows whether
 * the others may follow.
 */
function breakerOf({ breakAfter = 0, breakFor = 30_000 }: CallLimits, clock: Clock) {
  let failures = 0
  let closedUntil = 0
  let isTrying = false
  return async <T>(work: () => Promise<T>): Promise<T> => {
    const isBroken = breakAfter > 0 && failures >= breakAfter
    if (isBroken && (isTrying || clock.now() < closedUntil)) {
      const fact = `The system did not answer ${breakAfter} times in a row; it is asked again after ${breakFor} ms`
      throw new LeftAlone('busy', fact, { retryAfter: Math.max(0, closedUntil - clock.now()) })
    }
    isTrying = isBroken
    try {
      const result = await work()
      failures = 0
      return result
    } catch (thrown) {
      const error = connectorError(thrown)
      if (isLost(error)) closedUntil = ++failures >= breakAfter ? clock.now() + breakFor : 0
      // The system has responded, even if it refused; other failures do not show that.
      else if (!(error instanceof ConnectorError) || error.kind !== 'failed') failures = 0
      throw error
    } finally {
      if (isBroken) isTrying = false
    }
  }
}

function isLost(error: Error): boolean {
  return error instanceof ConnectorError && (error.kind === 'connection' || error.kind === 'timeout')
}

/** Makes a function that resolves when the next request may be made. */
function paceOf(rates: Partial<Record<OperationName, number>>, clock: Clock) {
  const free = new Map<OperationName, number>()
  return async ({ name, requests = 1 }: Operation, signal: AbortSignal | undefined): Promise<void> => {
    const rate = rates[name]
    if (rate === undefined) return
    const now = clock.now()
    const due = Math.max(now, free.get(name) ?? now)
    free.set(name, due + (requests * 1000) / rate)
    if (due > now) await clock.sleep(due - now, signal)
  }
}
