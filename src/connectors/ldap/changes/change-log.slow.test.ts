import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChangesPage, SyncToken } from '../../kit/changes.ts'
import type { LdapConnector } from '../ldap-connector.ts'
import { changingContract } from '../testing/changing-contract.ts'
import { administrator, type Directory389, startDirectory389 } from '../testing/directory-389.ts'
import { people } from '../testing/slapd.ts'

let named: Directory389
let identified: Directory389

beforeAll(async () => {
  named = await startDirectory389()
  identified = await startDirectory389({ logged: ['nsuniqueid:targetUniqueId'] })
})

afterAll(async () => {
  await named[Symbol.asyncDispose]()
  await identified[Symbol.asyncDispose]()
})

for (const [kind, server, settings] of [
  ['its change log', () => identified, {}],
  ['a change log without ids', () => named, {}],
  [
    'a change log, asked for number by number',
    () => named,
    { filterWithOrInsteadOfAnd: true, removeLogEntryObjectClassFromFilter: false, changeLogBlockSize: 2 },
  ],
  ['times', () => named, { useTimestampsForSync: true }],
] as const)
  changingContract(
    {
      name: `389 Directory Server by ${kind}`,
      objectClass: '__ACCOUNT__',
      async open() {
        const connect = async () => server().connect(settings)
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

const added = (uid: string, under = people) =>
  `dn: uid=${uid},${under}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: x\n`
const changed = (uid: string, attribute = 'sn') =>
  `dn: uid=${uid},${people}\nchangetype: modify\nreplace: ${attribute}\n${attribute}: y\n`
const deleted = (uid: string) => `dn: uid=${uid},${people}\nchangetype: delete\n`
const unit = (ou: string) =>
  `dn: ou=${ou},${people}\nchangetype: add\nobjectClass: organizationalUnit\nou: ${ou}\n`

async function told(connector: LdapConnector, token: SyncToken) {
  const pages: ChangesPage[] = await Array.fromAsync(connector.changesSince('__ACCOUNT__', token))
  const changes = pages.flatMap((page) => page.changes)
  return {
    changes: changes.map((change) =>
      'object' in change ? `${change.kind} ${Object(change.object).dn}` : change.kind,
    ),
    left: pages.flatMap(({ present = [] }) => present).length,
    token: pages.at(-1)?.token ?? token,
  }
}

describe.each([
  ['with ids', () => identified],
  ['with names only', () => named],
])('a change log %s', (kind, server) => {
  it('is read through renames, of what stands above as well', async () => {
    await using connector = server().connect()
    for (const ldif of [unit('a'), added('x', `ou=a,${people}`), added('y', `ou=a,${people}`), added('z')])
      server().change(ldif)
    const token = await connector.latestToken('__ACCOUNT__')
    server().change(`dn: uid=x,ou=a,${people}\nchangetype: modify\nreplace: sn\nsn: y\n`)
    server().change(`dn: ou=a,${people}\nchangetype: modrdn\nnewrdn: ou=b\ndeleteoldrdn: 1\n`)
    server().change(deleted('z'))
    const now = await told(connector, token)
    const renamed = ['x', 'y'].map((uid) => `CREATE_OR_UPDATE uid=${uid},ou=b,${people}`)
    expect(now.changes.toSorted()).toEqual(kind === 'with ids' ? [...renamed, 'DELETE'] : renamed)
    // Without ids the log does not say who was deleted: whoever is not left.
    expect(now.left).toBe(kind === 'with ids' ? 0 : 2)
    server().empty()
  })

  it('tells that one is gone that came and went, and one change of what was written often', async () => {
    await using connector = server().connect()
    const token = await connector.latestToken('__ACCOUNT__')
    for (const ldif of [added('a'), added('b'), changed('b'), changed('b'), deleted('a')])
      server().change(ldif)
    const gone = kind === 'with ids' ? ['DELETE'] : []
    expect(await told(connector, token)).toMatchObject({
      changes: [`CREATE uid=b,${people}`, ...gone],
      left: kind === 'with ids' ? 0 : 1,
    })
    server().empty()
  })

  it('leaves out what the accounts of modifiersNamesToFilterOut wrote', async () => {
    await using connector = server().connect({ modifiersNamesToFilterOut: [administrator.toUpperCase()] })
    const token = await connector.latestToken('__ACCOUNT__')
    server().change(added('a'))
    expect((await told(connector, token)).changes).toEqual([])
    server().empty()
  })

  it('tells of attributesToSynchronize only, and of what comes and goes', async () => {
    await using connector = server().connect({ attributesToSynchronize: ['mail'] })
    server().change(added('a'))
    const token = await connector.latestToken('__ACCOUNT__')
    server().change(changed('a'))
    expect((await told(connector, token)).changes).toEqual([])
    server().change(changed('a', 'mail'))
    expect((await told(connector, token)).changes).toEqual([`CREATE_OR_UPDATE uid=a,${people}`])
    server().empty()
  })
})

describe('a token that the change log does not have', () => {
  it.each([
    ['never', {}],
    ['first', { resetSyncToken: 'first' }],
    ['last', { resetSyncToken: 'last' }],
  ])('is lost beyond its end with resetSyncToken %s, or counts as that end', async (name, settings) => {
    await using connector = identified.connect(settings)
    identified.change(added('a'))
    const token = await connector.latestToken('__ACCOUNT__')
    const beyond = { ...token, position: { number: 100_000, missing: [], mark: '' } }
    if (name === 'never') await expect(told(connector, beyond)).rejects.toMatchObject({ kind: 'staleToken' })
    else
      expect((await told(connector, beyond)).changes.includes(`CREATE uid=a,${people}`)).toBe(
        name === 'first',
      )
    identified.empty()
  })

  it('is lost where the log has another entry under its number', async () => {
    await using connector = identified.connect()
    identified.change(added('a'))
    const token = await connector.latestToken('__ACCOUNT__')
    const { number } = token.position as { readonly number: number }
    identified.change(changed('a'))
    const other = { ...token, position: { number, missing: [], mark: 'another' } }
    await expect(told(connector, other)).rejects.toMatchObject({ kind: 'staleToken' })
    identified.empty()
  })

  it('is lost where the log was purged', async () => {
    await using connector = identified.connect()
    const token = await connector.latestToken('__ACCOUNT__')
    identified.change(added('a'))
    identified.change(changed('a'))
    const { number } = token.position as { readonly number: number }
    for (let gone = 1; gone <= number + 1; gone++)
      identified.change(`dn: changenumber=${gone},cn=changelog\nchangetype: delete\n`)
    await identified.stop()
    await identified.start()
    await expect(told(connector, token)).rejects.toMatchObject({ kind: 'staleToken' })
    identified.empty()
  })
})

it('a number that was missing is asked for again until it comes', async () => {
  await using connector = named.connect()
  const token = await connector.latestToken('__ACCOUNT__')
  const { number } = token.position as { readonly number: number }
  named.change(added('late'))
  named.change(added('b'))
  // As if it had not been there yet when the next one was read.
  const next = await connector.latestToken('__ACCOUNT__')
  const position = { ...Object(next.position), missing: [number + 1] }
  expect((await told(connector, { ...next, position })).changes).toEqual([`CREATE uid=late,${people}`])
  named.empty()
})
