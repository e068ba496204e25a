import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isUnreadable } from '../../model/unreadable.ts'
import { idOf } from '../kit/contract/bench.ts'
import { type Attributes, sameValue, type Value, valuesOf } from '../kit/values.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { type Directory389, startDirectory389 } from './testing/directory-389.ts'
import { people as domainPeople, type Samba, startSamba } from './testing/samba.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/** What servers make of values that they are sent. Whoever sends the same again must find nothing to write. */
const boss = `cn=Boss\\2C the,${people}`
const plain: Attributes = {
  cn: ['  Ann   B '],
  sn: ['ANN'],
  description: ['Ann ', 'ann', ' x'],
  displayName: ' A  b ',
  employeeNumber: ' 007 ',
  telephoneNumber: ['+49 (0)89 12-34', '+49 0 89 1234 5'],
  mail: ['Ann@Example.COM'],
  preferredLanguage: 'de, en;q=0.5',
  postalAddress: ['Street 1 $ 12345 Town'],
  jpegPhoto: [new Uint8Array([0, 255, 32, 32])],
  manager: [`CN="Boss, the" , OU=People,  DC=Example,dc=com`],
  seeAlso: [`cn=Boss\\, the,OU=people,${base}`, `cn=boss\\2c the, ou=people,${base}`, base.toUpperCase()],
  objectClass: ['inetOrgPerson'],
}

const domainBoss = `CN=Boss\\, the,${domainPeople}`
const windows: Attributes = {
  displayName: ' A  b ',
  description: ['Ann '],
  sAMAccountName: 'Ann.B',
  userPrincipalName: 'Ann.B@Example.TEST',
  otherTelephone: ['+49 (0)89 12-34', '1 '],
  info: 'one\r\ntwo ',
  proxyAddresses: ['SMTP:Ann@Example.COM', 'smtp:ann2@example.com'],
  manager: domainBoss.toLowerCase().replaceAll(',dc', ', DC').replace('\\,', '\\2C'),
  objectClass: ['user'],
  thumbnailPhoto: new Uint8Array([0, 255, 32]),
  userAccountControl: '66050',
}

interface Server {
  readonly connect: () => LdapConnector
  readonly account: Attributes
  readonly boss: Attributes
  /** Other spellings of the name of the account. */
  readonly names: readonly string[]
  readonly sent: Attributes
}

let slapd: Slapd
let samba: Samba
let other: Directory389
beforeAll(async () => {
  slapd = await startSlapd()
  samba = await startSamba()
  other = await startDirectory389()
})
afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
  await samba[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const inetOrgPerson = {
  account: { dn: `uid=Ann\\2C B,${people}`, uid: ['Ann, B'], cn: ['x'], sn: ['x'] },
  boss: { dn: boss, cn: ['Boss, the'], sn: ['x'] },
  names: [`UID="Ann, B" , OU=People ,dc=EXAMPLE,dc=com`, `uid=Ann\\, B,${people.toUpperCase()}`],
  sent: plain,
}

const servers: Readonly<Record<string, () => Server>> = {
  OpenLDAP: () => ({ connect: () => slapd.connect(), ...inetOrgPerson }),
  '389 Directory Server': () => ({ connect: () => other.connect(), ...inetOrgPerson }),
  'Active Directory (Samba)': () => ({
    connect: () => samba.connect(),
    account: { dn: `CN=Ann\\, B,${domainPeople}`, sAMAccountName: 'a' },
    boss: { dn: domainBoss, sAMAccountName: 'boss' },
    names: [`CN="Ann, B" ,${domainPeople.toLowerCase().replaceAll(',', ' , ')}`],
    sent: windows,
  }),
}

/** The values of a list have no order. */
function isSame(one: Value | undefined, other: Value | undefined): boolean {
  const [first, second] = [valuesOf(one ?? null), valuesOf(other ?? null)]
  const has = (values: readonly Value[], wanted: Value) => values.some((value) => sameValue(value, wanted))
  return first.length === second.length && first.every((value) => has(second, value))
}

describe.each(Object.keys(servers))('what %s makes of a value', (name) => {
  it('is foreseen: the same value sent again writes nothing', async () => {
    const { connect, account, boss: superior, names, sent } = servers[name]?.() ?? expect.unreachable()
    await using connector = connect()
    await connector.schema()
    const write = async (attributes: Attributes) =>
      idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes }]))[0])
    await write(superior)
    const id = await write(account)
    const present = async (attribute: string) => {
      const found = (await connector.readMany('__ACCOUNT__', [id], [attribute])).get(id)
      return !found || isUnreadable(found) ? expect.unreachable() : found[attribute]
    }
    const update = async (attribute: string, value: Value) => {
      const changes = [{ attribute, kind: 'set', value }] as const
      const [outcome] = await connector.writeMany('__ACCOUNT__', [{ operation: 'update', id, changes }])
      return outcome?.ok === false ? [{ attribute, refused: outcome.error.message }] : []
    }
    const repeated: unknown[] = []
    for (const [attribute, value = null] of Object.entries(sent)) {
      repeated.push(...(await update(attribute, value)))
      const there = await present(attribute)
      const held = connector.held('__ACCOUNT__', attribute, value, there)
      if (!isSame(held, there)) repeated.push({ attribute, there, held })
    }
    for (const dn of names) {
      const there = await present('dn')
      const held = connector.held('__ACCOUNT__', 'dn', dn, there)
      if (!isSame(held, there)) repeated.push({ dn, there, held })
    }
    expect(repeated).toEqual([])
  })
})
