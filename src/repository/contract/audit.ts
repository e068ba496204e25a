import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import { parseSortKeys } from '../../model/sort.ts'
import { type AuditEvent, removals } from '../audit.ts'
import { everyPage } from './collect.ts'
import type { Current } from './current.ts'

function event(id: string, content: JsonObject = {}, topic = 'recon'): AuditEvent {
  return { id, topic, timestamp: '2025-03-02T08:00:00.120Z', content }
}

export function auditContract(current: Current): void {
  describe('audit events', () => {
    const audit = () => current().audit

    it('are an unbroken chain, as long as none was changed', async () => {
      expect(await audit().verify()).toMatchObject({ chained: 0, broken: undefined })
      await audit().append([event('1'), event('2')])
      const { last } = await audit().verify()
      await audit().append([event('3', { status: 'SUCCESS' }, 'sync')])
      const verdict = await audit().verify()
      expect(verdict).toMatchObject({ chained: 3, unchained: 0, broken: undefined })
      expect(verdict.last).not.toBe(last)
    })

    describe('that need not be kept', () => {
      const by = (id: string) => ({ id, timestamp: '2026-01-01T00:00:00Z', content: { userId: 'system' } })
      const dated = (id: string, timestamp: string, topic = 'recon') => ({
        ...event(id, {}, topic),
        timestamp,
      })
      const left = async (topic = 'recon') =>
        (await audit().query(topic, { filter: parseFilter('true') })).result.map(({ _id }) => _id)

      it('are removed from the front by their age, and the chain holds', async () => {
        await audit().append(['2020', '2021', '2026'].map((year) => dated(year, `${year}-06-01T00:00:00Z`)))
        expect(await audit().remove({ topic: 'recon', before: '2022-01-01T00:00:00Z' }, 10, by('r'))).toBe(2)
        expect(await left()).toEqual(['2026'])
        expect(await audit().read(removals, 'r')).toMatchObject({
          ...{ userId: 'system', topic: 'recon', removed: 2, gaps: 1 },
        })
        expect(await audit().verify()).toMatchObject({ chained: 2, removed: 2, broken: undefined })
      })

      it('are removed by number, topic by topic, in portions, and never beyond what a handler waits for', async () => {
        await audit().append(
          [1, 2, 3, 4, 5, 6].flatMap((n) => [event(`a${n}`, {}, 'access'), event(`s${n}`, {}, 'sync')]),
        )
        expect(await audit().remove({ topic: 'access', keep: 2, upTo: 5 }, 100, by('1'))).toBe(3)
        expect(await audit().remove({ topic: 'access', keep: 2 }, 1, by('2'))).toBe(1)
        expect(await audit().remove({ topic: 'access', keep: 2 }, 10, by('3'))).toBe(0)
        expect(await left('access')).toEqual(['a5', 'a6'])
        expect(await audit().remove({ topic: 'sync', keep: 4 }, 10, by('4'))).toBe(2)
        expect(await left('sync')).toHaveLength(4)
        await audit().append([event('later')])
        expect(await audit().verify()).toMatchObject({ removed: 6, broken: undefined })
        expect(await left(removals)).toEqual(['1', '2', '4'])
      })

      it('are removed by runs, which are known with their mappings', async () => {
        const entry = (id: string, reconId: string, mapping: string) => event(id, { reconId, mapping })
        await audit().append([
          ...[entry('1', 'z', 'm'), entry('2', 'a', 'n'), entry('3', 'z', 'm'), event('4')],
        ])
        expect((await audit().recordedRuns()).map(({ reconId, mapping }) => [reconId, mapping])).toEqual([
          ['a', 'n'],
          ['z', 'm'],
        ])
        expect(await audit().remove({ topic: 'recon', runs: ['z'] }, 10, by('r'))).toBe(2)
        expect(await left()).toEqual(['2', '4'])
        expect(await audit().verify()).toMatchObject({ removed: 2, broken: undefined })
      })

      it('keep their numbers to themselves, even if they were the last', async () => {
        await audit().append([event('1'), event('2')])
        const last = await audit().lastSeq()
        await audit().remove({ topic: 'recon' }, 10, by('r'))
        await audit().append([event('3')])
        expect((await audit().since(last, 10)).map(({ content }) => content._id)).toEqual(['r', '3'])
        expect(await audit().verify()).toMatchObject({ broken: undefined })
      })
    })

    it('that are not kept leave the chain as it was', async () => {
      await audit().append([event('1')])
      await expect(audit().append([event('2'), event('1')])).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      })
      await audit().append([event('3')])
      expect(await audit().verify()).toMatchObject({ chained: 2, broken: undefined })
    })

    it('are numbered in the order of writing, whatever their topic', async () => {
      expect(await audit().lastSeq()).toBe(0)
      await audit().append([event('1'), event('2', {}, 'sync'), event('3')])
      const [first, ...others] = await audit().since(0, 10)
      expect([first, ...others].map((one) => [one?.topic, one?.content._id])).toEqual([
        ['recon', '1'],
        ['sync', '2'],
        ['recon', '3'],
      ])
      expect((await audit().since(first?.seq as number, 1)).map(({ content }) => content._id)).toEqual(['2'])
      expect(await audit().since(await audit().lastSeq(), 10)).toEqual([])
    })

    it('are read by topic and id, with their _id', async () => {
      await audit().append([
        event('1', { status: 'SUCCESS', messageDetail: { a: [1] } }),
        event('1', {}, 'sync'),
      ])
      expect(await audit().read('recon', '1')).toEqual({
        _id: '1',
        status: 'SUCCESS',
        messageDetail: { a: [1] },
      })
      expect(await audit().read('sync', '1')).toEqual({ _id: '1' })
      expect(await audit().read('access', '1')).toBeUndefined()
    })

    it('come in the order of writing unless sorted', async () => {
      await audit().append([
        event('c', { n: 1 }),
        event('a', { n: 2 }),
        event('x', {}, 'sync'),
        event('b', { n: 1 }),
      ])
      const found = async (sort?: string) => {
        const query = {
          filter: parseFilter('true'),
          pageSize: 2,
          ...(sort && { sortKeys: parseSortKeys(sort) }),
        }
        const pages = await everyPage((each) => audit().query('recon', each), query)
        return pages.flat().map((each) => each._id)
      }
      expect(await found()).toEqual(['c', 'a', 'b'])
      expect(await found('n')).toEqual(['b', 'c', 'a'])
      expect(await found('-_id')).toEqual(['c', 'b', 'a'])
      expect(await found('reconId')).toEqual(['a', 'b', 'c'])
    })

    it('are found by run, and by anything else they hold', async () => {
      await audit().append([
        event('1', { reconId: 'r1', entryType: 'start' }),
        event('2', { reconId: 'r1', entryType: 'entry', situation: 'ABSENT' }),
        event('3', { reconId: 'r2', entryType: 'entry' }),
        event('4'),
      ])
      const found = async (filter: string) => {
        const page = await audit().query('recon', { filter: parseFilter(filter), total: true })
        expect(page.total).toBe(page.result.length)
        return page.result.map((each) => each._id)
      }
      expect(await found('reconId eq "r1"')).toEqual(['1', '2'])
      expect(await found('reconId eq "r1" and situation pr')).toEqual(['2'])
      expect(await found('!(reconId eq "r1")')).toEqual(['3', '4'])
      expect(await found('reconId pr')).toEqual(['1', '2', '3'])
      expect(await found('_id in \'["1","4"]\'')).toEqual(['1', '4'])
    })

    it('are found for one object, whatever they call it, newest first and in pages', async () => {
      await audit().append([
        event('1', { sourceObjectId: 'system/hr/account/1', targetObjectId: 'managed/user/a' }),
        event('2', { sourceObjectId: 'managed/user/a', targetObjectId: 'system/dir/account/x' }),
        event('3', { sourceObjectId: 'managed/user/b', targetObjectId: 'system/dir/account/y' }),
        event('4', { sourceObjectId: 'managed/user/a', targetObjectId: 'managed/user/a' }),
      ])
      await audit().append([
        { ...event('5', { objectId: 'managed/user/a', operation: 'DELETE' }), topic: 'activity' },
      ])
      const found = async (limit: number, cookie?: string | null) => {
        const page = await audit().ofObject('managed/user/a', { limit, cookie })
        return [page.result.map(({ topic, content }) => `${topic} ${content._id}`), page.cookie] as const
      }
      expect(await found(10)).toEqual([['activity 5', 'recon 4', 'recon 2', 'recon 1'], null])
      const [first, cookie] = await found(3)
      expect(first).toEqual(['activity 5', 'recon 4', 'recon 2'])
      expect(await found(3, cookie)).toEqual([['recon 1'], null])
      expect((await audit().ofObject('managed/user/none', { limit: 5 })).result).toEqual([])
    })

    it('are never written twice', async () => {
      await audit().append([event('1')])
      const again = audit().append([event('2'), event('1')])
      await expect(again).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
      expect(await audit().read('recon', '2')).toBeUndefined()
    })
  })
}
