import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { NewLease } from '../leases.ts'
import type { Current } from './current.ts'

const long = 600_000
const lease = (name: string, ttl = long): NewLease => ({
  ...{ name, ttl, owner: `for ${name}`, process: { pid: 1, host: 'h' } },
})

export function leasesContract(current: Current): void {
  describe('leases', () => {
    const leases = () => current().leases

    it('are read as they were taken', async () => {
      const epoch = await leases().take(lease('a'))
      const expected = {
        ...{ name: 'a', epoch, owner: 'for a' },
        process: { pid: 1, host: 'h' },
        expired: false,
      }
      expect(await leases().read('a')).toEqual(expected)
      expect(await leases().list()).toEqual([expected])
      expect(await leases().read('b')).toBeUndefined()
    })

    it('are taken once, or instead of the one that is named', async () => {
      const first = await leases().take(lease('a'))
      expect(await leases().take(lease('a'))).toBeUndefined()
      expect(await leases().take(lease('a'), Number(first) + 1000)).toBeUndefined()
      const second = await leases().take(lease('a'), first)
      expect(second).toBeGreaterThan(Number(first))
      expect(await leases().take(lease('a'), first)).toBeUndefined()
    })

    it('have an epoch that grows, also after the one before was ended', async () => {
      const first = Number(await leases().take(lease('a')))
      expect(await leases().end('a', first)).toBe(true)
      const second = Number(await leases().take(lease('a')))
      const other = Number(await leases().take(lease('b')))
      expect([second > first, other > second]).toEqual([true, true])
    })

    it('expire, and can be renewed until another one is there', async () => {
      const first = Number(await leases().take(lease('a', 1)))
      await setTimeout(20)
      expect(await leases().read('a')).toMatchObject({ expired: true })
      expect(await leases().holds('a', first)).toBe(true)
      expect(await leases().renew('a', first, long)).toBe(true)
      expect(await leases().read('a')).toMatchObject({ expired: false })
      await leases().take(lease('a'), first)
      expect(await leases().renew('a', first, long)).toBe(false)
      expect(await leases().holds('a', first)).toBe(false)
      expect(await leases().end('a', first)).toBe(false)
    })

    it('are known in the transaction that writes under them', async () => {
      const epoch = Number(await leases().take(lease('a')))
      const held = () => current().transaction((store) => store.leases.holds('a', epoch))
      expect(await held()).toBe(true)
      await leases().end('a', epoch)
      expect(await held()).toBe(false)
    })
  })
}
