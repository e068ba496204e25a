import type { Log } from '../kit/log.ts'
import { Timer } from '../kit/timer.ts'
import { messageOf } from '../model/problem.ts'
import type { Lease, Locks } from '../repository/locks.ts'

/**
 * A second server on the same data would run each schedule a second time, and neither sees what the other changes at once: it says so,
 * and works. It waits until the other has ended, so that a third is told of it.
 */
export async function onlyServer(
  locks: Pick<Locks, 'lease'>,
  log: Log,
  { patience = 2_000 } = {},
): Promise<AsyncDisposable> {
  let lease: Lease | undefined
  let asking: Promise<void> = Promise.resolve()
  let isClosed = false

  /** In words, who has the data folder; undefined: this server. */
  async function take(): Promise<string | undefined> {
    const answer = await locks.lease('server', 'a server')
    if (!answer.taken) return answer.by.process
    lease = answer.lease
    // Another one takes it if this process stood still for longer than a lease lasts.
    answer.lease.lost.addEventListener('abort', wait)
    return undefined
  }

  async function again(): Promise<void> {
    try {
      if ((await take()) === undefined)
        return log('info', 'no other server works on this data folder any more')
    } catch (error) {
      log('warn', `it cannot be told whether another server works on this data folder: ${messageOf(error)}`)
    }
    wait()
  }

  const timer = new Timer(() => {
    asking = again()
  })
  function wait(): void {
    if (!isClosed) timer.in(patience)
  }

  const other = await take()
  if (other !== undefined) {
    log(
      'warn',
      `another server works on this data folder: ${other}. Both run its schedules and its queue; stop one of them, or give each a project of its own`,
    )
    wait()
  }
  return {
    async [Symbol.asyncDispose]() {
      isClosed = true
      timer[Symbol.dispose]()
      await asking
      await lease?.release()
    },
  }
}
