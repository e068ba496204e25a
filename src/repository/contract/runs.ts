import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import { parseSortKeys } from '../../model/sort.ts'
import type { RunRecord } from '../runs.ts'
import { everyPage } from './collect.ts'
import type { Current } from './current.ts'

function run(id: string, members: Partial<RunRecord> = {}): RunRecord {
  const started = '2025-03-02T08:00:00.120Z'
  return {
    id,
    mapping: 'hr_user',
    analysis: false,
    state: 'ACTIVE',
    started,
    content: { _id: id },
    ...members,
  }
}

export function runsContract(current: Current): void {
  describe('runs', () => {
    const runs = () => current().runs

    it('come back as they were saved last', async () => {
      await runs().save(run('1'))
      const ended = run('1', {
        state: 'SUCCESS',
        analysis: true,
        content: { _id: '1', progress: { total: '?' } },
      })
      await runs().save(ended)
      expect(await runs().read('1')).toEqual(ended)
      expect(await runs().list()).toEqual([ended])
      expect(await runs().read('2')).toBeUndefined()
    })

    it('are listed oldest first', async () => {
      await runs().save(run('new', { started: '2025-03-03T08:00:00.000Z' }))
      await runs().save(run('old', { started: '2025-03-01T08:00:00.000Z' }))
      expect((await runs().list()).map(({ id }) => id)).toEqual(['old', 'new'])
    })

    it('are deleted with their entries', async () => {
      await runs().save(run('1'))
      await runs().appendEntries([{ id: 'e', runId: '1', content: {} }])
      expect(await runs().delete('1')).toBe(true)
      expect(await runs().delete('1')).toBe(false)
      expect((await runs().queryEntries('1', { filter: parseFilter('true') })).result).toEqual([])
    })

    it('have entries in the order of writing, to be filtered, sorted and paged', async () => {
      await runs().save(run('1'))
      await runs().save(run('2'))
      const entries = ['c', 'a', 'd', 'b'].map((id) => ({
        id,
        runId: '1',
        content: { _id: id, situation: id === 'd' ? 'FOUND' : 'ABSENT', ambiguousTargetObjectIds: [id] },
      }))
      await runs().appendEntries(entries)
      await runs().appendEntries([{ id: 'x', runId: '2', content: { _id: 'x' } }])
      const found = async (filter: string, sort?: string) => {
        const query = {
          filter: parseFilter(filter),
          pageSize: 2,
          ...(sort && { sortKeys: parseSortKeys(sort) }),
        }
        const pages = await everyPage((each) => runs().queryEntries('1', each), query)
        return pages.flat().map((entry) => entry._id)
      }
      expect(await found('true')).toEqual(['c', 'a', 'd', 'b'])
      expect(await found('situation eq "ABSENT"', 'situation')).toEqual(['a', 'b', 'c'])
      expect(await found('true', '-_id')).toEqual(['d', 'c', 'b', 'a'])
      expect((await runs().queryEntries('1', { filter: parseFilter('_id eq "a"') })).result).toEqual([
        entries[1]?.content,
      ])
    })

    it('have entries that are read by their id', async () => {
      await runs().save(run('1'))
      await runs().save(run('2'))
      await runs().appendEntries(['a', 'b'].map((id) => ({ id, runId: '1', content: { is: id } })))
      expect(await runs().readEntry('1', 'a')).toEqual({ is: 'a' })
      expect([await runs().readEntry('1', 'c'), await runs().readEntry('2', 'a')]).toEqual([
        undefined,
        undefined,
      ])
    })

    it('can lose their entries and stay', async () => {
      for (const id of ['1', '2']) {
        await runs().save(run(id))
        await runs().appendEntries([{ id: 'e', runId: id, content: { _id: 'e' } }])
      }
      await runs().deleteEntries('1')
      const entries = async (id: string) =>
        (await runs().queryEntries(id, { filter: parseFilter('true') })).result
      expect([await entries('1'), await entries('2')]).toEqual([[], [{ _id: 'e' }]])
      expect(await runs().withEntries()).toEqual(new Set(['2']))
      expect(await runs().read('1')).toBeDefined()
    })

    it('must be saved before their entries', async () => {
      const append = runs().appendEntries([{ id: 'e', runId: 'unknown', content: {} }])
      await expect(append).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
}
