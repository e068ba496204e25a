/**
 * Polls a stamp, and calls back when it stays the same: an editor may need more than one write. Polling,
 * because file system notifications are unreliable over networks and in containers.
 */
export function watchStamp(
  stampOf: () => Promise<string>,
  atRest: () => Promise<unknown>,
  interval: number,
): AsyncDisposable {
  let last: string | undefined
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let look = Promise.resolve()

  async function lookOnce(): Promise<void> {
    const stamp = await stampOf()
    if (stamp === last) await atRest()
    last = stamp
  }

  function later(): void {
    if (closed) return
    timer = setTimeout(() => {
      // A failed call is tried again.
      look = lookOnce().catch(() => {})
      look.then(later)
    }, interval).unref()
  }

  later()
  return {
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(timer)
      await look
    },
  }
}
