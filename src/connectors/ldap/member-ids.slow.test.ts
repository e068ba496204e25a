import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entryName } from '../../model/entry-name.ts'
import { everything } from '../../model/filter/filter.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import { hostileTexts } from '../kit/contract/hostile.ts'
import type { ConnectorObject } from '../kit/query.ts'
import { valuesOf } from '../kit/values.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { idsByName } from './member-ids.ts'
import { groups as domainGroups, people as domainPeople, type Samba, startSamba } from './testing/samba.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/** 300 people, some with special characters in their names; a group of all of them and of two that are not there. */
const names = [
  ...Array.from({ length: 300 }, (_, n) => entryName([{ uid: `p${n}` }, 'ou=people', base])),
  ...hostileTexts.map((text) => entryName([{ cn: text }, 'ou=people', base])),
]
const gone = [`uid=gone,${people}`, 'cn=x,ou=nowhere,o=elsewhere']
const group = `cn=all,ou=groups,${base}`
const base64 = (text: string) => Buffer.from(text).toString('base64')
const person = (dn: string) =>
  `dn:: ${base64(dn)}\nobjectClass: inetOrgPerson\nsn: x\n${dn.startsWith('uid=') ? 'cn: x\n' : ''}`
const lines = [...names, ...gone].map((dn) => `uniqueMember:: ${base64(dn)}`)

let slapd: Slapd
let samba: Samba
beforeAll(async () => {
  slapd = await startSlapd({
    entries: [
      ...names.map(person),
      `dn: ${group}\nobjectClass: groupOfUniqueNames\ncn: all\n${lines.join('\n')}\n`,
    ].join('\n'),
  })
  samba = await startSamba()
})
afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
  await samba[Symbol.asyncDispose]()
})

async function objects(connector: LdapConnector, objectClass: string, fields?: readonly string[]) {
  const query = { objectClass, filter: everything, ...(fields && { fields }) }
  return (await Array.fromAsync(connector.search(query)))
    .flat()
    .filter((one): one is ConnectorObject => !isUnreadable(one))
}

describe('a group with getGroupMemberId', () => {
  it('has the ids of its members; those that are gone have none', async () => {
    await using connector = slapd.connect({ getGroupMemberId: true })
    const accounts = await objects(connector, '__ACCOUNT__', [])
    const [all] = await objects(connector, '__GROUP__')
    expect(new Set(valuesOf(all?._memberId ?? null))).toEqual(new Set(accounts.map(({ _id }) => _id)))
    expect(all?.uniqueMember).toHaveLength(names.length + gone.length)
    const [short] = await objects(connector, '__GROUP__', ['_memberId'])
    expect(Object.keys(short ?? {}).toSorted()).toEqual(['_id', '_memberId'])
    const id = all?._id ?? ''
    expect((await connector.readMany('__GROUP__', [id], ['cn'])).get(id)).toEqual({ _id: id, cn: ['all'] })
    expect((await connector.readMany('__GROUP__', [id], ['_memberId'])).get(id)).toEqual(short)
  })

  it('asks for a hundred of them at once, whatever else they are below', async () => {
    const asked: (readonly [string, string])[] = []
    const connection: Parameters<typeof idsByName>[0] = {
      async *search(below, { filter }) {
        asked.push([below, filter.toString()])
        yield { entries: [], references: [] }
      },
    }
    const facts = { uidAttribute: 'entryUUID' }
    await idsByName(connection, { facts, attributes: { binary: [] } }, [...names.slice(0, 150), ...gone])
    expect(asked.map(([below]) => below)).toEqual([people, people, 'ou=nowhere,o=elsewhere'])
    expect(asked[0]?.[1].match(/uid=p/g)).toHaveLength(100)
  })

  it('describes them, and takes none in a write or in a filter', async () => {
    await using connector = slapd.connect({ getGroupMemberId: true })
    const { __GROUP__: described } = await connector.schema()
    expect(described?.attributes.find(({ name }) => name === '_memberId')).toMatchObject({
      multivalued: true,
      creatable: false,
      updateable: false,
    })
    const filter = { kind: 'compare', operator: 'eq', pointer: ['_memberId'], value: 'x' } as const
    expect(connector.split('__GROUP__', filter)).toEqual({ native: everything, rest: filter })
    await using without = slapd.connect()
    expect((await without.schema()).__GROUP__?.attributes.map(({ name }) => name)).not.toContain('_memberId')
  })

  it('has names where names are the ids', async () => {
    await using connector = slapd.connect({ getGroupMemberId: true, uidAttribute: 'dn' })
    const [all] = await objects(connector, '__GROUP__')
    expect(all?._memberId).toEqual(all?.uniqueMember)
  })

  it('of Active Directory has the objectGUIDs of its members', async () => {
    samba.change(
      ['ann', 'bob']
        .map(
          (name) =>
            `dn: CN=${name},${domainPeople}\nchangetype: add\nobjectClass: user\nsAMAccountName: ${name}\n`,
        )
        .join('\n'),
    )
    samba.change(
      `dn: CN=both,${domainGroups}\nchangetype: add\nobjectClass: group\nsAMAccountName: both\nmember: CN=ann,${domainPeople}\nmember: CN=bob,${domainPeople}\n`,
    )
    await using connector = samba.connect({ getGroupMemberId: true })
    const accounts = await objects(connector, '__ACCOUNT__', [])
    const [both] = await objects(connector, '__GROUP__', ['_memberId'])
    expect(new Set(valuesOf(both?._memberId ?? null))).toEqual(new Set(accounts.map(({ _id }) => _id)))
    expect(accounts).toHaveLength(2)
  })
})
