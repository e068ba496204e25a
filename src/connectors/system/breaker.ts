import { ConnectorError, connectorError } from '../kit/errors.ts'
import type { Clock, Resilience } from '../kit/kind.ts'
import type { OperationName } from './operation.ts'

/** The system gets no requests at present. */
export class LeftAlone extends ConnectorError {}

/**
 * After so many connection failures in a row, calls are refused for a while; then one call is tried, and shows whether
 * the others may follow. A test is always tried: it must show the present state, and who has repaired the system lets the others
 * follow by it.
 */
export function breakerOf({ breakAfter = 0, breakFor = 30_000 }: Resilience, clock: Clock) {
  let failures = 0
  let closedUntil = 0
  let isTrying = false
  return async <T>(name: OperationName, work: () => Promise<T>): Promise<T> => {
    const isBroken = breakAfter > 0 && failures >= breakAfter
    if (isBroken && name !== 'TEST' && (isTrying || clock.now() < closedUntil)) {
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
