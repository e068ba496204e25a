import { describe, expect, it, vi } from 'vitest'
import { pages } from './cookies.ts'
import { Mutex } from './mutex.ts'
import { parallel } from './parallel.ts'
import { Timer } from './timer.ts'

describe('a mutex', () => {
  it('lets one piece of work run at a time, in the order of asking, and goes on after a failure', async () => {
    const mutex = new Mutex()
    const log: string[] = []
    const work = (name: string) => async () => {
      log.push(`${name} begins`)
      await Promise.resolve()
      log.push(`${name} ends`)
      if (name === 'b') throw new Error('b fails')
      return name
    }
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => mutex.run(work(name))))
    await mutex.idle()
    expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})

describe('a timer', () => {
  it.each([
    { situation: 'for a time that has passed', due: 500, rings: 1 },
    { situation: 'for a time soon', due: 5_000, rings: 4_000 },
    { situation: 'for a time far away: after a minute', due: 10_000_000, rings: 60_000 },
    { situation: 'for no known time: after a minute', due: Number.POSITIVE_INFINITY, rings: 60_000 },
  ])('rings $situation', ({ due, rings }) => {
    vi.useFakeTimers()
    try {
      const ring = vi.fn()
      using timer = new Timer(ring, () => 1_000)
      timer.set(1_001)
      timer.set(due)
      vi.advanceTimersByTime(rings - 1)
      expect(ring).not.toHaveBeenCalled()
      vi.advanceTimersByTime(1)
      expect(ring).toHaveBeenCalledTimes(1)
    } finally {
      vi.useRealTimers()
    }
  })

  it('never rings after it was disposed of', () => {
    vi.useFakeTimers()
    try {
      const ring = vi.fn()
      const timer = new Timer(ring)
      timer.set(0)
      timer[Symbol.dispose]()
      timer.set(0)
      vi.runAllTimers()
      expect(ring).not.toHaveBeenCalled()
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('pages', () => {
  it('follows cookies to the last page, and asks for the first one without', async () => {
    const stored = [[1, 2], [3], []]
    const asked: unknown[] = []
    const fetch = async (from: { readonly cookie?: string }) => {
      asked.push(from)
      const place = Number(from.cookie ?? 0)
      return { result: stored[place] ?? [], cookie: place + 1 < stored.length ? String(place + 1) : null }
    }
    const found: number[] = []
    for await (const { result } of pages(fetch)) found.push(...result)
    expect(found).toEqual([1, 2, 3])
    expect(asked).toEqual([{}, { cookie: '1' }, { cookie: '2' }])
  })

  it('stops at a signal between two pages', async () => {
    const stop = new AbortController()
    const endless = pages(async () => ({ result: [1], cookie: 'more' }), stop.signal)
    await endless.next()
    stop.abort(new Error('cancelled'))
    await expect(endless.next()).rejects.toThrow('cancelled')
  })
})

describe('work in parallel', () => {
  it('keeps to its limit and answers results at the places of their items', async () => {
    let running = 0
    let most = 0
    const results = await parallel([3, 1, 2, 5, 4], 2, async (item) => {
      most = Math.max(most, ++running)
      for (let turn = 0; turn < item; turn++) await Promise.resolve()
      running--
      return item * 10
    })
    expect(results).toEqual([30, 10, 20, 50, 40])
    expect(most).toBe(2)
  })

  it('begins nothing after a failure, and throws it when the rest has ended', async () => {
    const begun: number[] = []
    const ended: number[] = []
    const work = parallel([0, 1, 2, 3], 2, async (item) => {
      begun.push(item)
      if (item === 0) throw new Error('first')
      await new Promise((resolve) => setImmediate(resolve))
      ended.push(item)
    })
    await expect(work).rejects.toThrow('first')
    expect({ begun, ended }).toEqual({ begun: [0, 1], ended: [1] })
  })
})
