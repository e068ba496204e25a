import type { Candidate } from './candidate.ts'
import type { Reconfiguration } from './reconfiguration.ts'
import { stampOf } from './stamp.ts'

/**
 * Looks at the project's files again and again, and has what has changed taken up once they are at rest: an editor may need more
 * than one write. Polling, because the notifications of file systems are not to be relied on over networks and in containers.
 */
export function watchFiles<State extends Candidate>(
  current: () => State,
  reconfiguration: Reconfiguration<State>,
  interval: number,
): AsyncDisposable {
  let last: string | undefined
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let look = Promise.resolve()

  async function lookOnce(): Promise<void> {
    const stamp = await stampOf(current().project)
    if (stamp === last) await reconfiguration.takeUp()
    last = stamp
  }

  function later(): void {
    if (closed) return
    timer = setTimeout(() => {
      // Looking never rejects for what is in the files; what else there may be is tried again.
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
