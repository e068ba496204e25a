import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Lease, Locks } from '../locks.ts'
import type { Repository } from '../repository.ts'

export interface LocksUnderTest {
  readonly name: string
  /** The locks of one process, which are those of two wherever two are asked for. */
  open(): Promise<{
    readonly repository: Repository
    /** Of this process, and others of it on the same store; `ttl`: for how long leases are taken, in ms. */
    locks(ttl?: number): Locks
    dispose(): Promise<void>
  }>
}

/** What every adapter of the port of locks must do, besides what takes time: `locksOverTimeContract`. */
export function locksContract({ name, open }: LocksUnderTest): void {
  describe(`locks ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.dispose())

    describe('of keys', () => keysContract(() => opened.locks()))
    describe('of names', () =>
      leasesContract(
        () => opened.repository,
        (ttl) => opened.locks(ttl),
      ))
  })
}

/** What every adapter must do as well; it waits until the time of a lease is over. */
export function locksOverTimeContract({ name, open }: LocksUnderTest): void {
  it(`locks ${name} outlive their time as long as their process does`, async () => {
    const opened = await open()
    const [one, two] = [opened.locks(1500), opened.locks(1500)]
    const lease = await taken(one, 'a')
    await setTimeout(2200)
    expect(await two.lease('a', 'other')).toMatchObject({ taken: false })
    expect(lease.lost.aborted).toBe(false)
    await lease.release()
    await opened.dispose()
  })
}

async function taken(locks: Locks, name: string): Promise<Lease> {
  const answer = await locks.lease(name, `for ${name}`)
  if (!answer.taken) throw new Error(`${name} is held by ${answer.by.owner}`)
  return answer.lease
}

function keysContract(open: () => Locks): void {
  it('let one at a time have a key, in the order of asking, and others beside', async () => {
    const locks = open()
    const order: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = locks.hold(['a', 'b'], async () => {
      await promise
      order.push('first')
    })
    const second = locks.hold(['b', 'c'], async () => void order.push('second'))
    const third = locks.hold(['c'], async () => void order.push('third'))
    await locks.hold(['d'], async () => void order.push('beside'))
    resolve()
    await Promise.all([first, second, third])
    expect(order).toEqual(['beside', 'first', 'second', 'third'])
  })

  it('give up waiting when their patience ends, and block no other caller', async () => {
    const locks = open()
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = locks.hold(['a'], () => promise)
    const impatient = locks.hold(['a'], async () => 1, { patience: 10 })
    await expect(impatient).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    resolve()
    await first
    expect(await locks.hold(['a'], async () => 2)).toBe(2)
  })

  it('are released by work that fails', async () => {
    const locks = open()
    const failing = locks.hold(['a'], async () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await locks.hold(['a'], async () => 1)).toBe(1)
  })

  it('tell watches what others worked on since', async () => {
    const locks = open()
    await locks.hold(['before'], async () => {})
    using watch = locks.watch()
    await locks.hold(['a'], async () => {})
    await locks.hold(['own'], async () => {}, { own: watch })
    expect(['before', 'a', 'own'].map((key) => watch.touched(key))).toEqual([false, true, false])
  })
}

function leasesContract(repository: () => Repository, open: (ttl?: number) => Locks): void {
  /** Work that another process does while it is considered dead. */
  const write = (lease: Lease) =>
    repository().transaction(async (store) => {
      await lease.require(store)
      await store.settings.write('key', lease.epoch)
    })

  it('are held until they are released, and other callers learn the holder', async () => {
    const [one, two] = [open(), open()]
    const lease = await taken(one, 'a')
    expect(await two.lease('a', 'other')).toMatchObject({ taken: false, by: { owner: 'for a' } })
    expect(await two.holder('a')).toMatchObject({ owner: 'for a' })
    await taken(two, 'b')
    await lease.release()
    expect(await two.holder('a')).toBeUndefined()
    const next = await taken(two, 'a')
    expect(next.epoch).toBeGreaterThan(lease.epoch)
    await lease.release()
    expect(await one.holder('a')).toBeDefined()
  })

  it('are renewed while their process lives, even if their time is over already', async () => {
    const [one, two] = [open(1200), open(1200)]
    const lease = await taken(one, 'a')
    await repository().leases.renew('a', lease.epoch, -1)
    await expect.poll(async () => (await repository().leases.read('a'))?.expired).toBe(false)
    expect(await two.lease('a', 'other')).toMatchObject({ taken: false })
    expect(lease.lost.aborted).toBe(false)
    await lease.release()
  })

  it('go to the next who asks when they have expired: late writes are refused, and the work is told', async () => {
    const two = open()
    const lease = await taken(open(), 'a')
    await write(lease)
    await repository().leases.renew('a', lease.epoch, -1)
    const next = await taken(two, 'a')
    await write(next)
    await expect(write(lease)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(lease.lost.aborted).toBe(true)
    expect(await lease.renew()).toBe(false)
    expect(await repository().settings.read('key')).toBe(next.epoch)
  })

  it('are lost by the question whether their process lives, when they have expired', async () => {
    const lease = await open().ownLease()
    await repository().leases.renew(lease.name, lease.epoch, -1)
    expect(await open().holder(lease.name)).toBeUndefined()
    expect(await lease.renew()).toBe(false)
    expect(lease.lost.aborted).toBe(true)
  })

  it('are kept if they are renewed before anybody asks', async () => {
    const lease = await taken(open(), 'a')
    await repository().leases.renew('a', lease.epoch, -1)
    expect(await lease.renew()).toBe(true)
    expect(await open().holder('a')).toBeDefined()
  })

  it('are not ended for a process of another machine before they have expired', async () => {
    const process = { pid: 1, host: 'another', booted: 0, started: 0 }
    await repository().leases.take({ name: 'a', owner: 'o', process, ttl: 60_000 })
    expect(await open().holder('a')).toMatchObject({ owner: 'o' })
  })

  it('say that a process lives, each by a name of its own', async () => {
    const [one, two] = [open(), open()]
    const lease = await one.ownLease()
    expect(await one.ownLease()).toBe(lease)
    expect((await two.ownLease()).name).not.toBe(lease.name)
    expect(await two.holder(lease.name)).toBeDefined()
    await lease.release()
    expect(await two.holder(lease.name)).toBeUndefined()
  })
}
