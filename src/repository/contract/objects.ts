import { describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { ObjectWrite } from '../objects.ts'
import { flattened } from './collect.ts'
import type { Current } from './current.ts'

const users = 'managed/user'

function create(
  id: string,
  content: Extract<ObjectWrite, { content: unknown }>['content'] = {},
): ObjectWrite {
  return { operation: 'create', id, content }
}

export function objectsContract(current: Current): void {
  describe('objects', () => {
    const objects = () => current().objects
    const stored = async (id: string) => (await objects().read(users, [id])).get(id)

    it('come back as they were written, with identity and revision first', async () => {
      const content = { name: { 'it\'s "a.b"': [1, 2.5, null, true, { ü: '😀' }] }, 'a/b': '', none: null }
      const [outcome] = await objects().write(users, [create('1', content)])
      const object = await stored('1')
      expect(object).toEqual({ ...content, _id: '1', _rev: expect.any(String) })
      expect(outcome).toEqual({ ok: true, object })
      expect(Object.keys(object ?? {}).slice(0, 2)).toEqual(['_id', '_rev'])
    })

    it('keep the id they are written under, whatever their content claims', async () => {
      await objects().write(users, [create('1', { _id: 'other', _rev: 'mine' })])
      expect(await stored('1')).toMatchObject({ _id: '1', _rev: expect.not.stringMatching('mine') })
    })

    it('belong to their collection only', async () => {
      await objects().write(users, [create('1', { in: users })])
      await objects().write('managed/role', [create('1', { in: 'role' }), create('2')])
      expect(await stored('1')).toMatchObject({ in: users })
      expect([await objects().count(users), await objects().count('managed/role')]).toEqual([1, 2])
      expect(await objects().collections()).toEqual(expect.arrayContaining([users, 'managed/role']))
    })

    it('of a collection without a write are none', async () => {
      expect((await objects().read('nowhere', ['1'])).size).toBe(0)
      expect(await objects().query('nowhere', { filter: everything, total: true })).toEqual({
        result: [],
        cookie: null,
        total: 0,
      })
      expect(await objects().count('nowhere')).toBe(0)
      expect(await flattened(objects().ids('nowhere'))).toEqual([])
    })

    it('are written in order, and the failure of one undoes no other', async () => {
      const outcomes = await objects().write(users, [
        create('1', { n: 1 }),
        create('1', { n: 2 }),
        { operation: 'update', id: 'nobody', content: {} },
        { operation: 'update', id: '1', content: { n: 3 }, rev: 'stale' },
        { operation: 'delete', id: 'nobody' },
        { operation: 'delete', id: '1', rev: 'stale' },
        { operation: 'update', id: '1', content: { n: 4 } },
      ])
      expect(outcomes.map((outcome) => (outcome.ok ? outcome.object.n : outcome.reason))).toEqual([
        1,
        'exists',
        'missing',
        'changed',
        'missing',
        'changed',
        4,
      ])
      expect(await stored('1')).toMatchObject({ n: 4 })
    })

    it('get a new revision with every write, also when written anew after a deletion', async () => {
      const seen = new Set<string>()
      const note = async (...writes: ObjectWrite[]) => {
        for (const outcome of await objects().write(users, writes))
          if (outcome.ok) seen.add(outcome.object._rev)
      }
      await note(create('1', { n: 1 }))
      await note({ operation: 'update', id: '1', content: { n: 1 } })
      await objects().write(users, [{ operation: 'delete', id: '1' }])
      await note(create('1', { n: 1 }), create('2', { n: 1 }))
      expect(seen.size).toBe(4)
    })

    it('are updated and deleted with the revision that is theirs; the deleted object is answered', async () => {
      const [created] = await objects().write(users, [create('1', { n: 1 })])
      const rev = created?.ok ? created.object._rev : ''
      const [updated] = await objects().write(users, [
        { operation: 'update', id: '1', content: { n: 2 }, rev },
      ])
      const object = updated?.ok ? updated.object : undefined
      const [deleted] = await objects().write(users, [{ operation: 'delete', id: '1', rev: object?._rev }])
      expect(deleted).toEqual({ ok: true, object })
      expect(await stored('1')).toBeUndefined()
    })

    it('are read a page at a time, by exact id', async () => {
      await objects().write(
        users,
        ['a', 'A', `it's`, '"', 'é'].map((id) => create(id)),
      )
      const found = await objects().read(users, ['A', '"', `it's`, 'é', 'E', ''])
      expect([...found.keys()].sort()).toEqual(['"', 'A', `it's`, 'é'])
    })

    it('list their ids in pages in order', async () => {
      await objects().write(
        users,
        ['b', 'a', 'B', '10', '9'].map((id) => create(id)),
      )
      expect(await Array.fromAsync(objects().ids(users, 2))).toEqual([['10', '9'], ['B', 'a'], ['b']])
    })

    it('answer the same whichever pointers are declared as searchable', async () => {
      await objects().write(users, [
        create('1', { mail: 'a', n: 1 }),
        create('2', { mail: ['b', 'a'] }),
        create('3'),
      ])
      const found = async () => {
        const page = await objects().query(users, { filter: parseFilter('mail eq "a"') })
        return page.result.map((object) => object._id)
      }
      for (const searchable of [
        [],
        ['mail'],
        ['/mail', 'n', 'it\'s/"b"', 'mail/0', '_id', 'a.b'],
        ['n'],
        [],
      ]) {
        await objects().declare(users, searchable)
        expect(await found()).toEqual(['1', '2'])
      }
      await objects().declare(users, ['mail'])
      await objects().write(users, [create('4', { mail: 'a' }), { operation: 'delete', id: '1' }])
      expect(await found()).toEqual(['2', '4'])
    })
  })
}
