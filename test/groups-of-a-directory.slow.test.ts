import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  administrator,
  base,
  password,
  people,
  type Slapd,
  startSlapd,
} from '../src/connectors/ldap/testing/slapd.ts'
import { parseFilter } from '../src/model/filter/parse.ts'
import { elementsOf, type Json } from '../src/model/json.ts'
import type { PatchOperation } from '../src/model/patch.ts'
import { type Application, openApplication } from '../src/syncline.ts'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'

/** Groups of a directory as managed objects, and as lists of managed users, which carry them back. */
const groups = `ou=groups,${base}`
const named = (cn: string) => `cn=${cn},${groups}`
const made = new TestProject()
let slapd: Slapd
let application: Application
const logged: string[] = []

beforeAll(async () => {
  slapd = await startSlapd()
  for (const entry of [ann, bob, staff, admins]) slapd.change(entry)
  made.write('conf/managed.json', { objects: [{ name: 'user' }, { name: 'group' }] })
  made.write('conf/provisioner.openicf-ldap.json', provisioner(slapd.port))
  made.write('conf/sync.json', { mappings })
  application = await openApplication({
    environment: {},
    flags: {},
    projectFolder: made.folder,
    dataFolder: made.path('.data'),
    log: (_level, message) => logged.push(message),
  })
})

afterAll(async () => {
  await application[Symbol.asyncDispose]()
  made[Symbol.dispose]()
  await slapd[Symbol.asyncDispose]()
})

const person = (uid: string, more = '') =>
  `dn: uid=${uid},${people}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n${more}`
const ann = person('ann', 'mail: ann@example.com\n')
const bob = person('bob')
const group = (cn: string, more: string) =>
  `dn: ${named(cn)}\nchangetype: add\nobjectClass: groupOfUniqueNames\ncn: ${cn}\nuniqueMember: cn=keeper,${base}\n${more}`
const staff = group('staff', `description: Everybody\nuniqueMember: uid=ann,${people}\n`)
const admins = group('admins', '')

const list = { type: 'array', items: { type: 'string' } }
const provisioner = (port: number) => ({
  connectorRef: {
    bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
    bundleVersion: '[1.4.0.0,1.6.0.0)',
    connectorName: 'org.identityconnectors.ldap.LdapConnector',
  },
  configurationProperties: {
    ...{ host: '127.0.0.1', port, principal: administrator, credentials: password },
    ...{ baseContexts: [base], uidAttribute: 'dn' },
  },
  objectTypes: {
    account: {
      nativeType: '__ACCOUNT__',
      properties: {
        dn: { type: 'string', nativeName: '__NAME__', required: true },
        ...{ uid: { type: 'string' }, cn: { type: 'string' }, sn: { type: 'string', nativeName: 'SN' } },
        changed: { type: 'string', nativeName: 'modifytimestamp', flags: ['NOT_UPDATEABLE'] },
        ...{ mail: list, ldapGroups: list },
      },
    },
    group: {
      nativeType: '__GROUP__',
      properties: {
        dn: { type: 'string', nativeName: '__NAME__', required: true },
        ...{ cn: list, description: list, seeAlso: list, uniqueMember: list },
      },
    },
  },
})

const policies = [
  { situation: 'ABSENT', action: 'CREATE' },
  { situation: 'CONFIRMED', action: 'UPDATE' },
  { situation: 'SOURCE_MISSING', action: 'DELETE' },
]
const same = (...names: readonly string[]) => names.map((name) => ({ source: name, target: name }))
const onlyOne = script('source.length <= 1 ? source[0] : source')
const mappings = [
  {
    name: 'accounts_users',
    source: 'system/ldap/account',
    target: 'managed/user',
    properties: same('uid', 'cn', 'sn', 'mail', 'ldapGroups'),
    policies,
  },
  {
    name: 'users_accounts',
    source: 'managed/user',
    target: 'system/ldap/account',
    links: 'accounts_users',
    properties: same('uid', 'cn', 'sn', 'mail', 'ldapGroups'),
    onCreate: script(`target.dn = 'uid=' + source.uid + ',${people}'`),
    policies,
  },
  {
    name: 'groups_groups',
    source: 'system/ldap/group',
    target: 'managed/group',
    properties: [
      { source: 'cn', target: 'name', transform: onlyOne },
      { source: 'description', target: 'description', transform: onlyOne },
      ...same('seeAlso', 'uniqueMember'),
    ],
    policies,
  },
]

/** What a run did, of every object. */
async function recon(mapping: string): Promise<readonly string[]> {
  const did: string[] = []
  const { done } = await application.reconciliations.start({ mapping }, application.administrator, {
    onEntry: ({ situation, action, changes }) =>
      did.push(`${situation} ${action}${(changes ?? []).length > 0 ? '' : ' nothing'}`),
  })
  await done
  return did.toSorted()
}

async function found(path: string, filter: string) {
  const query = { filter: parseFilter(filter) }
  const { result } = await application.resources.query(path, query, application.administrator)
  return result
}

async function patch(uid: string, ...operations: readonly PatchOperation[]): Promise<void> {
  const [user] = await found('managed/user', `uid eq "${uid}"`)
  await application.resources.patch(
    `managed/user/${user?._id}`,
    undefined,
    operations,
    application.administrator,
  )
}

const account = async (uid: string) => (await found('system/ldap/account', `uid eq "${uid}"`))[0]

describe('groups of a directory', () => {
  it('become objects, where a list has no value too, and a transform asks how long it is', async () => {
    expect(await recon('groups_groups')).toEqual(['ABSENT CREATE', 'ABSENT CREATE'])
    expect(await found('managed/group', 'name eq "staff"')).toMatchObject([
      { description: 'Everybody', seeAlso: [] },
    ])
    expect(await found('managed/group', 'name eq "admins"')).toMatchObject([
      { description: null, seeAlso: [], uniqueMember: [`cn=keeper,${base}`] },
    ])
    expect(await recon('groups_groups')).toEqual(['CONFIRMED UPDATE nothing', 'CONFIRMED UPDATE nothing'])
  })

  it('are found by the lists that they have and do not have', async () => {
    const described = async (filter: string) => (await found('system/ldap/group', filter)).map(({ cn }) => cn)
    expect(await described('description pr')).toEqual([['staff']])
    expect(await described('!(description pr)')).toEqual([['admins']])
    expect(await described('!(description pr) and cn ge "a"')).toEqual([['admins']])
  })
})

describe('the groups of an account', () => {
  it('reach its user, as an empty list where it has none, and both ways then find nothing to do', async () => {
    expect(await recon('accounts_users')).toEqual(['ABSENT CREATE', 'ABSENT CREATE'])
    expect(await found('managed/user', 'true')).toMatchObject([
      { uid: 'ann', mail: ['ann@example.com'], ldapGroups: [named('staff')] },
      { uid: 'bob', mail: [], ldapGroups: [] },
    ])
    for (const mapping of ['users_accounts', 'accounts_users'])
      expect(await recon(mapping)).toEqual(['CONFIRMED UPDATE nothing', 'CONFIRMED UPDATE nothing'])
  })

  it.each<[what: string, value: Json, there: readonly string[]]>([
    ['another group', [named('admins')], [named('admins')]],
    ['both', [named('staff'), named('admins')], [named('admins'), named('staff')]],
    ['an empty list', [], []],
    ['null', null, []],
  ])('are changed with the list of its user: %s', async (_what, value, there) => {
    for (const uid of ['ann', 'bob']) {
      const field = ['ldapGroups']
      await patch(
        uid,
        value === null ? { operation: 'remove', field } : { operation: 'replace', field, value },
      )
      const ldapGroups = (await account(uid))?.ldapGroups
      expect(elementsOf(ldapGroups ?? null).toSorted()).toEqual(there)
      expect(ldapGroups).toBeInstanceOf(Array)
    }
    expect(await recon('users_accounts')).toEqual(['CONFIRMED UPDATE nothing', 'CONFIRMED UPDATE nothing'])
  })

  it('are no groups any more, and neither are addresses, once their lists are emptied', async () => {
    await patch('ann', { operation: 'replace', field: ['mail'], value: [] })
    expect(await account('ann')).toMatchObject({ mail: [], ldapGroups: [] })
    expect(await found('system/ldap/account', 'mail pr')).toEqual([])
    await recon('accounts_users')
    for (const mapping of ['users_accounts', 'accounts_users'])
      expect(await recon(mapping)).toEqual(['CONFIRMED UPDATE nothing', 'CONFIRMED UPDATE nothing'])
  })

  it('come with liveSync, although they come only where they are asked for', async () => {
    const live = () =>
      application.resources.action(
        'system/ldap/account',
        { name: 'liveSync', content: null, parameters: {} },
        application.administrator,
      )
    await live()
    slapd.change(
      `dn: ${named('admins')}\nchangetype: modify\nadd: uniqueMember\nuniqueMember: uid=bob,${people}\n`,
    )
    slapd.change(`dn: uid=bob,${people}\nchangetype: modify\nadd: mail\nmail: bob@example.com\n`)
    await live()
    expect(await found('managed/user', 'uid eq "bob"')).toMatchObject([
      { mail: ['bob@example.com'], ldapGroups: [named('admins')] },
    ])
  })
})

describe('an attribute in another spelling than in the schema', () => {
  it('is read, found, written and planned all the same', async () => {
    await recon('accounts_users')
    expect(await account('ann')).toMatchObject({ sn: 'ann', changed: expect.stringMatching(/^\d{14}Z$/) })
    await patch('ann', { operation: 'replace', field: ['sn'], value: 'Apfel' })
    expect(await found('system/ldap/account', 'sn eq "apfel"')).toMatchObject([{ uid: 'ann', sn: 'Apfel' }])
    expect(await recon('users_accounts')).toEqual(['CONFIRMED UPDATE nothing', 'CONFIRMED UPDATE nothing'])
    expect(logged.filter((line) => line.includes('has no'))).toEqual([])
  })
})
