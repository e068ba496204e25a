import { describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Relationship, SeenRelationship } from '../relationships.ts'
import type { Current } from './current.ts'

const grant = (_id: string, user: string, role: string, properties: JsonObject = {}): Relationship => ({
  _id,
  first: { collection: 'managed/user', id: user, property: 'roles' },
  second: { collection: 'managed/role', id: role, property: 'members' },
  properties,
})
const manages = (_id: string, user: string, manager: string): Relationship => ({
  _id,
  first: { collection: 'managed/user', id: user, property: 'manager' },
  second: { collection: 'managed/user', id: manager, property: 'reports' },
  properties: {},
})
const idsIn = (found: readonly SeenRelationship[] | undefined) => found?.map(({ _id }) => _id)

export function relationshipsContract(current: Current): void {
  describe('relationships', () => {
    const relationships = () => current().relationships

    it('are one thing that both ends see', async () => {
      await relationships().insert([grant('1', 'ann', 'clerk', { since: 'May' })])
      const [fromUser] = (await relationships().of('managed/user', ['ann', 'bob'])).get('ann') ?? []
      const [fromRole] = (await relationships().of('managed/role', ['clerk'])).get('clerk') ?? []
      expect(fromUser).toMatchObject({
        _id: '1',
        own: { id: 'ann', property: 'roles' },
        other: { collection: 'managed/role', id: 'clerk', property: 'members' },
        properties: { since: 'May' },
      })
      expect(fromRole).toEqual({ ...fromUser, own: fromUser?.other, other: fromUser?.own })
    })

    it('are found by property and by other end, in the order of storing', async () => {
      await relationships().insert([
        ...[grant('2', 'ann', 'clerk'), grant('1', 'ann', 'admin'), grant('3', 'bob', 'clerk')],
        ...[manages('4', 'ann', 'bob'), manages('5', 'bob', 'bob')],
      ])
      const users = ['ann', 'bob']
      const all = await relationships().of('managed/user', users)
      expect([idsIn(all.get('ann')), idsIn(all.get('bob'))]).toEqual([
        ['2', '1', '4'],
        ['3', '4', '5', '5'],
      ])
      const shown = await relationships().of('managed/user', users, { properties: ['reports'] })
      expect([shown.get('ann'), idsIn(shown.get('bob'))]).toEqual([undefined, ['4', '5']])
      const to = { collection: 'managed/role', ids: ['admin'] }
      const some = await relationships().of('managed/user', users, { properties: ['roles'], to })
      expect([idsIn(some.get('ann')), some.get('bob')]).toEqual([['1'], undefined])
      expect(
        await relationships().reaching(
          { collection: 'managed/user', property: 'roles' },
          { collection: 'managed/role', ids: ['clerk', 'admin'] },
        ),
      ).toEqual(['ann', 'bob'])
    })

    it('get a new revision with new properties, and go', async () => {
      await relationships().insert([grant('1', 'ann', 'clerk')])
      const read = async () => (await relationships().of('managed/user', ['ann'])).get('ann')?.[0]
      const before = await read()
      await relationships().update([{ _id: '1', properties: { until: 'June' } }])
      const after = await read()
      expect(after?.properties).toEqual({ until: 'June' })
      expect(after?._rev).not.toBe(before?._rev)
      await relationships().delete(['1', 'nobody'])
      expect(await read()).toBeUndefined()
    })

    it('of an id that is taken are refused, all of them', async () => {
      await relationships().insert([grant('1', 'ann', 'clerk')])
      const again = relationships().insert([grant('2', 'bob', 'clerk'), grant('1', 'bob', 'admin')])
      await expect(again).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
      expect((await relationships().of('managed/user', ['bob'])).size).toBe(0)
    })

    it('of one object are queried in pages, by their own members and by those of the objects', async () => {
      const names = ['dan', 'ann', 'cleo', 'bob']
      await current().objects.write(
        'managed/user',
        names.map((id) => ({ operation: 'create', id, content: { name: id, _ref: 'nonsense' } })),
      )
      await relationships().insert(names.map((id, at) => grant(`r${at}`, id, 'clerk', { rank: at })))
      await relationships().insert([grant('x', 'ann', 'other')])
      const scope = {
        ...{ collection: 'managed/role', id: 'clerk', property: 'members', others: ['managed/user'] },
      }
      const sortKeys = [{ pointer: ['name'], descending: false }]
      const first = await relationships().query(scope, {
        filter: everything,
        sortKeys,
        pageSize: 3,
        total: true,
      })
      expect([first.total, first.result.map(({ _ref }) => _ref)]).toEqual([
        4,
        ['managed/user/ann', 'managed/user/bob', 'managed/user/cleo'],
      ])
      expect(first.result[0]).toEqual({
        ...{ _id: 'r1', _rev: expect.any(String), _ref: 'managed/user/ann' },
        ...{ _refResourceCollection: 'managed/user', _refResourceId: 'ann' },
        _refProperties: { _id: 'r1', _rev: first.result[0]?._rev, rank: 1 },
      })
      const rest = await relationships().query(scope, {
        filter: everything,
        sortKeys,
        pageSize: 3,
        cookie: first.cookie as string,
      })
      expect([rest.cookie, rest.result.map(({ _id }) => _id)]).toEqual([null, ['r0']])
      const matching = async (filter: string) =>
        (await relationships().query(scope, { filter: parseFilter(filter) })).result.map(({ _id }) => _id)
      expect(await matching('/_refProperties/rank ge 2 or name eq "dan"')).toEqual(['r0', 'r2', 'r3'])
      expect(await matching('_ref eq "managed/user/cleo"')).toEqual(['r2'])
      expect(await matching('_id eq "r3"')).toEqual(['r3'])
    })

    it('tell which objects have one that matches', async () => {
      await current().objects.write('managed/role', [
        { operation: 'create', id: 'clerk', content: { name: 'Clerk' } },
      ])
      await relationships().insert([
        ...[grant('1', 'ann', 'clerk'), grant('2', 'ann', 'clerk'), grant('3', 'bob', 'a/b')],
      ])
      const scope = { collection: 'managed/user', property: 'roles', others: ['managed/role'] }
      const owners = async (filter: string) => relationships().owners(scope, parseFilter(filter))
      expect(await owners('name eq "Clerk"')).toEqual(['ann'])
      expect(await owners('_ref eq "managed/role/a%2Fb"')).toEqual(['bob'])
      expect(await owners('true')).toEqual(['ann', 'bob'])
    })

    it('are kept or dropped with the transaction that makes them', async () => {
      const broken = current().transaction(async (store) => {
        await store.relationships.insert([grant('1', 'ann', 'clerk')])
        throw new Error('broken off')
      })
      await expect(broken).rejects.toThrow('broken off')
      expect((await relationships().of('managed/user', ['ann'])).size).toBe(0)
    })
  })

  describe('objects', () => {
    it('are told to be there by id', async () => {
      await current().objects.write('managed/user', [{ operation: 'create', id: 'ann', content: {} }])
      expect(await current().objects.existing('managed/user', ['ann', 'bob'])).toEqual(new Set(['ann']))
      expect(await current().objects.existing('managed/nobody', ['ann'])).toEqual(new Set())
    })
  })
}
