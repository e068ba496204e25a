import type { Pool } from '../kit/pool.ts'
import type { Session } from './dialect.ts'

/** A new connection, once it is ready for work; closed if that fails, or is given up. */
export async function opened<S extends Session>(
  session: S,
  signal: AbortSignal,
  prepare: (session: S) => Promise<unknown>,
): Promise<S> {
  const stop = () => void session.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await prepare(session)
  } catch (error) {
    await session.close()
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return session
}

/** A connection for the time of a stream, which is longer than one call. */
export interface Lease {
  readonly session: Session
  end(): Promise<void>
}

export async function leaseOf(pool: Pool<Session>, signal?: AbortSignal): Promise<Lease> {
  const got = Promise.withResolvers<Session>()
  const done = Promise.withResolvers<void>()
  const use = pool.use(
    async (session, both) => {
      got.resolve(session)
      const stop = () => void session.close()
      both.addEventListener('abort', stop, { once: true })
      try {
        await Promise.race([done.promise, aborted(both)])
      } finally {
        both.removeEventListener('abort', stop)
      }
    },
    { signal },
  )
  use.catch(got.reject)
  const session = await got.promise
  return {
    session,
    async end() {
      done.resolve()
      await use.catch(() => undefined)
    },
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
