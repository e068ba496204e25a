import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { idOf } from '../kit/contract/bench.ts'
import type { Attributes } from '../kit/values.ts'
import type { AttributeChange } from '../kit/write.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/** Groups by name (`staff`, `admins`), which must not be empty, and groups of POSIX (`users`, `wheel`). */
const groups = `ou=groups,${base}`
const keeper = `cn=keeper,${base}`
const named = (name: string) => `cn=${name},${groups}`
const nameOf = (uid: string) => `uid=${uid},${people}`

let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd()
})
afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})
afterEach(() => slapd.empty())

async function withGroups(connector: LdapConnector): Promise<void> {
  await connector.schema()
  for (const cn of ['staff', 'admins'])
    slapd.change(
      `dn: ${named(cn)}\nchangetype: add\nobjectClass: groupOfUniqueNames\ncn: ${cn}\nuniqueMember: ${keeper}\n`,
    )
  for (const [n, cn] of ['users', 'wheel'].entries())
    slapd.change(
      `dn: ${named(cn)}\nchangetype: add\nobjectClass: posixGroup\ncn: ${cn}\ngidNumber: ${n + 100}\n`,
    )
}

async function create(connector: LdapConnector, uid: string, more: Attributes = {}): Promise<string> {
  const attributes = { dn: nameOf(uid), uid: [uid], cn: [uid], sn: [uid], ...more }
  return idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes }]))[0])
}

async function update(
  connector: LdapConnector,
  id: string,
  ...changes: readonly AttributeChange[]
): Promise<string> {
  return idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'update', id, changes }]))[0])
}

const fields = ['ldapGroups', 'posixGroups']
async function groupsOf(connector: LdapConnector, id: string): Promise<unknown> {
  const object = (await connector.readMany('__ACCOUNT__', [id], fields)).get(id)
  return object && { ...object, _id: undefined }
}

async function membersOf(connector: LdapConnector, cn: string): Promise<unknown> {
  for await (const page of connector.search({ objectClass: '__GROUP__', filter: everything }))
    for (const one of page) if ('cn' in one && String(one.cn) === cn) return one.uniqueMember
  return undefined
}

describe('the groups of an account', () => {
  it('are read as lists of the account, for a page of accounts at once, and only where they are asked for', async () => {
    await using connector = slapd.connect()
    await withGroups(connector)
    await create(connector, 'ann', {
      ldapGroups: [named('staff'), named('admins')],
      posixGroups: [named('users')],
    })
    await create(connector, 'bob', { ldapGroups: [named('staff').toUpperCase()] })
    await create(connector, 'cy')
    const search = (some?: readonly string[]) =>
      Array.fromAsync(
        connector.search({ objectClass: '__ACCOUNT__', filter: everything, ...(some && { fields: some }) }),
      )
    const found = (await search(['uid', ...fields])).flat().map((object) => ({ ...object, _id: undefined }))
    expect(found).toEqual([
      {
        uid: ['ann'],
        ldapGroups: expect.toSatisfy((list: string[]) => new Set(list).size === 2),
        posixGroups: [named('users')],
      },
      { uid: ['bob'], ldapGroups: [named('staff')] },
      { uid: ['cy'] },
    ])
    expect(Object.keys((await search()).flat()[0] ?? {})).not.toContain('ldapGroups')
  })

  it('are set, cleared and changed one by one; members that others added stay', async () => {
    await using connector = slapd.connect()
    await withGroups(connector)
    await create(connector, 'other', { ldapGroups: [named('staff')] })
    const id = await create(connector, 'ann', { ldapGroups: [named('staff')], posixGroups: [named('wheel')] })
    await update(
      connector,
      id,
      { attribute: 'ldapGroups', kind: 'set', value: [named('admins')] },
      { attribute: 'posixGroups', kind: 'delta', add: [named('users')], remove: [named('wheel')] },
    )
    expect(await groupsOf(connector, id)).toEqual({
      ldapGroups: [named('admins')],
      posixGroups: [named('users')],
    })
    expect(await membersOf(connector, 'staff')).toEqual([keeper, nameOf('other')])
    await update(connector, id, ...fields.map((attribute) => ({ attribute, kind: 'clear' }) as const))
    expect(await groupsOf(connector, id)).toEqual({})
    // What is done already is done.
    await update(connector, id, {
      attribute: 'ldapGroups',
      kind: 'delta',
      add: [],
      remove: [named('admins')],
    })
    expect(connector.deltas('__ACCOUNT__', 'ldapGroups')).toBe(true)
  })

  it('that are none are an error that names the group', async () => {
    await using connector = slapd.connect()
    await withGroups(connector)
    await expect(create(connector, 'ann', { ldapGroups: [named('nowhere')] })).rejects.toMatchObject({
      kind: 'invalidValue',
      message: `ldapGroups names "${named('nowhere')}", and there is no such group`,
    })
  })

  it('follow a rename, another uid and a deletion, where they are to be maintained', async () => {
    await using connector = slapd.connect({
      maintainLdapGroupMembership: true,
      maintainPosixGroupMembership: true,
    })
    await withGroups(connector)
    const id = await create(connector, 'ann', { ldapGroups: [named('staff')], posixGroups: [named('users')] })
    await update(connector, id, { attribute: 'dn', kind: 'set', value: nameOf('anna') })
    expect(await groupsOf(connector, id)).toEqual({
      ldapGroups: [named('staff')],
      posixGroups: [named('users')],
    })
    expect(await membersOf(connector, 'staff')).toEqual([keeper, nameOf('anna')])
    await connector.writeMany('__ACCOUNT__', [{ operation: 'delete', id }])
    expect(await membersOf(connector, 'staff')).toEqual([keeper])
    const again = await create(connector, 'anna')
    expect(await groupsOf(connector, again)).toEqual({})
  })
})

describe('a group that must not be empty', () => {
  const placeholder = { placeholderMember: `cn=nobody,${base}` }
  const createGroup = async (connector: LdapConnector, more: Attributes = {}) => {
    const attributes = { dn: named('new'), cn: ['new'], ...more }
    return idOf((await connector.writeMany('__GROUP__', [{ operation: 'create', attributes }]))[0])
  }

  it('holds a placeholder that nobody sees, from its creation on', async () => {
    await using connector = slapd.connect({ ...placeholder, accountObjectClasses: ['inetOrgPerson'] })
    await connector.schema()
    const id = await createGroup(connector)
    expect(await membersOf(connector, 'new')).toBeUndefined()
    const write = async (change: AttributeChange) =>
      idOf((await connector.writeMany('__GROUP__', [{ operation: 'update', id, changes: [change] }]))[0])
    const attribute = 'uniqueMember'
    await write({ attribute, kind: 'delta', add: [nameOf('a')], remove: [] })
    expect(await membersOf(connector, 'new')).toEqual([nameOf('a')])
    await write({ attribute, kind: 'set', value: [nameOf('b')] })
    await write({ attribute, kind: 'delta', add: [], remove: [nameOf('b')] })
    expect(await membersOf(connector, 'new')).toBeUndefined()
    await write({ attribute, kind: 'set', value: [nameOf('b')] })
    await write({ attribute, kind: 'clear' })
    expect(await membersOf(connector, 'new')).toBeUndefined()
  })

  it('gives up its last member through the list of an account', async () => {
    await using connector = slapd.connect(placeholder)
    await connector.schema()
    await createGroup(connector, { uniqueMember: [nameOf('ann')] })
    const id = await create(connector, 'ann')
    await update(connector, id, { attribute: 'ldapGroups', kind: 'clear' })
    expect(await groupsOf(connector, id)).toEqual({})
    expect(await membersOf(connector, 'new')).toBeUndefined()
  })

  it('keeps its last member where there is no placeholder, and the error says what to set', async () => {
    await using connector = slapd.connect()
    await connector.schema()
    await createGroup(connector, { uniqueMember: [nameOf('ann')] })
    const id = await create(connector, 'ann')
    const clearing = update(connector, id, { attribute: 'ldapGroups', kind: 'clear' })
    await expect(clearing).rejects.toMatchObject({ hint: expect.stringContaining('placeholderMember') })
  })
})
