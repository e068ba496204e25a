import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { everything, type Filter } from '../../model/filter/filter.ts'
import { type Attributes, Secret, type Value } from '../kit/values.ts'
import type { AttributeChange, ConnectorWriteOutcome } from '../kit/write.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { domain, groups, people, type Samba, startSamba } from './testing/samba.ts'

let samba: Samba

beforeAll(async () => {
  samba = await startSamba()
})

afterEach(() => samba.empty())

afterAll(async () => {
  await samba[Symbol.asyncDispose]()
})

const nameOf = (name: string) => `CN=${name},${people}`
const right = 'Secret 1'

function idOf(outcome: ConnectorWriteOutcome | undefined): string {
  if (outcome?.ok) return outcome.id
  throw outcome?.error ?? new Error('There is no outcome')
}

/** Creates an account, by default with a password. */
async function create(connector: LdapConnector, name: string, more: Attributes = {}): Promise<string> {
  const attributes = { dn: nameOf(name), sAMAccountName: name, unicodePwd: new Secret(right), ...more }
  return idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes }]))[0])
}

async function createGroup(connector: LdapConnector, name: string, more: Attributes = {}): Promise<string> {
  const attributes = { dn: `CN=${name},${groups}`, sAMAccountName: name, ...more }
  return idOf((await connector.writeMany('__GROUP__', [{ operation: 'create', attributes }]))[0])
}

async function update(
  connector: LdapConnector,
  id: string,
  changes: Readonly<Record<string, Value>>,
  objectClass = '__ACCOUNT__',
): Promise<void> {
  const list = Object.entries(changes).map(
    ([attribute, value]): AttributeChange =>
      value === null ? { attribute, kind: 'clear' } : { attribute, kind: 'set', value },
  )
  idOf((await connector.writeMany(objectClass, [{ operation: 'update', id, changes: list }]))[0])
}

async function read(connector: LdapConnector, id: string, ...fields: readonly string[]) {
  const found = await connector.readMany('__ACCOUNT__', [id], fields.length > 0 ? fields : undefined)
  return found.get(id)
}

async function found(connector: LdapConnector, filter: Filter, objectClass = '__ACCOUNT__') {
  await connector.schema()
  const { native } = connector.split(objectClass, filter)
  const pages = await Array.fromAsync(connector.search({ objectClass, filter: native, fields: ['cn'] }))
  return pages.flat().map((entry) => ('cn' in entry ? entry.cn : entry))
}

const equal = (name: string, value: boolean | string): Filter => ({
  kind: 'compare',
  operator: 'eq',
  pointer: [name],
  value,
})

/** A rule of the domain for the rest of a test. */
function rule(name: string, value: string): Disposable {
  const set = (now: string) =>
    samba.change(`dn: ${domain}\nchangetype: modify\nreplace: ${name}\n${name}: ${now}\n`)
  const before = new RegExp(`${name}: (.*)`).exec(samba.find('(objectClass=domain)', name))?.[1] ?? '0'
  set(value)
  return { [Symbol.dispose]: () => set(before) }
}

const bitsOf = (name: string) =>
  Number(/userAccountControl: (\d+)/.exec(samba.find(`(sAMAccountName=${name})`, 'userAccountControl'))?.[1])

describe('an account', () => {
  it('has its objectGUID as id, under which it is found again', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    expect(id).toMatch(/^<GUID=[0-9a-f]{32}>$/)
    expect(await read(connector, id)).toMatchObject({ _id: id, sAMAccountName: 'a' })
    expect(await connector.readMany('__ACCOUNT__', [id.toUpperCase()])).toHaveProperty('size', 1)
  })

  it('is there again after the server was stopped and started', async () => {
    await using connector = samba.connect()
    await create(connector, 'a')
    await samba.stop()
    await samba.start()
    expect(samba.find('(sAMAccountName=a)', 'cn')).toContain('cn: a')
  })

  it('is enabled with its password in one request: a password that is refused leaves nothing behind', async () => {
    await using connector = samba.connect()
    await expect(create(connector, 'a', { unicodePwd: new Secret('short') })).rejects.toMatchObject({
      kind: 'invalidValue',
      message: expect.stringContaining('0000052D'),
      detail: { attribute: 'unicodePwd' },
    })
    expect(samba.find('(sAMAccountName=a)', 'cn')).not.toContain('dn:')
    const id = await create(connector, 'a')
    expect(bitsOf('a')).toBe(0x200)
    expect(await connector.authenticate('__ACCOUNT__', 'a', new Secret(right))).toBe(id)
  })

  it('without a password begins disabled, and is refused where it should be enabled', async () => {
    await using connector = samba.connect()
    const id = idOf(
      (
        await connector.writeMany('__ACCOUNT__', [
          { operation: 'create', attributes: { dn: nameOf('a'), sAMAccountName: 'a' } },
        ])
      )[0],
    )
    expect(await read(connector, id)).toMatchObject({ __ENABLE__: false, __PASSWORD_NOTREQD__: false })
    const attributes = { dn: nameOf('b'), sAMAccountName: 'b', __ENABLE__: true }
    const [outcome] = await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes }])
    expect(outcome).toMatchObject({ ok: false, error: { detail: { attribute: '__ENABLE__' } } })
    expect(samba.find('(sAMAccountName=b)', 'cn')).not.toContain('dn:')
  })

  it('gets a password and is enabled in one update', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a', { unicodePwd: undefined })
    await update(connector, id, { __ENABLE__: true, unicodePwd: new Secret(right) })
    expect(await connector.authenticate('__ACCOUNT__', 'a', new Secret(right))).toBe(id)
  })

  it.each([
    ['__ENABLE__', 0x2, false],
    ['__PASSWORD_NOTREQD__', 0x20, true],
    ['__DONT_EXPIRE_PASSWORD__', 0x10000, true],
    ['__SMARTCARD_REQUIRED__', 0x40000, true],
  ])('has %s as one bit, and keeps the others', async (name, bit, set) => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    // TRUSTED_FOR_DELEGATION, of which the connector knows nothing.
    const others = 0x80200
    samba.change(
      `dn: ${nameOf('a')}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: ${others}\n`,
    )
    await update(connector, id, { [name]: set })
    expect(bitsOf('a')).toBe(others | bit)
    expect(await read(connector, id, name)).toEqual({ _id: id, [name]: set })
    expect(await found(connector, equal(name, set))).toEqual(['a'])
    expect(await found(connector, equal(name, !set))).toEqual([])
    await update(connector, id, { [name]: !set })
    expect(bitsOf('a')).toBe(others)
  })

  it('cannot change its password where __PASSWD_CANT_CHANGE__ says so, in an access right that leaves the others', async () => {
    await using connector = samba.connect()
    using _ = rule('minPwdAge', '0')
    const id = await create(connector, 'a', { __PASSWD_CANT_CHANGE__: true })
    const cannot = async () => (await read(connector, id, '__PASSWD_CANT_CHANGE__')) ?? {}
    const descriptor = async () =>
      Object.entries((await read(connector, id, 'nTSecurityDescriptor')) ?? {})[1]
    await using own = samba.connect({ principal: 'a@example.test', credentials: right })
    const change = (from: string, to: string) =>
      update(own, id, { __CURRENT_PASSWORD__: new Secret(from), unicodePwd: new Secret(to) })
    expect(await cannot()).toMatchObject({ __PASSWD_CANT_CHANGE__: true })
    await expect(change(right, 'Secret 2')).rejects.toThrow(/error in module acl/)
    await update(connector, id, { __PASSWD_CANT_CHANGE__: false })
    expect(await cannot()).toMatchObject({ __PASSWD_CANT_CHANGE__: false })
    await change(right, 'Secret 2')
    const before = await descriptor()
    await update(connector, id, { __PASSWD_CANT_CHANGE__: true })
    expect(await descriptor()).not.toEqual(before)
    await update(connector, id, { __PASSWD_CANT_CHANGE__: false })
    expect(await descriptor()).toEqual(before)
  })

  it('has several bits changed at once', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a', { __DONT_EXPIRE_PASSWORD__: true, __ENABLE__: false })
    expect(bitsOf('a')).toBe(0x10202)
    await update(connector, id, {
      __DONT_EXPIRE_PASSWORD__: false,
      __ENABLE__: true,
      __SMARTCARD_REQUIRED__: true,
    })
    expect(bitsOf('a')).toBe(0x40200)
  })

  it('must change its password at the next login where that is set, and no more where it is taken back', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    const isExpired = async () => (await read(connector, id, '__PASSWORD_EXPIRED__')) ?? {}
    expect(await isExpired()).toMatchObject({ __PASSWORD_EXPIRED__: false })
    await update(connector, id, { __PASSWORD_EXPIRED__: true })
    expect(await isExpired()).toMatchObject({ __PASSWORD_EXPIRED__: true })
    await update(connector, id, { __PASSWORD_EXPIRED__: false })
    expect(await isExpired()).toMatchObject({ __PASSWORD_EXPIRED__: false })
  })

  it('expires at the date of __ACCOUNT_EXPIRES__, or never', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a', { __ACCOUNT_EXPIRES__: '2030-01-31T12:00:00+02:00' })
    const date = async () => (await read(connector, id, '__ACCOUNT_EXPIRES__')) ?? {}
    expect(await date()).toEqual({ _id: id, __ACCOUNT_EXPIRES__: '2030-01-31T10:00:00.000Z' })
    expect(connector.held('__ACCOUNT__', '__ACCOUNT_EXPIRES__', '2030-01-31T12:00:00+02:00')).toBe(
      '2030-01-31T10:00:00.000Z',
    )
    await update(connector, id, { __ACCOUNT_EXPIRES__: null })
    expect(await date()).toEqual({ _id: id })
    for (const never of ['0', '9223372036854775807']) {
      samba.change(
        `dn: ${nameOf('a')}\nchangetype: modify\nreplace: accountExpires\naccountExpires: ${never}\n`,
      )
      expect(await date()).toEqual({ _id: id })
      expect(await read(connector, id, 'accountExpires')).toEqual({ _id: id, accountExpires: never })
    }
  })

  it('says when its password was set and when it logged in last, as dates', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    expect(await read(connector, id, '__LAST_PASSWORD_CHANGE_DATE__', '__LAST_LOGIN_DATE__')).toEqual({
      _id: id,
      __LAST_PASSWORD_CHANGE_DATE__: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,7}Z$/),
    })
    await connector.authenticate('__ACCOUNT__', 'a', new Secret(right))
    expect(await read(connector, id, '__LAST_LOGIN_DATE__')).toHaveProperty('__LAST_LOGIN_DATE__')
  })

  it('has bytes as bytes', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a', { thumbnailPhoto: Uint8Array.of(0xff, 0xd8, 0, 1) })
    const object = (await read(connector, id, 'objectSid', 'thumbnailPhoto')) ?? {}
    expect(object).toMatchObject({ thumbnailPhoto: Uint8Array.of(0xff, 0xd8, 0, 1) })
    expect(object).toHaveProperty('objectSid', expect.any(Uint8Array))
  })

  it('has no value where an empty text is written', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a', { displayName: '', title: 'x' })
    await update(connector, id, { title: '' })
    const object = await read(connector, id)
    expect(object).not.toHaveProperty('displayName')
    expect(object).not.toHaveProperty('title')
  })

  it('is renamed where cn is set, and keeps its id', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    await update(connector, id, { cn: 'b, c', title: 'x' })
    expect(await read(connector, id, 'dn', 'cn', 'name', 'title')).toEqual({
      _id: id,
      dn: `CN=b\\, c,${people}`,
      cn: 'b, c',
      name: 'b, c',
      title: 'x',
    })
    await expect(update(connector, id, { cn: 'd', dn: nameOf('e') })).rejects.toMatchObject({
      kind: 'invalidValue',
      detail: { attribute: 'cn' },
    })
    await update(connector, id, { cn: 'd', dn: nameOf('d') })
    expect(await read(connector, id, 'cn')).toMatchObject({ cn: 'd' })
  })
})

describe('what is left of a deleted account', () => {
  it('is read where showDeleted says so, under its id, and nowhere else', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    await connector.writeMany('__ACCOUNT__', [{ operation: 'delete', id }])
    expect(await read(connector, id)).toBeUndefined()
    await using reader = samba.connect({ showDeleted: true, baseContexts: [domain] })
    expect(await read(reader, id, 'isDeleted', 'sAMAccountName', 'lastKnownParent')).toEqual({
      _id: id,
      isDeleted: 'TRUE',
      sAMAccountName: 'a',
      lastKnownParent: people,
    })
    const name = (await read(reader, id, 'dn')) ?? {}
    expect(name).toHaveProperty('dn', expect.stringMatching(/^CN=a\\0ADEL:[0-9a-f-]{36},CN=Deleted Objects,/))
  })
})

it('leaves computers out of accounts, which they are for Active Directory as well', async () => {
  await using connector = samba.connect()
  await create(connector, 'a')
  samba.change(
    `dn: CN=pc,${people}\nchangetype: add\nobjectClass: computer\nsAMAccountName: pc$\nuserAccountControl: 4096\n`,
  )
  expect(await found(connector, everything)).toEqual(['a'])
  expect(await found(connector, everything, 'computer')).toEqual(['pc'])
})

describe('a text', () => {
  it('is looked for by the server, and what it finds too much is left out here', async () => {
    await using connector = samba.connect()
    await connector.schema()
    const is: Filter = equal('displayName', 'jose')
    expect(connector.split('__ACCOUNT__', is)).toEqual({ native: is, rest: is })
    const enabled = equal('__ENABLE__', true)
    expect(connector.split('__ACCOUNT__', enabled)).toEqual({ native: enabled, rest: everything })
    const not: Filter = { kind: 'not', filter: is }
    expect(connector.split('__ACCOUNT__', not)).toEqual({ native: everything, rest: not })
    const other: Filter = { kind: 'compare', operator: 'ne', pointer: ['displayName'], value: 'jose' }
    expect(connector.split('__ACCOUNT__', other)).toEqual({ native: everything, rest: other })
  })
})

describe('an error says which attribute it is about', () => {
  it.each([
    ['sAMAccountName', { sAMAccountName: 'A' }],
    ['userPrincipalName', { userPrincipalName: 'a@example.test' }],
  ])('%s is in use', async (attribute, taken) => {
    await using connector = samba.connect()
    await create(connector, 'a', { userPrincipalName: 'a@example.test' })
    await expect(create(connector, 'b', taken)).rejects.toMatchObject({
      kind: 'alreadyExists',
      detail: { attribute },
    })
  })

  it('the name is in use', async () => {
    await using connector = samba.connect()
    await create(connector, 'a')
    await expect(create(connector, 'A', { sAMAccountName: 'b' })).rejects.toMatchObject({
      kind: 'alreadyExists',
      message: expect.stringContaining(`under this name the server has "${nameOf('a')}"`),
      detail: { attribute: 'dn' },
    })
  })
})

describe('a group', () => {
  it.each([
    ['global', 'security', '-2147483646'],
    ['domain', 'distribution', '4'],
    ['universal', 'security', '-2147483640'],
  ])('is created as %s and %s', async (scope, kind, groupType) => {
    await using connector = samba.connect()
    await createGroup(connector, 'g', { __GROUP_SCOPE__: scope, __GROUP_TYPE__: kind })
    expect(samba.find('(cn=g)', 'groupType')).toContain(`groupType: ${groupType}\n`)
    const [[object] = []] = await Array.fromAsync(
      connector.search({ objectClass: '__GROUP__', filter: everything }),
    )
    expect(object).toMatchObject({ __GROUP_SCOPE__: scope, __GROUP_TYPE__: kind })
    expect(await found(connector, equal('__GROUP_SCOPE__', scope), '__GROUP__')).toEqual(['g'])
    expect(await found(connector, equal('__GROUP_TYPE__', kind), '__GROUP__')).toEqual(['g'])
  })

  it('changes its scope and keeps its kind', async () => {
    await using connector = samba.connect()
    const id = await createGroup(connector, 'g', { __GROUP_TYPE__: 'distribution' })
    await update(connector, id, { __GROUP_SCOPE__: 'universal' }, '__GROUP__')
    expect(samba.find('(cn=g)', 'groupType')).toContain('groupType: 8\n')
  })

  it('keeps members that others add while single ones are added and removed, as often as it is said', async () => {
    await using connector = samba.connect()
    for (const name of ['a', 'b', 'c', 'd']) await create(connector, name)
    const id = await createGroup(connector, 'g', { member: [nameOf('a'), nameOf('b')] })
    samba.change(`dn: CN=g,${groups}\nchangetype: modify\nadd: member\nmember: ${nameOf('c')}\n`)
    expect(connector.deltas('__GROUP__', 'member')).toBe(true)
    const changes = [
      { attribute: 'member', kind: 'delta', add: [nameOf('d'), nameOf('b')], remove: [nameOf('a')] },
    ] as const
    for (let time = 0; time < 2; time++)
      idOf((await connector.writeMany('__GROUP__', [{ operation: 'update', id, changes }]))[0])
    const object = (await connector.readMany('__GROUP__', [id])).get(id)
    expect(object).toHaveProperty('member', expect.arrayContaining(['b', 'c', 'd'].map(nameOf)))
    expect(object).toHaveProperty('member.length', 3)
  })

  it('that is the primary one of an account does not take it as a member, and says why', async () => {
    await using connector = samba.connect({ baseContexts: [domain] })
    await create(connector, 'a')
    const [id = ''] = (
      await Array.fromAsync(
        connector.search({ objectClass: '__GROUP__', filter: equal('cn', 'Domain Users') }),
      )
    )
      .flat()
      .map(({ _id }) => _id)
    const changes = [{ attribute: 'member', kind: 'delta', add: [nameOf('a')], remove: [] }] as const
    const [outcome] = await connector.writeMany('__GROUP__', [{ operation: 'update', id, changes }])
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('is the primary group of'), detail: { attribute: 'member' } },
    })
  })
})

describe('a login', () => {
  const login = async (connector: LdapConnector, name = 'a', word = right) =>
    connector.authenticate('__ACCOUNT__', name, new Secret(word))

  it('takes sAMAccountName and userPrincipalName, in any case', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a', { userPrincipalName: 'Ann@example.test' })
    for (const name of ['a', 'A', 'ann@example.test']) expect(await login(connector, name)).toBe(id)
  })

  it.each([
    [{ __ENABLE__: false }, 'permission', 'The account is disabled'],
    [{ __ACCOUNT_EXPIRES__: '2020-01-01' }, 'permission', 'The account has expired'],
    [
      { __PASSWORD_EXPIRED__: true },
      'passwordExpired',
      'The password must be changed before the first login',
    ],
  ])('that %o keeps out says so, but to nobody with a wrong password', async (more, kind, message) => {
    await using connector = samba.connect()
    await create(connector, 'a', more)
    await expect(login(connector)).rejects.toMatchObject({ kind, message })
    await expect(login(connector, 'a', 'wrong')).rejects.toMatchObject({ kind: 'wrongCredentials' })
  })

  it('is locked out by wrong passwords, which __LOCK_OUT__ shows and ends', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    using _ = rule('lockoutThreshold', '3')
    for (let time = 0; time < 3; time++) await login(connector, 'a', 'wrong').catch(() => undefined)
    await expect(login(connector)).rejects.toMatchObject({
      kind: 'permission',
      message: 'The account is locked after too many wrong passwords',
    })
    expect(await read(connector, id, '__LOCK_OUT__')).toMatchObject({ __LOCK_OUT__: true })
    await expect(update(connector, id, { __LOCK_OUT__: true })).rejects.toMatchObject({
      kind: 'invalidValue',
    })
    await update(connector, id, { __LOCK_OUT__: false })
    expect(await read(connector, id, '__LOCK_OUT__')).toMatchObject({ __LOCK_OUT__: false })
    expect(await login(connector)).toBe(id)
  })
})

describe('a password', () => {
  it('is set again under a new one: a change at the next login is forced where the configuration says so', async () => {
    await using connector = samba.connect({ forcePasswordChangeAtNextLogon: true })
    const id = await create(connector, 'a')
    const isExpired = async () => (await read(connector, id, '__PASSWORD_EXPIRED__')) ?? {}
    expect(await isExpired()).toMatchObject({ __PASSWORD_EXPIRED__: true })
    await update(connector, id, { __PASSWORD_EXPIRED__: false })
    await update(connector, id, { unicodePwd: new Secret('Secret 2') })
    expect(await isExpired()).toMatchObject({ __PASSWORD_EXPIRED__: true })
  })

  it('that users change, with the present one, must keep the rules for them', async () => {
    await using connector = samba.connect()
    const id = await create(connector, 'a')
    const change = (from: string, to: string) =>
      update(connector, id, { __CURRENT_PASSWORD__: new Secret(from), unicodePwd: new Secret(to) })
    await expect(change('wrong', 'Secret 2')).rejects.toMatchObject({
      detail: { attribute: '__CURRENT_PASSWORD__' },
    })
    // A user may change a password once a day.
    await expect(change(right, 'Secret 2')).rejects.toMatchObject({ detail: { attribute: 'unicodePwd' } })
    using _ = rule('minPwdAge', '0')
    await change(right, 'Secret 2')
    expect(await connector.authenticate('__ACCOUNT__', 'a', new Secret('Secret 2'))).toBe(id)
  })

  it('under the name of the standard is one all the same, and never text that can be read', async () => {
    await using connector = samba.connect({ passwordAttribute: 'userPassword' })
    const id = await create(connector, 'a', { unicodePwd: undefined, userPassword: new Secret(right) })
    expect(await connector.authenticate('__ACCOUNT__', 'a', new Secret(right))).toBe(id)
    expect(samba.find('(sAMAccountName=a)', 'userPassword')).not.toContain('userPassword')
  })

  it('is refused without TLS where the configuration is read, before anything is sent', () => {
    expect(() => samba.connect({ ssl: false })).toThrow(
      /passwordAttribute is unicodePwd.*set ssl or startTLS/,
    )
    expect(() => samba.connect({ failover: ['ldap://other.example.test'] })).toThrow(
      /other.example.test:389 is reached without/,
    )
  })
})

describe('the global catalog', () => {
  it('is read, and not written to', async () => {
    await using writer = samba.connect()
    const id = await create(writer, 'a')
    await using connector = samba.connect({ port: 3269 })
    expect(await read(connector, id, 'sAMAccountName')).toEqual({ _id: id, sAMAccountName: 'a' })
    await expect(update(connector, id, { title: 'x' })).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('give the system the port of the domain, 389 or 636'),
    })
  })
})
