import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChangesPage, SyncToken } from '../../kit/changes.ts'
import type { LdapConnector } from '../ldap-connector.ts'
import { changingContract } from '../testing/changing-contract.ts'
import { people, type Slapd, startSlapd } from '../testing/slapd.ts'

let remembering: Slapd
let forgetting: Slapd

beforeAll(async () => {
  remembering = await startSlapd({
    overlays: { syncprov: 'objectClass: olcSyncProvConfig\nolcSpSessionlog: 1000' },
  })
  forgetting = await startSlapd({ overlays: { syncprov: 'objectClass: olcSyncProvConfig' } })
})

afterAll(async () => {
  await remembering[Symbol.asyncDispose]()
  await forgetting[Symbol.asyncDispose]()
})

const providers = [
  ['with a session log', () => remembering],
  ['without a session log', () => forgetting],
] as const

for (const [kind, server] of providers)
  changingContract(
    {
      name: `OpenLDAP by syncrepl, ${kind}`,
      objectClass: '__ACCOUNT__',
      async open() {
        const connect = async () => server().connect()
        return { connector: await connect(), reopen: connect, close: async () => server().empty() }
      },
      account: (n) => ({ dn: `uid=u${n},${people}`, uid: [`u${n}`], cn: [`Name ${n}`], sn: ['Name'] }),
      attribute: 'displayName',
      unique: 'dn',
      unknown: 'shoeSize',
      rename: (n) => ({ dn: `uid=u${n},${people}`, uid: [`u${n}`] }),
    },
    { describe, it },
  )

const added = (uid: string) =>
  `dn: uid=${uid},${people}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: x\n`
const changed = (uid: string) => `dn: uid=${uid},${people}\nchangetype: modify\nreplace: sn\nsn: y\n`
const deleted = (uid: string) => `dn: uid=${uid},${people}\nchangetype: delete\n`

async function told(connector: LdapConnector, token: SyncToken) {
  const pages: ChangesPage[] = await Array.fromAsync(connector.changesSince('__ACCOUNT__', token))
  return {
    kinds: pages.flatMap(({ changes }) => changes.map(({ kind }) => kind)).toSorted(),
    left: pages.flatMap(({ present = [] }) => present).length,
    token: pages.at(-1)?.token ?? token,
  }
}

describe.each(providers)('changes by syncrepl, %s', (kind, server) => {
  const remembers = kind === 'with a session log'

  it('are what replicas get; who was deleted is told, or follows from who is left', async () => {
    await using connector = server().connect()
    for (const uid of ['a', 'b', 'c']) server().change(added(uid))
    const token = await connector.latestToken('__ACCOUNT__')
    expect(token.epoch).toMatch(/^syncrepl /)
    for (const ldif of [changed('a'), changed('a'), deleted('b'), added('d')]) server().change(ldif)
    const first = await told(connector, token)
    expect(first).toMatchObject({
      kinds: ['CREATE_OR_UPDATE', 'CREATE_OR_UPDATE', ...(remembers ? ['DELETE'] : [])],
      left: remembers ? 0 : 3,
    })
    expect((await told(connector, first.token)).kinds).toEqual([])
    server().empty()
  })

  it('go on over a restart of the server', async () => {
    await using connector = server().connect()
    const token = await connector.latestToken('__ACCOUNT__')
    server().change(added('a'))
    const first = await told(connector, token)
    await server().stop()
    await server().start()
    server().change(changed('a'))
    server().change(added('b'))
    const second = await told(connector, first.token)
    expect([first.kinds, second.kinds]).toEqual([
      ['CREATE_OR_UPDATE'],
      ['CREATE_OR_UPDATE', 'CREATE_OR_UPDATE'],
    ])
    server().empty()
  })

  it('are lost where the server is older than the cookie: it was restored', async () => {
    await using connector = server().connect()
    const token = await connector.latestToken('__ACCOUNT__')
    const cookies = JSON.parse(JSON.stringify(token.position).replaceAll(/csn=\d{4}/g, 'csn=2999'))
    await expect(told(connector, { ...token, position: cookies })).rejects.toMatchObject({
      kind: 'staleToken',
    })
  })
})
