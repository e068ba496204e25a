import { describe, expect, it } from 'vitest'
import type { Current } from './current.ts'

const users = 'managed/user'
const link = { _id: 'l', linkType: 'hr_user', linkQualifier: 'default', firstId: '1', secondId: 'a' }
const event = { id: 'e', topic: 'recon', timestamp: '2025-03-02T08:00:00.120Z', content: {} }

export function transactionsContract(current: Current): void {
  describe('a transaction', () => {
    const create = (id: string) => ({ operation: 'create' as const, id, content: {} })

    it('keeps everything that was done in it', async () => {
      const answer = await current().transaction(async (store) => {
        await store.objects.write(users, [create('1')])
        await store.links.insert([link])
        await store.audit.append([event])
        await store.settings.write('key', 1)
        return 'done'
      })
      expect(answer).toBe('done')
      const { objects, links, audit, settings } = current()
      expect(await objects.count(users)).toBe(1)
      expect(await links.read('l')).toMatchObject(link)
      expect(await audit.read('recon', 'e')).toBeDefined()
      expect(await settings.read('key')).toBe(1)
    })

    it('keeps nothing if its work throws, and what comes after it works', async () => {
      const failing = current().transaction(async (store) => {
        await store.objects.declare(users, ['mail'])
        await store.objects.write(users, [create('1')])
        await store.links.insert([link])
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      const { objects, links } = current()
      expect([await objects.count(users), await links.count('hr_user')]).toEqual([0, 0])
      await objects.write(users, [create('2')])
      await links.insert([link])
      expect([await objects.count(users), await links.count('hr_user')]).toEqual([1, 1])
    })

    it('reads its own writes, which no other reader sees before it ends', async () => {
      await current().objects.write(users, [create('0')])
      await current().transaction(async (store) => {
        await store.objects.write(users, [create('1')])
        await store.links.insert([link])
        expect(await store.objects.count(users)).toBe(2)
        expect(await store.links.read('l')).toBeDefined()
        expect(await current().objects.count(users)).toBe(1)
        expect(await current().links.read('l')).toBeUndefined()
      })
      expect(await current().objects.count(users)).toBe(2)
    })

    it('survives a write that is refused, without any of that write', async () => {
      await current().transaction(async (store) => {
        await store.links.insert([link])
        const refused = store.links.insert([
          { ...link, _id: 'other', firstId: '2', secondId: 'b' },
          { ...link, _id: 'taken', secondId: 'c' },
        ])
        await expect(refused).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
        await store.objects.write(users, [create('1')])
      })
      expect(await current().links.count('hr_user')).toBe(1)
      expect(await current().objects.count(users)).toBe(1)
    })

    it('waits for the one before it, and so do writes of their own', async () => {
      let running = 0
      const first = current().transaction(async (store) => {
        running++
        await store.settings.write('key', 'first')
        await new Promise((resolve) => setTimeout(resolve, 20))
        running--
      })
      const second = current().transaction(async (store) => ({
        running,
        seen: await store.settings.read('key'),
      }))
      const third = current().settings.write('key', 'third')
      await Promise.all([first, second, third])
      expect(await second).toEqual({ running: 0, seen: 'first' })
      expect(await current().settings.read('key')).toBe('third')
    })

    it('has the effect of one call of its work, however often it calls it', async () => {
      const count = () =>
        current().transaction(async (store) => {
          const n = Number((await store.settings.read('n')) ?? 0) + 1
          await store.settings.write('n', n)
          await store.audit.append([{ ...event, id: String(n) }])
          await store.objects.write(users, [create(String(n))])
          return n
        })
      expect([await count(), await count()]).toEqual([1, 2])
      expect(await current().settings.read('n')).toBe(2)
      expect(await current().objects.count(users)).toBe(2)
      expect((await current().audit.verify()).broken).toBeUndefined()
    })

    it('throws what the last call of its work throws', async () => {
      const failing = current().transaction(async (store) => {
        const n = Number((await store.settings.read('n')) ?? 0) + 1
        await store.settings.write('n', n)
        throw new Error(`call ${n}`)
      })
      await expect(failing).rejects.toThrow('call 1')
      expect(await current().settings.read('n')).toBeUndefined()
    })

    it('refuses writes through the outer repository, which would wait for it for ever', async () => {
      await current().transaction(async () => {
        await expect(async () => current().settings.write('key', 1)).rejects.toMatchObject({
          code: 'INTERNAL',
        })
        await expect(async () => current().transaction(async () => 1)).rejects.toMatchObject({
          code: 'INTERNAL',
        })
      })
    })

    it('leaves a store behind that can no longer be used', async () => {
      const escaped = await current().transaction(async (store) => ({ store }))
      await expect(escaped.store.settings.write('key', 1)).rejects.toMatchObject({ code: 'INTERNAL' })
      await expect(escaped.store.settings.read('key')).rejects.toMatchObject({ code: 'INTERNAL' })
    })
  })
}
