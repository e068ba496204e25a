import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import { parseSortKeys } from '../../model/sort.ts'
import type { Link } from '../links.ts'
import { everyPage, flattened } from './collect.ts'
import type { Current } from './current.ts'

const hr = { linkType: 'hr_user', linkQualifier: 'default' }

function draft(firstId: string, secondId: string, members: Partial<Link> = {}): Omit<Link, '_rev'> {
  return { _id: `${firstId}-${secondId}`, ...hr, firstId, secondId, ...members }
}

export function linksContract(current: Current): void {
  describe('links', () => {
    const links = () => current().links
    const pairs = (found: Iterable<Link>) =>
      [...found].map((link) => `${link.firstId}-${link.secondId}`).sort()

    it('are found for a page of ids on either side, in their own set only', async () => {
      await links().insert([draft('1', 'a'), draft('2', 'b'), draft('1', 'x', { linkType: 'other' })])
      await links().insert([draft('2', 'c', { linkQualifier: 'admin' })])
      const bySource = await links().find(hr, 'firstId', ['1', '2', 'nobody'])
      expect([...bySource.keys()].sort()).toEqual(['1', '2'])
      expect(bySource.get('1')).toMatchObject(draft('1', 'a'))
      expect(pairs((await links().find(hr, 'secondId', ['b', 'c', 'x'])).values())).toEqual(['2-b'])
      expect((await links().find({ ...hr, linkType: 'none' }, 'firstId', ['1'])).size).toBe(0)
    })

    it('are found whatever their ids are made of, and only by the exact id', async () => {
      const ids = [`it's "quoted"`, 'a,b', 'É 😀', 'cn=a\\,b,dc=x', 'A', 'a', ' ', '%']
      await links().insert(ids.map((id) => draft(id, `to ${id}`)))
      const found = await links().find(hr, 'firstId', ids)
      for (const id of ids) expect(found.get(id)?.secondId).toBe(`to ${id}`)
      expect(found.size).toBe(ids.length)
    })

    it('remember how the systems spell ids that are stored in lower case, and forget it with the id', async () => {
      const spelled = draft('ann', 'cn=ann', { firstSpelling: 'ANN', secondSpelling: 'cn=Ann' })
      const [stored] = await links().insert([spelled, draft('bob', 'cn=bob')])
      expect(await links().read(spelled._id)).toEqual(stored)
      expect((await links().find(hr, 'secondId', ['cn=ann'])).get('cn=ann')).toEqual(stored)
      expect(await links().read('bob-cn=bob')).not.toHaveProperty('firstSpelling')
      const { secondSpelling: _, ...moved } = { ...(stored as Link), secondId: 'cn=other' }
      const [changed] = await links().update([moved])
      expect(await links().read(spelled._id)).toEqual(changed)
      expect(changed).toMatchObject({ firstSpelling: 'ANN', secondId: 'cn=other' })
      expect(changed).not.toHaveProperty('secondSpelling')
    })

    it('refuse a second link of an id of their set, on either side, and keep none of the page', async () => {
      await links().insert([draft('1', 'a')])
      for (const taken of [draft('1', 'z'), draft('9', 'a')]) {
        await expect(links().insert([draft('7', 'g'), taken])).rejects.toMatchObject({
          code: 'PRECONDITION_FAILED',
          message: expect.stringContaining(taken.firstId),
        })
      }
      expect(pairs(await flattened(links().all(hr)))).toEqual(['1-a'])
      await links().insert([draft('1', 'a', { _id: 'same ends', linkQualifier: 'admin' })])
      expect(await links().count('hr_user')).toBe(2)
    })

    it('name both ids where they refuse one', async () => {
      await links().insert([draft('1', 'a')])
      const refused = links().insert([draft('1', 'z')])
      await expect(refused).rejects.toThrow(/1.*z/)
    })

    it('refuse an _id that another link has', async () => {
      await links().insert([draft('1', 'a')])
      const again = draft('2', 'b', { _id: '1-a' })
      await expect(links().insert([again])).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    })

    it('get a new revision with every update', async () => {
      const [link] = await links().insert([draft('1', 'a')])
      const [moved] = await links().update([{ ...(link as Link), secondId: 'b' }])
      expect(moved).toMatchObject({ ...draft('1', 'b'), _id: '1-a' })
      expect(moved?._rev).not.toBe(link?._rev)
      expect(await links().read('1-a')).toEqual(moved)
      expect((await links().find(hr, 'secondId', ['a'])).size).toBe(0)
    })

    it('are not updated with a revision that is no longer theirs, nor is the rest of the page', async () => {
      const [one, two] = (await links().insert([draft('1', 'a'), draft('2', 'b')])) as [Link, Link]
      const stale = { ...two, secondId: 'y', _rev: 'stale' }
      const update = links().update([{ ...one, secondId: 'x' }, stale])
      await expect(update).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
      expect(await links().read(one._id)).toEqual(one)
    })

    it('are not moved to an id that is taken', async () => {
      const [one] = (await links().insert([draft('1', 'a'), draft('2', 'b')])) as [Link]
      const update = links().update([{ ...one, secondId: 'b' }])
      await expect(update).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    })

    it('exchange their ids within a page, and hand them on in any order, on either side', async () => {
      const drafts = [draft('1', 'a'), draft('2', 'b'), draft('3', 'c'), draft('4', 'd')]
      const stored = await links().insert(drafts)
      const seconds = ['b', 'a', 'd', 'e']
      const moved = await links().update(
        stored.map((link, place) => ({ ...link, secondId: seconds[place] ?? '' })),
      )
      expect(pairs(await flattened(links().all(hr)))).toEqual(['1-b', '2-a', '3-d', '4-e'])
      const firsts = ['2', '3', '1', '4']
      const turned = await links().update(
        moved.map((link, place) => ({ ...link, firstId: firsts[place] ?? '' })),
      )
      expect(pairs(await flattened(links().all(hr)))).toEqual(['1-d', '2-b', '3-a', '4-e'])
      for (const link of turned) expect(await links().read(link._id)).toEqual(link)
    })

    it('are left as they were where a page that exchanges ids cannot be kept as a whole', async () => {
      const stored = await links().insert([draft('1', 'a'), draft('2', 'b'), draft('3', 'c')])
      const seconds = ['b', 'c']
      const moved = stored.slice(0, 2).map((link, place) => ({ ...link, secondId: seconds[place] ?? '' }))
      await expect(links().update(moved)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
      for (const link of stored) expect(await links().read(link._id)).toEqual(link)
    })

    it('are deleted by id, with a revision only if it is still theirs', async () => {
      const [one] = (await links().insert([draft('1', 'a'), draft('2', 'b')])) as [Link]
      const stale = links().delete([{ _id: one._id, _rev: 'stale' }])
      await expect(stale).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
      await links().delete([{ _id: one._id, _rev: one._rev }, { _id: '2-b' }])
      expect(await links().count('hr_user')).toBe(0)
      await expect(links().delete([{ _id: one._id }])).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('come in pages in the order of firstId', async () => {
      const ids = ['b', 'a', 'B', 'é', '10', '9', 'z'].map((id) => draft(id, id))
      await links().insert([...ids, draft('other', 'other', { linkQualifier: 'admin' })])
      const pages = await Array.fromAsync(links().all(hr, 3))
      expect(pages.map((page) => page.length)).toEqual([3, 3, 1])
      expect(pages.flat().map((link) => link.firstId)).toEqual(['10', '9', 'B', 'a', 'b', 'z', 'é'])
    })

    it('tell under which qualifiers an id is linked', async () => {
      await links().insert([draft('1', 'a'), draft('2', 'b')])
      await links().insert([
        draft('1', 'c', { linkQualifier: 'admin' }),
        draft('1', 'd', { linkType: 'other' }),
      ])
      const found = await links().qualifiersOf('hr_user', 'firstId', ['1', '2', '3', '1'])
      expect([...(found.get('1') ?? [])].sort()).toEqual(['admin', 'default'])
      expect(found.get('2')).toEqual(['default'])
      expect(found.has('3')).toBe(false)
      expect((await links().qualifiersOf('hr_user', 'secondId', ['c'])).get('c')).toEqual(['admin'])
    })

    it('are counted by type and qualifier, and deleted by type', async () => {
      await links().insert([draft('1', 'a'), draft('2', 'b'), draft('1', 'c', { linkQualifier: 'admin' })])
      await links().insert([draft('1', 'a', { _id: 'x', linkType: 'other' })])
      expect(await links().count('hr_user')).toBe(3)
      expect(await links().count('hr_user', 'admin')).toBe(1)
      expect(await links().deleteType('hr_user')).toBe(3)
      expect([await links().count('hr_user'), await links().count('other')]).toEqual([0, 1])
    })

    it('can be queried by every member, sorted and paged', async () => {
      await links().insert(['1', '2', '3', '4', '5'].map((id) => draft(id, `t${9 - Number(id)}`)))
      await links().insert([draft('6', 'x', { linkType: 'other' })])
      const query = {
        filter: parseFilter('linkType eq "hr_user" and !(secondId eq "t6") and !(state pr)'),
        sortKeys: parseSortKeys('linkType,-secondId'),
        pageSize: 3,
      }
      const pages = await everyPage((each) => links().query(each), query)
      expect(pages.map((page) => page.map((link) => link.firstId))).toEqual([['1', '2', '4'], ['5']])
      expect(pages[0]?.[0]).toEqual(await links().read('1-t8'))
      const offset = await links().query({ filter: parseFilter('true'), offset: 2, pageSize: 2, total: true })
      expect(offset.total).toBe(6)
      expect(pairs(offset.result)).toEqual(['3-t6', '4-t5'])
    })
  })
}
