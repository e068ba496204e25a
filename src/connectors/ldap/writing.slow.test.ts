import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../kit/values.ts'
import type { AttributeChange, ConnectorWriteOutcome } from '../kit/write.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { administrator, base, password, people, type Slapd, startSlapd } from './testing/slapd.ts'

let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd()
})

afterEach(() => slapd.empty())

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

const groups = `ou=groups,${base}`
const nameOf = (uid: string) => `uid=${uid},${people}`

function idOf(outcome: ConnectorWriteOutcome | undefined): string {
  if (outcome?.ok) return outcome.id
  throw outcome?.error ?? new Error('There is no outcome')
}

async function create(connector: LdapConnector, uid: string, more = {}): Promise<string> {
  const attributes = { dn: nameOf(uid), cn: [uid], sn: ['x'], ...more }
  return idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes }]))[0])
}

async function update(
  connector: LdapConnector,
  id: string,
  ...changes: readonly AttributeChange[]
): Promise<void> {
  idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'update', id, changes }]))[0])
}

async function createGroup(
  connector: LdapConnector,
  name: string,
  members: readonly string[],
): Promise<string> {
  const attributes = { dn: `cn=${name},${groups}`, uniqueMember: members }
  return idOf((await connector.writeMany('__GROUP__', [{ operation: 'create', attributes }]))[0])
}

async function read(connector: LdapConnector, objectClass: string, id: string) {
  return (await connector.readMany(objectClass, [id])).get(id)
}

function storedPassword(uid: string): string {
  const parameters = [
    '-x',
    '-LLL',
    '-o',
    'ldif-wrap=no',
    '-H',
    `ldap://127.0.0.1:${slapd.port}`,
    '-D',
    administrator,
  ]
  const { stdout } = spawnSync(
    'ldapsearch',
    [...parameters, '-w', password, '-b', nameOf(uid), 'userPassword'],
    {
      encoding: 'utf8',
    },
  )
  return Buffer.from(/userPassword:: (\S+)/.exec(stdout)?.[1] ?? '', 'base64').toString()
}

describe('an entry', () => {
  it('gets what its name says, and the object classes of the configuration', async () => {
    await using connector = slapd.connect()
    const id = await create(connector, 'a', { uid: ['b'] })
    expect(await read(connector, '__ACCOUNT__', id)).toMatchObject({
      uid: ['b', 'a'],
      objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson'],
    })
  })

  it('may have auxiliary classes', async () => {
    await using connector = slapd.connect()
    const objectClass = ['inetOrgPerson', 'posixAccount']
    const posix = { uid: ['a'], uidNumber: '1000', gidNumber: '1000', homeDirectory: '/home/a' }
    const id = await create(connector, 'a', { objectClass, ...posix })
    expect(await read(connector, '__ACCOUNT__', id)).toMatchObject(posix)
  })

  it('is moved to another place and keeps its id', async () => {
    await using connector = slapd.connect()
    const id = await create(connector, 'a')
    await update(connector, id, { attribute: 'dn', kind: 'set', value: `uid=a,${groups}` })
    expect(await read(connector, '__ACCOUNT__', id)).toMatchObject({
      _id: id,
      dn: `uid=a,${groups}`,
      cn: ['a'],
    })
  })

  it('takes another spelling of its own part of the name, and stays where it is spelled so above', async () => {
    await using connector = slapd.connect()
    const id = await create(connector, 'a')
    await update(connector, id, { attribute: 'dn', kind: 'set', value: `UID=a, OU=People,${base}` })
    expect(await read(connector, '__ACCOUNT__', id)).toMatchObject({ dn: nameOf('a') })
    await update(connector, id, { attribute: 'dn', kind: 'set', value: `uid=A,OU=People,${base}` })
    expect(await read(connector, '__ACCOUNT__', id)).toMatchObject({ dn: nameOf('A'), uid: ['A'] })
  })

  it('is refused outside of the base contexts: it would not be found again', async () => {
    await using connector = slapd.connect({ baseContexts: [people] })
    const outside = {
      operation: 'create',
      attributes: { dn: `uid=a,${groups}`, cn: ['a'], sn: ['x'] },
    } as const
    const [outcome] = await connector.writeMany('__ACCOUNT__', [outside])
    expect(outcome).toMatchObject({ ok: false, error: { kind: 'invalidValue' } })
  })

  it('that another program moved meanwhile is found under its new name', async () => {
    await using connector = slapd.connect()
    const id = await create(connector, 'a')
    slapd.change(`dn: ${nameOf('a')}\nchangetype: modrdn\nnewrdn: uid=b\ndeleteoldrdn: 1\n`)
    await update(connector, id, { attribute: 'displayName', kind: 'set', value: 'A' })
    expect(await read(connector, '__ACCOUNT__', id)).toMatchObject({ dn: nameOf('b'), displayName: 'A' })
  })

  it('keeps the words of the server in an error', async () => {
    await using connector = slapd.connect()
    const [outcome] = await connector.writeMany('__ACCOUNT__', [
      { operation: 'create', attributes: { dn: nameOf('a'), cn: ['a'] } },
    ])
    expect(outcome).toMatchObject({
      ok: false,
      error: {
        kind: 'schemaViolation',
        message: expect.stringMatching(/objectClassViolation \(65\).*requires attribute 'sn'/),
      },
    })
  })
})

describe('a list of values', () => {
  it('keeps what another program adds while single values are added and removed', async () => {
    await using connector = slapd.connect()
    const [a, b, c] = [nameOf('a'), nameOf('b'), nameOf('c')]
    const id = await createGroup(connector, 'g', [a, b])
    slapd.change(`dn: cn=g,${groups}\nchangetype: modify\nadd: uniqueMember\nuniqueMember: ${c}\n`)
    const changes = [{ attribute: 'uniqueMember', kind: 'delta', add: [nameOf('d')], remove: [a] }] as const
    await connector.writeMany('__GROUP__', [{ operation: 'update', id, changes }])
    expect(await read(connector, '__GROUP__', id)).toMatchObject({ uniqueMember: [b, c, nameOf('d')] })
  })

  it('is changed value by value where the server can compare them', async () => {
    await using connector = slapd.connect()
    await connector.schema()
    expect(connector.deltas('__GROUP__', 'uniqueMember')).toBe(true)
    expect(connector.deltas('__ACCOUNT__', 'jpegPhoto')).toBe(false)
    expect(connector.deltas('__ACCOUNT__', 'displayName')).toBe(false)
  })

  it('takes a value once that is given in two spellings, and no empty one', async () => {
    await using connector = slapd.connect()
    await connector.schema()
    const given = ['Boss', 'boss', '', 'chief']
    const id = await create(connector, 'a', { title: given })
    expect(await read(connector, '__ACCOUNT__', id)).toMatchObject({ title: ['Boss', 'chief'] })
    expect(connector.held('__ACCOUNT__', 'title', given)).toEqual(['Boss', 'chief'])
  })
})

describe('groups', () => {
  it('follow their members through a rename and a deletion, if the configuration says so', async () => {
    await using connector = slapd.connect({ maintainLdapGroupMembership: true })
    const id = await create(connector, 'a')
    const group = await createGroup(connector, 'g', [nameOf('a'), nameOf('z')])
    const members = async () => (await read(connector, '__GROUP__', group)) ?? {}
    await update(connector, id, { attribute: 'dn', kind: 'set', value: nameOf('b') })
    expect(await members()).toMatchObject({ uniqueMember: [nameOf('z'), nameOf('b')] })
    await connector.writeMany('__ACCOUNT__', [{ operation: 'delete', id }])
    expect(await members()).toMatchObject({ uniqueMember: [nameOf('z')] })
  })

  it('stay as they are, if it does not', async () => {
    await using connector = slapd.connect()
    const id = await create(connector, 'a')
    const group = await createGroup(connector, 'g', [nameOf('a')])
    await update(connector, id, { attribute: 'dn', kind: 'set', value: nameOf('b') })
    expect(await read(connector, '__GROUP__', group)).toMatchObject({ uniqueMember: [nameOf('a')] })
  })
})

describe('a password', () => {
  it.each(['SSHA', 'SHA', 'SMD5', 'MD5'])(
    'is hashed with %s before it is sent, and opens the account',
    async (name) => {
      await using connector = slapd.connect({ passwordHashAlgorithm: name })
      const id = await create(connector, 'a', { userPassword: new Secret('Pässword') })
      expect(storedPassword('a')).toMatch(new RegExp(`^\\{${name}\\}`))
      expect(storedPassword('a')).not.toContain('Pässword')
      expect(await connector.authenticate('__ACCOUNT__', 'a', new Secret('Pässword'))).toBe(id)
    },
  )

  it('goes to Active Directory over TLS only, and is never stored as text', async () => {
    await using domain = await startSlapd({
      global: (folder) => {
        writeFileSync(join(folder, 'root.ldif'), 'dn:\nvendorName: Samba Team (https://samba.org)\n')
        return [`olcRootDSE: ${join(folder, 'root.ldif')}`]
      },
    })
    await using connector = domain.connect({ uidAttribute: 'entryUUID' })
    await expect(create(connector, 'a', { userPassword: new Secret('x') })).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(/takes passwords over TLS only; set ssl or startTLS$/),
    })
    expect(await create(connector, 'a')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('in the way of Active Directory is refused by any other server', async () => {
    await using connector = slapd.connect({ passwordHashAlgorithm: 'WIN-AD' })
    await expect(create(connector, 'a', { userPassword: new Secret('x') })).rejects.toMatchObject({
      kind: 'misconfigured',
    })
  })

  it('is salted with SSHA: two accounts with one password do not show it', async () => {
    await using connector = slapd.connect({ passwordHashAlgorithm: 'ssha' })
    for (const uid of ['a', 'b']) await create(connector, uid, { userPassword: new Secret('same') })
    expect(storedPassword('a')).not.toBe(storedPassword('b'))
    expect(storedPassword('a')).not.toContain(createHash('sha1').update('same').digest('base64'))
  })
})
