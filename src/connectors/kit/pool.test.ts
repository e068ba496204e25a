import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../testing/runs.ts'
import { systemClock } from './host.ts'
import type { Clock } from './kind.ts'
import { Pool, type PoolOptions } from './pool.ts'

interface Connection {
  readonly number: number
  isOpen: boolean
  isUsed: boolean
}

/** A system that counts its connections. */
function system(more: Partial<PoolOptions<Connection>> = {}) {
  const all: Connection[] = []
  let most = 0
  const open = () => all.filter(({ isOpen }) => isOpen).length
  const pool = new Pool<Connection>({
    max: 2,
    patience: 1000,
    clock: systemClock,
    open: async () => {
      const connection = { number: all.length, isOpen: true, isUsed: false }
      all.push(connection)
      most = Math.max(most, open())
      return connection
    },
    close: async (connection) => {
      await ticks(2)
      connection.isOpen = false
    },
    ...more,
  })
  return { pool, all, open, most: () => most }
}

async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) await Promise.resolve()
}

function manualClock(): Clock & { pass(milliseconds: number): void } {
  let time = 0
  const sleepers = new Set<{ readonly due: number; readonly wake: () => void }>()
  return {
    now: () => time,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        sleepers.add({ due: time + milliseconds, wake })
      }),
    pass(milliseconds) {
      time += milliseconds
      for (const { due, wake } of sleepers) if (due <= time) wake()
    },
  }
}

describe('a pool', () => {
  it('uses a connection again', async () => {
    const { pool, all } = system()
    await pool.use(async () => undefined)
    await pool.use(async () => undefined)
    expect(all).toHaveLength(1)
    await pool[Symbol.asyncDispose]()
    expect(all[0]?.isOpen).toBe(false)
  })

  it('never hands out again what failed, unless the failure was an answer', async () => {
    const { pool, all } = system()
    const refused = async () => Promise.reject(new Error('refused'))
    await expect(pool.use(refused, { isBroken: () => false })).rejects.toThrow('refused')
    expect(pool.size).toBe(1)
    await expect(pool.use(refused)).rejects.toThrow('refused')
    expect(pool.size).toBe(0)
    await pool.use(async ({ number }) => expect(number).toBe(1))
    expect(all).toHaveLength(2)
  })

  it('leaves out an idle connection that is not valid any more', async () => {
    const { pool } = system({ validate: async ({ number }) => number > 0 })
    await pool.use(async ({ number }) => expect(number).toBe(0))
    await pool.use(async ({ number }) => expect(number).toBe(1))
    await pool.use(async ({ number }) => expect(number).toBe(1))
  })

  it('closes what was idle for too long, down to its minimum', async () => {
    const clock = manualClock()
    const { pool, open } = system({ clock, max: 3, min: 1, idleTime: 100 })
    const all = Promise.withResolvers<void>()
    const uses = [1, 2, 3].map(() => pool.use(() => all.promise))
    await ticks(50)
    expect(open()).toBe(3)
    all.resolve()
    await Promise.all(uses)
    clock.pass(99)
    await pool.sweep()
    expect(open()).toBe(3)
    clock.pass(1)
    await pool.sweep()
    expect(open()).toBe(1)
  })

  it('is patient for as long as it was told, and says how many are in use', async () => {
    const clock = manualClock()
    const { pool } = system({ clock, max: 1, patience: 100 })
    const hold = Promise.withResolvers<void>()
    const first = pool.use(() => hold.promise)
    await ticks(20)
    const second = expect(pool.use(async () => undefined)).rejects.toMatchObject({
      kind: 'busy',
      message: expect.stringContaining('All 1 connections'),
    })
    await ticks(20)
    clock.pass(100)
    await second
    hold.resolve()
    await first
    await pool.use(async () => undefined)
  })

  it('stops waiting when the signal is aborted, and gives the turn to the next', async () => {
    const { pool } = system({ max: 1 })
    const hold = Promise.withResolvers<void>()
    const first = pool.use(() => hold.promise)
    await ticks(20)
    const stop = new AbortController()
    const second = expect(pool.use(async () => 'second', { signal: stop.signal })).rejects.toThrow('enough')
    const third = pool.use(async () => 'third')
    await ticks(20)
    hold.resolve()
    stop.abort(new Error('enough'))
    await second
    await first
    expect(await third).toBe('third')
  })

  it('aborts what is in use when it is closed, waits for it, and opens nothing any more', async () => {
    const { pool, open } = system()
    const use = pool.use(
      (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    await ticks(20)
    const failed = expect(use).rejects.toMatchObject({ kind: 'connection' })
    await pool[Symbol.asyncDispose]()
    await failed
    expect(open()).toBe(0)
    await expect(pool.use(async () => undefined)).rejects.toMatchObject({ kind: 'connection' })
  })

  it('never exceeds its maximum, shares no connection and leaks none, after any failure or cancellation', async () => {
    const task = fc.record({
      begin: fc.nat({ max: 30 }),
      length: fc.nat({ max: 20 }),
      fails: fc.boolean(),
      breaks: fc.boolean(),
      abort: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(task, { maxLength: 25 }),
        fc.integer({ min: 1, max: 4 }),
        async (tasks, max) => {
          const { pool, all, open, most } = system({ max, validate: async ({ number }) => number % 3 !== 2 })
          const outcomes = tasks.map(async ({ begin, length, fails, breaks, abort }) => {
            const stop = new AbortController()
            if (abort !== undefined) void ticks(abort).then(() => stop.abort(new Error('cancelled')))
            await ticks(begin)
            return pool.use(
              async (connection) => {
                expect(connection.isUsed).toBe(false)
                expect(connection.isOpen).toBe(true)
                connection.isUsed = true
                await ticks(length)
                connection.isUsed = false
                if (fails) throw new Error('failed')
              },
              { signal: stop.signal, isBroken: () => breaks },
            )
          })
          await Promise.allSettled(outcomes)
          expect(most()).toBeLessThanOrEqual(max)
          expect(pool.size).toBe(open())
          // It is as good as new.
          await Promise.all(Array.from({ length: max }, () => pool.use(async () => undefined)))
          await pool[Symbol.asyncDispose]()
          expect(all.filter(({ isOpen }) => isOpen)).toEqual([])
          expect(pool.size).toBe(0)
        },
      ),
      runs(200),
    )
  })
})
