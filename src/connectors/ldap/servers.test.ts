import { describe, expect, it } from 'vitest'
import { inOrder, type Located, serversOfDomain } from './servers.ts'

const located = (name: string, priority: number, weight: number): Located => ({
  name,
  port: 389,
  priority,
  weight,
})

describe('the servers that the DNS names', () => {
  it('are tried by priority, and among equals by lot, heavier ones more often', () => {
    const records = [
      located('last', 20, 1),
      located('light', 10, 1),
      located('heavy', 10, 9),
      located('none', 10, 0),
    ]
    const order = (lot: number) => inOrder(records, () => lot).map(({ name }) => name)
    expect(order(0)).toEqual(['none', 'light', 'heavy', 'last'])
    expect(order(0.05)).toEqual(['light', 'heavy', 'none', 'last'])
    expect(order(0.5)).toEqual(['heavy', 'light', 'none', 'last'])
  })

  it('are those of _ldap._tcp, or with ssl of _ldaps._tcp', async () => {
    const asked: string[] = []
    const resolver = {
      resolveSrv: async (name: string) => {
        asked.push(name)
        return [located('a.example.com', 0, 0)]
      },
    }
    expect(await serversOfDomain('example.com', false, resolver)).toEqual([
      { host: 'a.example.com', port: 389, secure: false },
    ])
    await serversOfDomain('example.com', true, resolver)
    expect(asked).toEqual(['_ldap._tcp.example.com', '_ldaps._tcp.example.com'])
  })

  it('that are none are an error that names the record and says what to do', async () => {
    const resolver = {
      resolveSrv: async () => {
        throw Object.assign(new Error('querySrv ENOTFOUND _ldap._tcp.example.com'), { code: 'ENOTFOUND' })
      },
    }
    await expect(serversOfDomain('example.com', false, resolver)).rejects.toMatchObject({
      kind: 'connection',
      message: expect.stringContaining('_ldap._tcp.example.com'),
      hint: expect.stringContaining('useDNSSRVRecord'),
    })
  })
})
