import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ChangesPage, SyncToken } from '../../kit/changes.ts'
import type { LdapConnector } from '../ldap-connector.ts'
import { changingContract } from '../testing/changing-contract.ts'
import { groups, people, type Samba, startSamba } from '../testing/samba.ts'

let samba: Samba

beforeAll(async () => {
  samba = await startSamba()
})

afterEach(() => samba.empty())

afterAll(async () => {
  await samba[Symbol.asyncDispose]()
})

const ways = ['dirSync', 'usn', 'timestamps'] as const

for (const syncStrategy of ways)
  changingContract(
    {
      name: `Active Directory by ${syncStrategy}`,
      objectClass: '__ACCOUNT__',
      async open() {
        const connect = async () => samba.connect({ syncStrategy })
        return { connector: await connect(), reopen: connect, close: async () => undefined }
      },
      account: (n) => ({ dn: `CN=Name ${n},${people}`, sAMAccountName: `u${n}` }),
      attribute: 'displayName',
      unique: 'dn',
      unknown: 'shoeSize',
      rename: (n) => ({ dn: `CN=Name ${n},${people}` }),
    },
    { describe, it },
  )

const account = (name: string, under = people) =>
  `dn: CN=${name},${under}\nchangetype: add\nobjectClass: user\nsAMAccountName: ${name}\n`
const unit = (name: string) => `dn: OU=${name},${people}\nchangetype: add\nobjectClass: organizationalUnit\n`
const named = (name: string, now: string, under?: string) =>
  `dn: ${name}\nchangetype: modrdn\nnewrdn: ${now}\ndeleteoldrdn: 1\n${under ? `newsuperior: ${under}\n` : ''}`
const modified = (name: string, lines: string) => `dn: ${name}\nchangetype: modify\n${lines}\n`

async function told(connector: LdapConnector, token: SyncToken, objectClass = '__ACCOUNT__') {
  const pages: ChangesPage[] = await Array.fromAsync(connector.changesSince(objectClass, token))
  const changes = pages.flatMap((page) => page.changes)
  return {
    changes: changes
      .map((change) => ('object' in change ? `${change.kind} ${Object(change.object).dn}` : change.kind))
      .toSorted(),
    token: pages.at(-1)?.token ?? token,
  }
}

describe.each(['dirSync', 'usn'] as const)('changes of Active Directory by %s', (syncStrategy) => {
  const open = (more = {}) => samba.connect({ syncStrategy, ...more })

  it('tell renames, moves, and what comes and leaves the base contexts', async () => {
    await using connector = open({ baseContexts: [people] })
    for (const name of ['a', 'b', 'c']) samba.change(account(name))
    samba.change(account('d', groups))
    const token = await connector.latestToken('__ACCOUNT__')
    samba.change(named(`CN=a,${people}`, 'CN=aa'))
    samba.change(named(`CN=b,${people}`, 'CN=b', groups))
    samba.change(named(`CN=d,${groups}`, 'CN=d', people))
    expect((await told(connector, token)).changes).toEqual([
      `CREATE_OR_UPDATE CN=aa,${people}`,
      `CREATE_OR_UPDATE CN=d,${people}`,
      'DELETE',
    ])
  })

  it('tell of all whose names have changed because a unit got another one', async () => {
    await using connector = open()
    samba.change(unit('x'))
    samba.change(account('a', `OU=x,${people}`))
    const token = await connector.latestToken('__ACCOUNT__')
    samba.change(named(`OU=x,${people}`, 'OU=y'))
    expect((await told(connector, token)).changes).toEqual([`CREATE_OR_UPDATE CN=a,OU=y,${people}`])
  })

  it('tell of a group whose members have changed, added and removed, and nothing of the members', async () => {
    await using connector = open()
    for (const name of ['a', 'b']) samba.change(account(name))
    samba.change(
      `dn: CN=g,${groups}\nchangetype: add\nobjectClass: group\nsAMAccountName: g\nmember: CN=a,${people}\n`,
    )
    for (const lines of [`add: member\nmember: CN=b,${people}`, `delete: member\nmember: CN=a,${people}`]) {
      const [before, beforeAccounts] = [
        await connector.latestToken('__GROUP__'),
        await connector.latestToken('__ACCOUNT__'),
      ]
      samba.change(modified(`CN=g,${groups}`, lines))
      expect((await told(connector, before, '__GROUP__')).changes).toEqual([
        `CREATE_OR_UPDATE CN=g,${groups}`,
      ])
      expect((await told(connector, beforeAccounts)).changes).toEqual([])
    }
  })

  it('tell what was cleared, and what was deleted by its id', async () => {
    await using connector = open()
    samba.change(`${account('a')}description: x\n`)
    samba.change(account('b'))
    const found = await Array.fromAsync(connector.changesSince('__ACCOUNT__', null))
    const ids = new Map(
      found.flatMap(({ changes }) => changes.map((one) => [String(Object(Object(one).object).cn), one.id])),
    )
    const token = await connector.latestToken('__ACCOUNT__')
    samba.change(modified(`CN=a,${people}`, 'delete: description'))
    samba.change(`dn: CN=b,${people}\nchangetype: delete\n`)
    const pages = await Array.fromAsync(connector.changesSince('__ACCOUNT__', token))
    const changes = pages.flatMap((page) => page.changes)
    expect(changes.find(({ kind }) => kind === 'DELETE')?.id).toBe(ids.get('b'))
    const cleared = changes.find(({ id }) => id === ids.get('a'))
    expect(cleared).toMatchObject({ object: { cn: 'a' } })
    expect(Object(cleared).object).not.toHaveProperty('description')
  })

  it('are lost with another controller, or one that was put back, and never silence', async () => {
    await using connector = open()
    const token = await connector.latestToken('__ACCOUNT__')
    const other = { ...token, epoch: `${syncStrategy} 00112233445566778899aabbccddeeff` }
    await expect(told(connector, other)).rejects.toMatchObject({ kind: 'staleToken' })
    const ahead = { ...token, position: { ...Object(token.position), usn: '9007199254740993000' } }
    await expect(told(connector, ahead)).rejects.toMatchObject({ kind: 'staleToken' })
  })

  it('go on over a restart of the controller', async () => {
    await using connector = open()
    const token = await connector.latestToken('__ACCOUNT__')
    samba.change(account('a'))
    await samba.stop()
    await samba.start()
    expect((await told(connector, token)).changes).toEqual([`CREATE CN=a,${people}`])
  })
})

describe('DirSync', () => {
  it('is what Active Directory is asked by, where nothing else is said', async () => {
    await using connector = samba.connect()
    expect((await connector.latestToken('__ACCOUNT__')).epoch).toMatch(/^dirSync [0-9a-f]{32}$/)
  })

  it('with a cookie that the controller does not take back means a lost token', async () => {
    await using connector = samba.connect()
    const token = await connector.latestToken('__ACCOUNT__')
    const { cookies, usn } = token.position as { readonly cookies: object; readonly usn: string }
    const broken = Object.fromEntries(Object.keys(cookies).map((tree) => [tree, 'Z2FyYmFnZQ==']))
    const bad = { ...token, position: { cookies: broken, usn } }
    await expect(told(connector, bad)).rejects.toMatchObject({ kind: 'staleToken' })
  })

  it('that the account may not use gives way to numbers', async () => {
    samba.change(`${account('reader')}userPrincipalName: reader@example.test\n`)
    const unicode = Buffer.from('"Passw0rd!Reader"', 'utf16le').toString('base64')
    samba.change(modified(`CN=reader,${people}`, `replace: unicodePwd\nunicodePwd:: ${unicode}`))
    samba.change(modified(`CN=reader,${people}`, 'replace: userAccountControl\nuserAccountControl: 512'))
    await using connector = samba.connect({
      principal: 'reader@example.test',
      credentials: 'Passw0rd!Reader',
    })
    const token = await connector.latestToken('__ACCOUNT__')
    expect(token.epoch).toMatch(/^usn /)
    samba.change(account('a'))
    const first = await told(connector, token)
    expect(first.changes).toEqual([`CREATE CN=a,${people}`])
    samba.change(`dn: CN=a,${people}\nchangetype: delete\n`)
    const pages = await Array.fromAsync(connector.changesSince('__ACCOUNT__', first.token))
    // Such an account does not see deleted objects: whoever is not left is gone.
    const isTold = pages.some(({ changes }) => changes.some(({ kind }) => kind === 'DELETE'))
    const left = pages.flatMap(({ present = [] }) => present)
    expect(isTold || left.length === 1).toBe(true)
  })
})
