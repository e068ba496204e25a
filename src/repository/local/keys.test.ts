import { describe, expect, it } from 'vitest'
import { KeyLocks } from './keys.ts'

const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('locks of objects', () => {
  it('let one after the other work on an object, in the order of asking', async () => {
    const locks = new KeyLocks()
    const events: string[] = []
    const work = (name: string) => async () => {
      events.push(`${name} begins`)
      await tick()
      events.push(`${name} ends`)
    }
    await Promise.all(['a', 'b', 'c'].map((name) => locks.hold(['x'], work(name))))
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  it('do not keep different objects apart', async () => {
    const locks = new KeyLocks()
    let other = false
    await locks.hold(['x'], async () => {
      await locks.hold(['y'], async () => {
        other = true
      })
    })
    expect(other).toBe(true)
  })

  it('never wait in a circle, whatever keys are asked for together', async () => {
    const locks = new KeyLocks()
    const keys = ['a', 'b', 'c', 'd', 'e']
    const holders = new Map<string, number>()
    const jobs = Array.from({ length: 500 }, (_, job) => {
      const wanted = keys
        .filter((_key, index) => ((job * 7919) >> index) % 2 === 1)
        .toSorted(() => (job % 2) - 0.5)
      return locks.hold(wanted, async () => {
        for (const key of wanted) {
          expect(holders.has(key)).toBe(false)
          holders.set(key, job)
        }
        await tick()
        for (const key of wanted) holders.delete(key)
      })
    })
    await Promise.all(jobs)
    expect(holders.size).toBe(0)
  })

  it('are free again when the work has failed', async () => {
    const locks = new KeyLocks()
    await expect(locks.hold(['x'], () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await locks.hold(['x'], async () => 'done')).toBe('done')
  })

  it('are waited for as long as patience lasts, and a later request still waits for the holder', async () => {
    const locks = new KeyLocks()
    const holding = Promise.withResolvers<void>()
    const holder = locks.hold(['x'], () => holding.promise)
    const impatient = locks.hold(['x'], async () => 'never', { patience: 10 })
    let third = false
    const later = locks.hold(['x'], async () => {
      third = true
    })
    await expect(impatient).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await tick()
    expect(third).toBe(false)
    holding.resolve()
    await Promise.all([holder, later])
    expect(third).toBe(true)
  })

  it('tell a watch what others have worked on since it began, not what its owner did', async () => {
    const locks = new KeyLocks()
    await locks.hold(['before'], tick)
    using watch = locks.watch()
    await locks.hold(['theirs'], tick)
    await locks.hold(['own'], tick, { own: watch })
    expect(['before', 'theirs', 'own'].filter((key) => watch.touched(key))).toEqual(['theirs'])
  })
})
