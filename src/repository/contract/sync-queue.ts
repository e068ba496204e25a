import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import { longestWait, type QueuedEvent } from '../sync-queue.ts'
import type { Current } from './current.ts'

const event = (id: string, more: Partial<QueuedEvent> = {}): QueuedEvent => ({
  ...{ id, mapping: 'm', resource: 'managed/user/a', state: 'PENDING', due: 0, attempts: 0 },
  content: { _id: id, mapping: more.mapping ?? 'm' },
  ...more,
})
const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id)

export function syncQueueContract(current: Current): void {
  describe('the queue of changes', () => {
    const queue = () => current().syncQueue
    /** Of a process of its own. */
    const lease = async (name: string, ttl = 600_000) =>
      Number(await current().leases.take({ name, owner: 'a process', process: {}, ttl }))
    const claim = (epoch: number, limit = 10, now = 0) => queue().claim('m', { epoch, now }, limit)
    /** What a process would be given now that leaves everything as it is. */
    const due = async (mapping: string, now: number, limit: number) => {
      const epoch = await lease(`one that looks ${looks++}`)
      const events = await queue().claim(mapping, { epoch, now }, limit)
      expect(await queue().putBack(events, epoch)).toBe(events.length)
      return events
    }
    let looks = 0

    it('gives the oldest event of each object, in the order in which they were stored', async () => {
      await queue().add([event('3'), event('1', { resource: 'managed/user/b' }), event('2')])
      expect(ids(await due('m', 0, 10))).toEqual(['3', '1'])
      await queue().remove(['3'])
      expect(ids(await due('m', 0, 10))).toEqual(['1', '2'])
      expect(ids(await due('m', 0, 1))).toEqual(['1'])
    })

    it('keeps mappings apart', async () => {
      await queue().add([event('1'), event('2', { mapping: 'n' })])
      expect(ids(await due('n', 0, 10))).toEqual(['2'])
      expect(await due('o', 0, 10)).toEqual([])
    })

    it('lets no event overtake one that waits for another try', async () => {
      await queue().add([event('1', { due: 100 }), event('2')])
      expect(await due('m', 99, 10)).toEqual([])
      expect(ids(await due('m', 100, 10))).toEqual(['1'])
      expect(await queue().nextDue('m')).toBe(100)
    })

    it('lets no event overtake one that is held, until it is released', async () => {
      await queue().add([event('1', { state: 'HELD' }), event('2')])
      expect(await due('m', 0, 10)).toEqual([])
      await queue().releaseHeld()
      expect(ids(await due('m', 0, 10))).toEqual(['1'])
    })

    it('lets everybody pass a dead event', async () => {
      await queue().add([event('1'), event('2')])
      await queue().update([event('1', { state: 'DEAD', attempts: 3, content: { _id: '1', state: 'DEAD' } })])
      expect(ids(await due('m', 0, 10))).toEqual(['2'])
      expect(await queue().read('1')).toMatchObject({ state: 'DEAD', attempts: 3 })
      const { result } = await queue().query({ filter: parseFilter('state eq "DEAD"') })
      expect(result).toEqual([{ _id: '1', state: 'DEAD' }])
    })

    it('holds back no event for longer than any wait is: the clock was set back', async () => {
      await queue().add([
        event('1', { due: longestWait + 101 }),
        event('2', { due: longestWait + 100, resource: 'managed/user/b' }),
      ])
      expect(ids(await due('m', 100, 10))).toEqual(['1'])
    })

    it('says when the next event is due, and that there is none', async () => {
      expect(await queue().nextDue('m')).toBeUndefined()
      await queue().add([event('1', { due: 70 }), event('2', { due: 50, resource: 'managed/user/b' })])
      expect(await queue().nextDue('m')).toBe(50)
    })

    it('is kept or dropped with the transaction that fills or empties it', async () => {
      await queue().add([event('1')])
      const broken = current().transaction(async (store) => {
        await store.syncQueue.remove(['1'])
        await store.syncQueue.add([event('2')])
        throw new Error('broken off')
      })
      await expect(broken).rejects.toThrow('broken off')
      expect(ids(await due('m', 0, 10))).toEqual(['1'])
    })

    it('says how many it removed', async () => {
      await queue().add([event('1')])
      expect(await queue().remove(['1', 'nobody'])).toBe(1)
    })

    it('gives the events of one object to one claimant at a time, one after the other', async () => {
      const [one, two] = [await lease('one'), await lease('two')]
      await queue().add([event('1'), event('2', { resource: 'managed/user/b' }), event('3')])
      expect(ids(await claim(one, 1))).toEqual(['1'])
      expect(ids(await claim(two))).toEqual(['2'])
      expect(await claim(two)).toHaveLength(1)
      expect(await queue().nextDue('m')).toBeUndefined()
      expect(await queue().finish(['1'], one)).toBe(1)
      expect(ids(await claim(two))).toEqual(['2', '3'])
      expect(await claim(one)).toEqual([])
    })

    it('gives others early along with what is due, those that are named, and none alone', async () => {
      const of = (id: string, due: number) => event(id, { due, resource: `managed/user/${id}` })
      await queue().add([of('1', 50), of('2', 60), of('3', 10)])
      const [one, two] = [await lease('one'), await lease('two')]
      const early = (now: number, limit = 10) => queue().claim('m', { epoch: one, now }, limit, ['1'])
      expect(await early(0)).toEqual([])
      expect(ids(await early(10))).toEqual(['1', '3'])
      expect(await claim(two, 10, 10)).toEqual([])
      await queue().finish(['1', '3'], one)
      expect(ids(await early(60))).toEqual(['2'])
    })

    it('gives a claimant again what it has neither finished nor put back', async () => {
      const one = await lease('one')
      await queue().add([event('1')])
      expect(ids(await claim(one))).toEqual(['1'])
      expect(ids(await claim(one))).toEqual(['1'])
    })

    it('gives what was put back to the next who asks, when it is due', async () => {
      const [one, two] = [await lease('one'), await lease('two')]
      await queue().add([event('1'), event('2')])
      const [first] = await claim(one)
      const again = { ...event('1'), ...first, attempts: 1, due: 50 }
      expect(await queue().putBack([again], one)).toBe(1)
      expect(await claim(two)).toEqual([])
      expect(await claim(two, 10, 50)).toEqual([again])
    })

    it.each([
      ['has expired', (epoch: number) => current().leases.renew('one', epoch, -1)],
      ['was ended', (epoch: number) => current().leases.end('one', epoch)],
    ])(
      'gives what was claimed to the next when the lease %s; what the former claimant says of it is not heard',
      async (_how, lose) => {
        const [one, two] = [await lease('one'), await lease('two')]
        await queue().add([event('1'), event('2')])
        const claimed = await claim(one)
        await lose(one)
        expect(ids(await claim(two))).toEqual(['1'])
        expect(await queue().finish(['1'], one)).toBe(0)
        expect(await queue().putBack(claimed, one)).toBe(0)
        expect(ids(await claim(two))).toEqual(['1'])
        expect(await queue().finish(['1'], two)).toBe(1)
      },
    )

    it('keeps a claim when the event is updated, and drops it with the transaction that claims', async () => {
      const [one, two] = [await lease('one'), await lease('two')]
      await queue().add([event('1')])
      await claim(one)
      await queue().update([event('1', { content: { _id: '1', sealed: true } })])
      expect(await claim(two)).toEqual([])
      await queue().putBack([event('1')], one)
      const broken = current().transaction(async ({ syncQueue }) => {
        await syncQueue.claim('m', { epoch: one, now: 0 }, 10)
        throw new Error('broken off')
      })
      await expect(broken).rejects.toThrow('broken off')
      expect(ids(await claim(two))).toEqual(['1'])
    })
  })
}
