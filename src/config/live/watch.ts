import { setTimeout } from 'node:timers/promises'

/**
 * Polls a stamp, and calls back when it stays the same: an editor may need more than one write. Polling,
 * because file system notifications are unreliable over networks and in containers.
 */
export function watchStamp(
  stampOf: () => Promise<string>,
  atRest: () => Promise<unknown>,
  interval: number,
): AsyncDisposable {
  const stop = new AbortController()
  let last: string | undefined

  async function lookOnce(): Promise<void> {
    const stamp = await stampOf()
    if (stamp === last) await atRest()
    last = stamp
  }

  async function watch(): Promise<void> {
    for (;;) {
      await setTimeout(interval, undefined, { signal: stop.signal, ref: false })
      // A failed call is tried again.
      await lookOnce().catch(() => {})
    }
  }

  // Ends when the wait is aborted.
  const watching = watch().catch(() => {})
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await watching
    },
  }
}
