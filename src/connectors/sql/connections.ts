import { Problem } from '../../model/problem.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Clock, PoolLimits } from '../kit/kind.ts'
import { Pool } from '../kit/pool.ts'
import type { Dialect, Session } from './dialect.ts'
import { type Lease, leaseOf } from './lease.ts'

/** A stream keeps a connection while others read and write; with fewer than these it could keep the last one. */
const roomForStreams = 4

export interface ConnectionLimits {
  readonly pool: PoolLimits
  /** Run before an idle connection is used. */
  readonly validationQuery: string | undefined
}

/** The connections to one database, as its errors are told. */
export class Connections implements AsyncDisposable {
  readonly dialect: Dialect
  readonly #pool: Pool<Session>
  /** True where a stream would keep writers waiting, or would take the last connection. */
  readonly inPages: boolean

  constructor(dialect: Dialect, { pool, validationQuery }: ConnectionLimits, clock: Clock) {
    this.dialect = dialect
    this.inPages = dialect.readingLocks || pool.max < roomForStreams
    this.#pool = new Pool<Session>({
      ...pool,
      max: Math.min(pool.max, dialect.connections ?? pool.max),
      clock,
      open: (signal) => dialect.connect(signal),
      close: (session) => session.close(),
      validate: async (session) => {
        if (session.isClosed) return false
        if (validationQuery !== undefined) await session.rows(validationQuery)
        return true
      },
    })
  }

  /** An aborted call leaves its connection at once; but a page that writes decides for itself until when. */
  async use<T>(
    work: (session: Session, signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
    isWriting = false,
  ): Promise<T> {
    const attempt = async (session: Session, both: AbortSignal) => {
      const stop = () => void session.close()
      if (!isWriting) both.addEventListener('abort', stop, { once: true })
      try {
        return await work(session, both)
      } finally {
        both.removeEventListener('abort', stop)
      }
    }
    try {
      return await this.#pool.use(attempt, { signal, isBroken: (error) => this.#isBroken(error) })
    } catch (error) {
      signal?.throwIfAborted()
      throw error instanceof Problem ? error : this.dialect.errorOf(error)
    }
  }

  /** A connection for the time of a stream. */
  lease(signal?: AbortSignal): Promise<Lease> {
    return leaseOf(this.#pool, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]()
  }

  #isBroken(error: unknown): boolean {
    if (error instanceof Problem && !(error instanceof ConnectorError)) return false
    return ['connection', 'timeout', 'failed'].includes(this.dialect.errorOf(error).kind)
  }
}
