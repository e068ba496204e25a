import * as samba from '../../src/connectors/ldap/testing/samba.ts'
import * as slapd from '../../src/connectors/ldap/testing/slapd.ts'
import { faultProxy } from './fault-proxy.ts'
import type { DirectoryModel } from './two-ways-model.ts'

export const units = ['people', 'sales', 'research'] as const

const syncAccount = { dn: `cn=syncline,${slapd.base}`, password: 'sync1ine' }

/** What others may do, and Syncline. */
const accessRules = [
  `olcAccess: {0}to attrs=userPassword by dn.exact="${syncAccount.dn}" write by anonymous auth by self write`,
  `olcAccess: {1}to * by dn.exact="${syncAccount.dn}" write by * read`,
  `olcLimits: {0}dn.exact="${syncAccount.dn}" size=unlimited`,
  'olcDbIndex: employeeNumber,uniqueMember eq',
]

const rules = `cn=rules,${slapd.base}`

const entriesOfOpenLdap = [
  ...units
    .filter((unit) => unit !== 'people')
    .map((unit) => `dn: ou=${unit},${slapd.base}\nobjectClass: organizationalUnit\n`),
  `dn: ${syncAccount.dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\nuserPassword: ${syncAccount.password}\n`,
  `dn: ${rules}\nobjectClass: device\nobjectClass: pwdPolicy\npwdAttribute: userPassword\npwdLockout: TRUE\n`,
].join('\n')

export const openLdap: DirectoryModel = {
  name: 'OpenLDAP',
  base: slapd.base,
  administrator: { dn: slapd.administrator, password: slapd.password },
  syncAccount,
  naming: { person: 'uid', unit: 'ou', team: 'cn' },
  account: { objectClass: 'inetOrgPerson', userName: 'uid', name: 'cn' },
  group: { objectClass: 'groupOfUniqueNames', member: 'uniqueMember' },
  nobody: syncAccount.dn,
  keepsMembers: false,
  passwordOf: (password) => ['userPassword', [password]],
  stateOf: (enabled) => ['pwdAccountLockedTime', enabled ? [] : ['000001010000Z']],
  isEnabled: (value) => value === '',
  configuration: {
    modifiersNamesToFilterOut: [syncAccount.dn],
    maintainLdapGroupMembership: true,
  },
  async start(entries) {
    const server = await slapd.startSlapd({
      accessLog: true,
      database: accessRules,
      overlays: { ppolicy: `objectClass: olcPPolicyConfig\nolcPPolicyDefault: ${rules}` },
      entries: `${entriesOfOpenLdap}\n${entries}`,
    })
    const host = '127.0.0.1'
    const network = await faultProxy({ host, port: server.port })
    return {
      url: `ldap://${host}:${server.port}`,
      address: { host, port: network.port },
      network,
      stop: (signal) => server.stop(signal),
      start: () => server.start(),
      async [Symbol.asyncDispose]() {
        await network[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  },
}

const administratorOfDomain = { dn: samba.administrator, password: samba.password }

export const activeDirectory: DirectoryModel = {
  name: 'Active Directory',
  base: samba.base,
  administrator: administratorOfDomain,
  syncAccount: administratorOfDomain,
  naming: { person: 'CN', unit: 'OU', team: 'CN' },
  account: { objectClass: 'user', userName: 'sAMAccountName', name: 'displayName' },
  group: { objectClass: 'group', member: 'member' },
  nobody: undefined,
  keepsMembers: true,
  passwordOf: (password) => ['unicodePwd', [Buffer.from(`"${password}"`, 'utf16le')]],
  stateOf: (enabled) => ['userAccountControl', [enabled ? '512' : '514']],
  isEnabled: (value) => (Number(value) & 2) === 0,
  configuration: {
    ssl: true,
    accountObjectClasses: ['top', 'person', 'organizationalPerson', 'user'],
    accountUserNameAttributes: ['sAMAccountName'],
    groupObjectClasses: ['top', 'group'],
    groupMemberAttribute: 'member',
    passwordAttribute: 'unicodePwd',
  },
  async start(entries) {
    const containers = units
      .filter((unit) => unit !== 'people')
      .map((unit) => `dn: OU=${unit},${samba.base}\nobjectClass: organizationalUnit\n`)
    const server = await samba.startSamba({ entries: [...containers, entries].join('\n') })
    const { address: host, certificates } = server
    const network = await faultProxy({ host, port: 636, certificates })
    return {
      url: `ldaps://${host}`,
      authority: certificates.authority,
      address: { host, port: network.port, trustedCertificates: certificates.authority },
      network,
      stop: (signal) => server.stop(signal),
      start: () => server.start(),
      async [Symbol.asyncDispose]() {
        await network[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  },
}
