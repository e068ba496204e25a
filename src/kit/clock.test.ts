import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchClock } from './clock.ts'
import { Timer } from './timer.ts'

const hour = 3_600_000

/** The clock of the machine is set; what waits does not notice. */
function setClock(by: number): void {
  vi.setSystemTime(Date.now() + by)
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a jump of the clock', () => {
  it.each([
    ['forward', hour],
    ['back', -hour],
  ])('%s is logged, once', (direction, by) => {
    const logged: string[] = []
    using _ = watchClock((level, message) => void logged.push(`${level} ${message}`))
    vi.advanceTimersByTime(5000)
    expect(logged).toEqual([])
    setClock(by)
    vi.advanceTimersByTime(5000)
    expect(logged).toEqual([
      expect.stringContaining(`warn the clock of this machine has jumped ${direction} by 3600 s`),
    ])
  })

  it('is none if it is a correction', () => {
    const log = vi.fn()
    using _ = watchClock(log)
    setClock(-1500)
    vi.advanceTimersByTime(5000)
    expect(log).not.toHaveBeenCalled()
  })

  it.each([hour, -hour])('by %i ms wakes what waits for a time', (by) => {
    const ring = vi.fn()
    using timer = new Timer(ring)
    timer.set(Date.now() + 50_000)
    setClock(by)
    vi.advanceTimersByTime(1000)
    expect(ring).toHaveBeenCalledTimes(1)
  })

  it('makes no wait longer', () => {
    const ring = vi.fn()
    using timer = new Timer(ring)
    timer.in(700)
    setClock(-hour)
    vi.advanceTimersByTime(700)
    expect(ring).toHaveBeenCalledTimes(1)
  })
})
