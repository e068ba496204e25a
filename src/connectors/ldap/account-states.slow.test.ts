import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Filter } from '../../model/filter/filter.ts'
import { Secret } from '../kit/values.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/** OpenLDAP with the overlay ppolicy: three wrong passwords lock an account. */
let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd({
    database: [
      '\ndn: cn=module{1},cn=config\nobjectClass: olcModuleList\ncn: module{1}',
      'olcModulePath: /usr/lib/ldap\nolcModuleLoad: ppolicy',
      '\ndn: olcOverlay={0}ppolicy,olcDatabase={1}mdb,cn=config\nobjectClass: olcOverlayConfig',
      `objectClass: olcPPolicyConfig\nolcOverlay: {0}ppolicy\nolcPPolicyDefault: cn=rules,${base}`,
    ],
    entries: [
      `dn: cn=rules,${base}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: rules`,
      'pwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 3\n',
    ].join('\n'),
  })
})

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

const right = new Secret('right')

async function create(connector: LdapConnector, uid: string, more = {}): Promise<string> {
  const attributes = { dn: `uid=${uid},${people}`, cn: [uid], sn: ['x'], userPassword: right, ...more }
  const [outcome] = await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes }])
  return outcome?.ok ? outcome.id : ''
}

async function set(connector: LdapConnector, id: string, attribute: string, value: boolean) {
  const changes = [{ attribute, kind: 'set', value }] as const
  return (await connector.writeMany('__ACCOUNT__', [{ operation: 'update', id, changes }]))[0]
}

async function state(connector: LdapConnector, id: string) {
  return (await connector.readMany('__ACCOUNT__', [id], ['__ENABLE__', '__LOCK_OUT__'])).get(id)
}

const login = (connector: LdapConnector, uid: string, word = right) =>
  connector.authenticate('__ACCOUNT__', uid, word)

const wrong = new Secret('wrong')

describe('an account of OpenLDAP with password policies', () => {
  it('is disabled and enabled by __ENABLE__', async () => {
    await using connector = slapd.connect()
    await connector.schema()
    const id = await create(connector, 'a', { __ENABLE__: false })
    expect(await state(connector, id)).toMatchObject({ __ENABLE__: false, __LOCK_OUT__: false })
    await expect(login(connector, 'a')).rejects.toMatchObject({ kind: 'wrongCredentials' })
    const disabled: Filter = { kind: 'compare', operator: 'eq', pointer: ['__ENABLE__'], value: false }
    const { native, rest } = connector.split('__ACCOUNT__', disabled)
    expect(rest).toEqual({ kind: 'literal', value: true })
    const query = { objectClass: '__ACCOUNT__', filter: native }
    expect((await Array.fromAsync(connector.search(query))).flat().map(({ _id }) => _id)).toEqual([id])
    await set(connector, id, '__ENABLE__', true)
    expect(await state(connector, id)).toMatchObject({ __ENABLE__: true, __LOCK_OUT__: false })
    expect(await login(connector, 'a')).toBe(id)
  })

  it('is locked by wrong passwords, and unlocked by __LOCK_OUT__ false; both are apart from disabled', async () => {
    await using connector = slapd.connect()
    const id = await create(connector, 'b')
    for (let time = 0; time < 3; time++) await login(connector, 'b', wrong).catch(() => undefined)
    expect(await state(connector, id)).toMatchObject({ __ENABLE__: true, __LOCK_OUT__: true })
    await set(connector, id, '__ENABLE__', true)
    await expect(login(connector, 'b')).rejects.toMatchObject({ kind: 'wrongCredentials' })
    await set(connector, id, '__LOCK_OUT__', false)
    expect(await login(connector, 'b')).toBe(id)
    expect(await set(connector, id, '__LOCK_OUT__', true)).toMatchObject({
      ok: false,
      error: { kind: 'invalidValue', detail: { attribute: '__LOCK_OUT__' } },
    })
  })

  it('has neither where the server has no password policies', async () => {
    await using plain = await startSlapd()
    await using connector = plain.connect()
    const names = (await connector.schema()).__ACCOUNT__?.attributes.map(({ name }) => name)
    expect(names).not.toContain('__ENABLE__')
  })
})
