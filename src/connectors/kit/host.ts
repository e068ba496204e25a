import { setTimeout as sleep } from 'node:timers/promises'
import { steadyTime } from '../../kit/clock.ts'
import { type Clock, type ConnectorHost, defaultPool } from './kind.ts'

export const systemClock: Clock = {
  now: steadyTime,
  async sleep(milliseconds, signal) {
    try {
      // A longer timer would fire at once.
      await sleep(Math.min(milliseconds, 2 ** 31 - 1), undefined, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}

/** A host for a connector outside a server: in tests and other programs. */
export function standaloneHost(given: Partial<ConnectorHost> = {}): ConnectorHost {
  return {
    projectFolder: process.cwd(),
    log: () => undefined,
    clock: systemClock,
    signal: new AbortController().signal,
    pool: defaultPool,
    stateFolder: undefined,
    ...given,
  }
}
