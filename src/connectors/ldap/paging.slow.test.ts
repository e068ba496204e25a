import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything, type Filter } from '../../model/filter/filter.ts'
import type { Clock } from '../kit/kind.ts'
import type { PageQuery } from '../kit/query.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { type Proxy as Network, proxyTo } from './testing/proxy.ts'
import { people, type Slapd, startSlapd } from './testing/slapd.ts'

/** Pages as REST asks for them, of a directory of 1,000 people. */
const entries = Array.from(
  { length: 1000 },
  (_, n) => `dn: uid=p${n},${people}\nobjectClass: inetOrgPerson\nuid: p${n}\ncn: Person ${n % 10}\nsn: x\n`,
)

let slapd: Slapd
let proxy: Network
beforeAll(async () => {
  slapd = await startSlapd({ entries: entries.join('\n') })
  proxy = await proxyTo(slapd.port)
})
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await slapd[Symbol.asyncDispose]()
})

const settings = { baseContexts: [people] }
const page = (connector: LdapConnector, query: Partial<PageQuery> = {}) =>
  connector.page({
    objectClass: '__ACCOUNT__',
    filter: everything,
    fields: ['uid'],
    pageSize: 20,
    sortKeys: [],
    offset: 0,
    total: false,
    ...query,
  })

/** The ids of all pages from a cookie on, and how many pages there were. */
async function rest(connector: LdapConnector, cookie?: string | null, query: Partial<PageQuery> = {}) {
  const ids: string[] = []
  let count = 0
  for (let next = cookie; next !== null; count++) {
    const found = await page(connector, { ...query, cookie: next })
    ids.push(...found.objects.map(({ _id }) => _id))
    next = found.cookie
  }
  return { ids, count }
}

describe('pages of a directory', () => {
  it('cost what they hold: the server gives each entry once, over one connection', async () => {
    await using connector = slapd.connect({ ...settings, port: proxy.port })
    await page(connector, { pageSize: 1, filter: { kind: 'literal', value: false } })
    const [before, connections] = [proxy.received, proxy.count]
    const first = await page(connector)
    const one = proxy.received - before
    const { ids, count } = await rest(connector, first.cookie)
    expect([ids.length, new Set(ids).size, count]).toEqual([980, 980, 49])
    // The one after a page is under way already.
    expect(proxy.received - before).toBeLessThan(one * 50)
    expect(proxy.count).toBe(connections)
  })

  it('go on where they were after the search has ended: with the connection, the process, or because others are open', async () => {
    await using connector = slapd.connect({ ...settings, port: proxy.port })
    const whole = await rest(connector)
    const first = await page(connector)
    proxy.cut()
    await expect
      .poll(() => rest(connector, first.cookie).catch(() => ({ count: 0 })))
      .toMatchObject({ count: 49 })
    await using later = slapd.connect(settings)
    const shown = first.objects.map(({ _id }) => _id)
    expect([...shown, ...(await rest(later, first.cookie)).ids]).toEqual(whole.ids)
    const many = await Promise.all(Array.from({ length: 12 }, () => page(later)))
    for (const { cookie } of many.slice(0, 3))
      expect([...shown, ...(await rest(later, cookie)).ids]).toEqual(whole.ids)
  })

  it('are the same when one is asked for again', async () => {
    await using connector = slapd.connect(settings)
    const first = await page(connector)
    const [second, again] = [
      await page(connector, { cookie: first.cookie ?? '' }),
      await page(connector, { cookie: first.cookie ?? '' }),
    ]
    expect(again.objects).toEqual(second.objects)
  })

  it('may have other attributes and another size each', async () => {
    await using connector = slapd.connect(settings)
    const first = await page(connector, { pageSize: 3 })
    const second = await page(connector, { pageSize: 5, cookie: first.cookie ?? '', fields: ['cn'] })
    expect(second.objects).toHaveLength(5)
    expect(second.objects[0]).toMatchObject({ cn: ['Person 3'] })
    expect(Object.keys(second.objects[0] ?? {})).not.toContain('uid')
  })

  it('know a cookie of another query, and one whose place is gone', async () => {
    await using connector = slapd.connect(settings)
    const filter: Filter = { kind: 'compare', operator: 'eq', pointer: ['cn'], value: 'Person 1' }
    await connector.schema()
    const { cookie, total } = await page(connector, { filter, total: true })
    expect(total).toBe(100)
    await expect(page(connector, { cookie: cookie ?? '' })).rejects.toMatchObject({ kind: 'unknownCookie' })
    slapd.change(`dn: uid=q,${people}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: q\ncn: q\nsn: q\n`)
    const last = await page(connector, { pageSize: 1001 - 1, filter: everything })
    slapd.change(`dn: uid=p999,${people}\nchangetype: delete\n`)
    await using other = slapd.connect(settings)
    await expect(page(other, { cookie: last.cookie ?? '' })).rejects.toThrow(/begin with the first page/)
    expect((await page(connector, { cookie: last.cookie ?? '' })).objects).toMatchObject([{ uid: ['q'] }])
  })

  it('that nobody asks for any more free their connection', async () => {
    const woken: (() => void)[] = []
    const clock: Clock = {
      now: () => 0,
      sleep: (_, signal) =>
        new Promise((resolve, reject) => {
          woken.push(resolve)
          signal?.addEventListener('abort', () => reject(signal.reason))
        }),
    }
    await using connector = slapd.connect({ ...settings, port: proxy.port }, { clock })
    const before = proxy.open
    await page(connector)
    const second = await page(connector)
    expect([proxy.open - before, woken.length]).toEqual([2, 2])
    for (const wake of woken) wake()
    // The connections serve others.
    expect((await rest(connector, second.cookie)).count).toBe(49)
    expect(proxy.open - before).toBe(2)
  })
})
