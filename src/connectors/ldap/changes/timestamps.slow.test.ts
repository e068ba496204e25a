import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ChangesPage, SyncToken } from '../../kit/changes.ts'
import type { LdapConnector } from '../ldap-connector.ts'
import { changingContract } from '../testing/changing-contract.ts'
import { base, people, type Slapd, startSlapd } from '../testing/slapd.ts'

let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd()
})

afterEach(() => slapd.empty())

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

const open = (configuration = {}) => slapd.connect({ useTimestampsForSync: true, ...configuration })

changingContract(
  {
    name: 'OpenLDAP by times',
    objectClass: '__ACCOUNT__',
    open: async () => ({ connector: open(), reopen: async () => open(), close: async () => undefined }),
    account: (n) => ({ dn: `uid=u${n},${people}`, uid: [`u${n}`], cn: [`Name ${n}`], sn: ['Name'] }),
    attribute: 'displayName',
    unique: 'dn',
    unknown: 'shoeSize',
    rename: (n) => ({ dn: `uid=u${n},${people}`, uid: [`u${n}`] }),
  },
  { describe, it },
)

const added = (uid: string, more = '') =>
  `dn: uid=${uid},${people}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: x\n${more}`
const changed = (uid: string, value: string) =>
  `dn: uid=${uid},${people}\nchangetype: modify\nreplace: sn\nsn: ${value}\n`
const deleted = (uid: string) => `dn: uid=${uid},${people}\nchangetype: delete\n`

async function told(connector: LdapConnector, token: SyncToken) {
  const pages: ChangesPage[] = await Array.fromAsync(connector.changesSince('__ACCOUNT__', token))
  return {
    changed: pages.flatMap(({ changes }) =>
      changes.map((change) => ('object' in change ? String(Object(change.object).uid) : change.kind)),
    ),
    left: new Set(pages.flatMap(({ present = [] }) => present)).size,
    token: pages.at(-1)?.token ?? token,
  }
}

describe('changes by times', () => {
  it('of one second are told once each, however often is asked within it', async () => {
    await using connector = open()
    let token = await connector.latestToken('__ACCOUNT__')
    const all: string[] = []
    for (let n = 0; n < 8; n++) {
      slapd.change(added(`u${n}`))
      slapd.change(changed('u0', `v${n}`))
      const now = await told(connector, token)
      all.push(...now.changed)
      expect(now.changed.toSorted()).toEqual(n === 0 ? ['u0'] : ['u0', `u${n}`])
      token = now.token
      expect((await told(connector, token)).changed).toEqual([])
    }
    expect(new Set(all).size).toBe(8)
  })

  it('say what is left, since times do not say what was deleted', async () => {
    await using connector = open()
    for (const uid of ['a', 'b', 'c']) slapd.change(added(uid))
    const token = await connector.latestToken('__ACCOUNT__')
    slapd.change(deleted('b'))
    expect(await told(connector, token)).toMatchObject({ changed: [], left: 2 })
  })

  it('are none of a listing that the server cut off: nothing is concluded, and the token stays', async () => {
    await using limited = await startSlapd({ database: ['olcLimits: {0}* size=3'] })
    await using administrator = limited.connect({ useTimestampsForSync: true })
    const token = await administrator.latestToken('__ACCOUNT__')
    await using connector = limited.connect({ useTimestampsForSync: true, principal: '', credentials: '' })
    for (const uid of ['a', 'b', 'c', 'd', 'e']) limited.change(added(uid))
    const changes = connector.changesSince('__ACCOUNT__', token)
    await expect(Array.fromAsync(changes)).rejects.toThrow(/size limit/)
  })

  it('are lost where an entry is older than it was: the server was restored', async () => {
    await using connector = open()
    for (const uid of ['a', 'b']) slapd.change(added(uid))
    const token = await connector.latestToken('__ACCOUNT__')
    const { newest, seen } = token.position as {
      readonly newest: string
      readonly seen: Record<string, string>
    }
    const later = String(Number(newest.slice(0, 4)) + 1) + newest.slice(4)
    const before = { ...token, position: { newest: later, seen } }
    await expect(told(connector, before)).rejects.toMatchObject({ kind: 'staleToken' })
  })
})

describe('what liveSync looks at', () => {
  const departments = `ou=other,${people}`

  it.each<[string, object]>([
    ['baseContextsToSynchronize', { baseContextsToSynchronize: [departments] }],
    ['accountSynchronizationFilter', { accountSynchronizationFilter: '(employeeType=staff)' }],
    ['objectClassesToSynchronize', { objectClassesToSynchronize: ['badgeHolder'] }],
  ])('is what %s says; the rest neither changes nor is gone', async (_name, settings) => {
    await using connector = open(settings)
    slapd.change(`dn: ${departments}\nchangetype: add\nobjectClass: organizationalUnit\nou: other\n`)
    const token = await connector.latestToken('__ACCOUNT__')
    slapd.change(added('outside'))
    slapd.change(
      `dn: uid=inside,${departments}\nchangetype: add\nobjectClass: inetOrgPerson\nobjectClass: badgeHolder\nuid: inside\ncn: i\nsn: x\nemployeeType: staff\n`,
    )
    expect(await told(connector, token)).toMatchObject({ changed: ['inside'], left: 2 })
    const all = await Array.fromAsync(connector.changesSince('__ACCOUNT__', null))
    expect(all.flatMap(({ changes }) => changes)).toHaveLength(1)
    expect(all.flatMap(({ present = [] }) => present)).toHaveLength(2)
  })

  it('are writes of attributesToSynchronize only', async () => {
    await using connector = open({ attributesToSynchronize: ['mail'] })
    slapd.change(added('a'))
    const token = await connector.latestToken('__ACCOUNT__')
    slapd.change(changed('a', 'y'))
    expect((await told(connector, token)).changed).toEqual([])
    slapd.change(`dn: uid=a,${people}\nchangetype: modify\nadd: mail\nmail: a@${base}\n`)
    expect((await told(connector, token)).changed).toEqual(['a'])
  })
})
