import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../testing/folder.ts'
import type { Repository } from '../repository.ts'
import type { Current } from './current.ts'

const users = 'managed/user'
const link = { _id: 'l', linkType: 'hr_user', linkQualifier: 'default', firstId: '1', secondId: 'a' }
const event = { id: 'e', topic: 'recon', timestamp: '2025-03-02T08:00:00.120Z', content: {} }
const create = (id: string, content = {}) => ({ operation: 'create' as const, id, content })
const everything = { filter: { kind: 'literal', value: true } as const, pageSize: 10 }

export function branchContract(current: Current): void {
  describe('a branch', () => {
    let folder: ReturnType<typeof temporaryFolder>
    let opened: AsyncDisposableStack
    beforeEach(() => {
      folder = temporaryFolder()
      opened = new AsyncDisposableStack()
      opened.use(folder)
    })
    afterEach(() => opened.disposeAsync())

    const branch = async (of: Repository = current()) => opened.use(await of.branch(folder.path))

    it('begins with the objects, links and settings of its origin, at the same revisions', async () => {
      const { objects, links, settings } = current()
      await objects.declare(users, ['mail'])
      await objects.write(users, [create('1', { mail: 'a@x' }), create('2', { mail: 'b@x' })])
      await links.insert([link])
      await settings.write('key', { a: 1 })
      const own = await branch()
      expect(await own.objects.read(users, ['1', '2'])).toEqual(await objects.read(users, ['1', '2']))
      expect(await own.links.read('l')).toEqual(await links.read('l'))
      expect(await own.settings.read('key')).toEqual({ a: 1 })
    })

    it('leaves behind what happened, and what waits in the queue', async () => {
      await current().audit.append([event])
      await current().runs.save({
        ...{
          id: 'r',
          mapping: 'm',
          analysis: false,
          state: 'SUCCESS',
          started: event.timestamp,
          content: {},
        },
      })
      const own = await branch()
      expect(await own.audit.read('recon', 'e')).toBeUndefined()
      expect(await own.runs.list()).toEqual([])
      await own.audit.append([event])
      expect(await own.audit.read('recon', 'e')).toBeDefined()
    })

    it('is written without the origin seeing it, and the other way round', async () => {
      const { objects, links } = current()
      await objects.write(users, [create('1')])
      const own = await branch()
      await own.transaction(async (store) => {
        await store.objects.write(users, [create('2'), { operation: 'delete', id: '1' }])
        await store.links.insert([link])
        await store.objects.write('managed/role', [create('r')])
      })
      await objects.write(users, [create('3')])
      const idsIn = async ({ objects: { query } }: Repository) =>
        (await query(users, everything)).result.map(({ _id }) => _id)
      expect(await idsIn(current())).toEqual(['1', '3'])
      expect(await idsIn(own)).toEqual(['2'])
      expect([await links.count('hr_user'), await own.links.count('hr_user')]).toEqual([0, 1])
      expect([await objects.count('managed/role'), await own.objects.count('managed/role')]).toEqual([0, 1])
    })

    it('is of one moment, and lets others write while it is made', async () => {
      const { objects } = current()
      await objects.write(
        users,
        Array.from({ length: 12_000 }, (_, at) => create(`${at}`)),
      )
      await objects.write('managed/role', [create('before')])
      const [own] = await Promise.all([
        branch(),
        current().transaction(async (store) => {
          await store.objects.write(users, [{ operation: 'delete', id: '11999' }])
          await store.objects.write('managed/role', [create('after')])
        }),
      ])
      const has = async (set: string, id: string) => (await own.objects.read(set, [id])).has(id)
      // Whichever of the two moments it is of, it is not of both.
      expect(await has(users, '11999')).toBe(!(await has('managed/role', 'after')))
      expect(await objects.count('managed/role')).toBe(2)
    })
  })
}
