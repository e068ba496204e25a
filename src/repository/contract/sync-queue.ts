import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import type { QueuedEvent } from '../repository.ts'
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

    it('gives the oldest event of each object, in the order in which they were stored', async () => {
      await queue().add([event('3'), event('1', { resource: 'managed/user/b' }), event('2')])
      expect(ids(await queue().due('m', 0, 10))).toEqual(['3', '1'])
      await queue().remove(['3'])
      expect(ids(await queue().due('m', 0, 10))).toEqual(['1', '2'])
      expect(ids(await queue().due('m', 0, 1))).toEqual(['1'])
    })

    it('keeps mappings apart', async () => {
      await queue().add([event('1'), event('2', { mapping: 'n' })])
      expect(ids(await queue().due('n', 0, 10))).toEqual(['2'])
      expect(await queue().due('o', 0, 10)).toEqual([])
    })

    it('lets nobody overtake an event that waits for another try', async () => {
      await queue().add([event('1', { due: 100 }), event('2')])
      expect(await queue().due('m', 99, 10)).toEqual([])
      expect(ids(await queue().due('m', 100, 10))).toEqual(['1'])
      expect(await queue().nextDue('m')).toBe(0)
    })

    it('lets nobody overtake an event that is held, until it is released', async () => {
      await queue().add([event('1', { state: 'HELD' }), event('2')])
      expect(await queue().due('m', 0, 10)).toEqual([])
      await queue().releaseHeld()
      expect(ids(await queue().due('m', 0, 10))).toEqual(['1'])
    })

    it('lets everybody pass a dead event', async () => {
      await queue().add([event('1'), event('2')])
      await queue().update([event('1', { state: 'DEAD', attempts: 3, content: { _id: '1', state: 'DEAD' } })])
      expect(ids(await queue().due('m', 0, 10))).toEqual(['2'])
      expect(await queue().read('1')).toMatchObject({ state: 'DEAD', attempts: 3 })
      const { result } = await queue().query({ filter: parseFilter('state eq "DEAD"') })
      expect(result).toEqual([{ _id: '1', state: 'DEAD' }])
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
      expect(ids(await queue().due('m', 0, 10))).toEqual(['1'])
    })

    it('says how many it removed', async () => {
      await queue().add([event('1')])
      expect(await queue().remove(['1', 'nobody'])).toBe(1)
    })
  })
}
