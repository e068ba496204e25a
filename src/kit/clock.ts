import type { Log } from './log.ts'

/**
 * The clock of a machine is corrected, by hand or by a service, and stands still while the machine sleeps. What waits uses
 * `performance.now`, which only goes forward; what happens at a time of day looks at the clock, and looks again when it has jumped.
 */

/** What the clock shows when `performance.now` is 0; ms since 1970. It changes with each correction. */
export function clockOffset(): number {
  return Date.now() - performance.now()
}

/** Small corrections are usual, and not looked at. */
const tolerance = 2_000

export function hasJumped(since: number): boolean {
  return Math.abs(clockOffset() - since) > tolerance
}

/** Time that only goes forward, as a connector or a queue may need it: about ms since 1970, whatever becomes of the clock. */
export function steadyTime(): number {
  return performance.timeOrigin + performance.now()
}

/** Logs each jump of the clock. Does not keep the process alive. */
export function watchClock(log: Log, interval = 1_000): Disposable {
  let offset = clockOffset()
  const timer = setInterval(() => {
    if (!hasJumped(offset)) return
    const jump = clockOffset() - offset
    offset += jump
    const direction = jump > 0 ? 'forward' : 'back'
    const seconds = Math.round(Math.abs(jump) / 1000)
    log(
      'warn',
      `the clock of this machine has jumped ${direction} by ${seconds} s; what waits, waits as long as before`,
    )
  }, interval)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
