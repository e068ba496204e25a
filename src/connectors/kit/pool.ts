import { ConnectorError } from './errors.ts'
import type { Clock } from './kind.ts'

/**
 * Reuses connections that are expensive to open: never more than `max`, never one shared by two callers,
 * and never one that has failed.
 */
export interface PoolOptions<T> {
  open(signal: AbortSignal): Promise<T>
  close(connection: T): Promise<void>
  /** False or a failure: the connection is closed, and another is used. Absent: every idle connection is valid. */
  validate?(connection: T, signal: AbortSignal): Promise<boolean>
  readonly max: number
  /** So many stay open, even when idle for long. */
  readonly min?: number
  /** Milliseconds after which an idle connection is closed, when the pool is used next or `sweep` is called. */
  readonly idleTime?: number
  /** Milliseconds to wait for a connection while all are in use. */
  readonly patience: number
  readonly clock: Clock
}

interface Idle<T> {
  readonly connection: T
  readonly since: number
}

export class Pool<T> implements AsyncDisposable {
  readonly #options: PoolOptions<T>
  /** The one used last is used next, so that the others reach their idle limit. */
  readonly #idle: Idle<T>[] = []
  /** Each wakes its caller: a connection may be available, check again. */
  readonly #waiting: (() => void)[] = []
  readonly #closed = new AbortController()
  /** Connections in use, being opened, or being closed. */
  #busy = 0
  #whenEmpty: (() => void) | undefined

  constructor(options: PoolOptions<T>) {
    this.#options = options
  }

  get size(): number {
    return this.#busy + this.#idle.length
  }

  /**
   * Works with an exclusive connection. If the work fails in a way that breaks it (`isBroken`), the
   * connection is closed.
   */
  async use<R>(
    work: (connection: T, signal: AbortSignal) => Promise<R>,
    { signal, isBroken = () => true }: UseOptions = {},
  ): Promise<R> {
    const both = signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal
    const connection = await this.#acquire(both)
    let isGood = false
    try {
      const result = await work(connection, both)
      isGood = true
      return result
    } catch (error) {
      isGood = !both.aborted && !isBroken(error)
      throw error
    } finally {
      await this.#release(connection, isGood)
    }
  }

  /** Closes connections that have been idle for too long. */
  async sweep(): Promise<void> {
    const { min = 0, idleTime = Number.POSITIVE_INFINITY, clock } = this.#options
    const limit = clock.now() - idleTime
    while (this.size > min && (this.#idle[0]?.since ?? Number.POSITIVE_INFINITY) <= limit) {
      const oldest = this.#idle.shift()
      if (oldest) await this.#discard(oldest.connection)
    }
  }

  /** Aborts the work in progress, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new ConnectorError('connection', 'The connections have been closed'))
    for (const { connection } of this.#idle.splice(0)) await this.#discard(connection)
    if (this.#busy > 0)
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve
      })
  }

  async #acquire(signal: AbortSignal): Promise<T> {
    const deadline = this.#options.clock.now() + this.#options.patience
    try {
      for (let isFirst = true; ; isFirst = false) {
        const connection = await this.#take(signal)
        if (connection !== undefined) return connection.connection
        await this.#turn(deadline, isFirst, signal)
      }
    } catch (error) {
      // This waiter may have been woken.
      this.#waiting.shift()?.()
      throw error
    }
  }

  /** Undefined while all are in use. */
  async #take(signal: AbortSignal): Promise<{ readonly connection: T } | undefined> {
    for (;;) {
      signal.throwIfAborted()
      await this.sweep()
      signal.throwIfAborted()
      const idle = this.#idle.pop()
      if (idle) {
        this.#busy++
        if (await this.#isGood(idle.connection, signal)) return idle
        this.#busy--
        await this.#discard(idle.connection)
      } else return this.#busy < this.#options.max ? { connection: await this.#open(signal) } : undefined
    }
  }

  async #open(signal: AbortSignal): Promise<T> {
    this.#busy++
    try {
      const connection = await this.#options.open(signal)
      if (!signal.aborted) return connection
      await this.#options.close(connection).catch(() => undefined)
      signal.throwIfAborted()
      return connection
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  async #isGood(connection: T, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#options.validate?.(connection, signal)) ?? true
    } catch {
      return false
    }
  }

  async #release(connection: T, isGood: boolean): Promise<void> {
    if (isGood && !this.#closed.signal.aborted) {
      this.#idle.push({ connection, since: this.#options.clock.now() })
      this.#leave()
      return
    }
    this.#busy--
    await this.#discard(connection)
  }

  /** A connection counts until it is closed: the system may not accept one more. */
  async #discard(connection: T): Promise<void> {
    this.#busy++
    try {
      await this.#options.close(connection)
    } catch {
      // It is discarded anyway.
    } finally {
      this.#leave()
    }
  }

  #leave(): void {
    this.#busy--
    this.#waiting.shift()?.()
    if (this.#busy === 0) this.#whenEmpty?.()
  }

  /** Resolves when a connection may be available; first come, first served. */
  async #turn(deadline: number, isFirst: boolean, signal: AbortSignal): Promise<void> {
    const { clock, max, patience } = this.#options
    const left = deadline - clock.now()
    const tooLate = () =>
      new ConnectorError('busy', `All ${max} connections are in use, for more than ${patience} ms`)
    if (left <= 0) throw tooLate()
    const done = new AbortController()
    const woken = Promise.withResolvers<void>()
    // A waiter that was woken in vain keeps its place.
    if (isFirst) this.#waiting.push(woken.resolve)
    else this.#waiting.unshift(woken.resolve)
    try {
      const late = clock
        .sleep(left, AbortSignal.any([signal, done.signal]))
        .then(() => Promise.reject(tooLate()))
      late.catch(() => undefined)
      await Promise.race([woken.promise, late])
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      const place = this.#waiting.indexOf(woken.resolve)
      if (place >= 0) this.#waiting.splice(place, 1)
      done.abort()
    }
  }
}

export interface UseOptions {
  readonly signal?: AbortSignal | undefined
  /** False for failures that leave the connection usable: the system refused, but still responds. */
  readonly isBroken?: (error: unknown) => boolean
}
