import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { configurationSchema } from './configuration-schema.ts'
import { ldapSettings } from './settings.ts'

const needed = { host: 'ldap.example.com', baseContexts: ['dc=example,dc=com'] }

function settings(configuration: JsonObject = {}, warnings: string[] = []) {
  return ldapSettings({ ...needed, ...configuration }, '/', (_, message) => warnings.push(message))
}

describe('the settings of a directory', () => {
  it('have the defaults of the peer', () => {
    const found = settings()
    expect(found.servers).toEqual([{ host: 'ldap.example.com', port: 389, secure: false }])
    expect(found.accounts.objectClasses).toEqual(['top', 'person', 'organizationalPerson', 'inetOrgPerson'])
    expect(found.groups.objectClasses).toEqual(['top', 'groupOfUniqueNames'])
    expect([found.memberAttribute, found.passwordAttribute, found.referrals]).toEqual([
      'uniqueMember',
      'userPassword',
      'follow',
    ])
    expect(found.userNames).toEqual(['uid', 'cn'])
  })

  it('know every property of the specification', () => {
    const names = Object.keys(configurationSchema.properties)
    for (const name of [
      'usePagedResultsControl',
      'resetSyncToken',
      'vlvSortAttribute',
      'maintainPosixGroupMembership',
    ])
      expect(names).toContain(name)
  })

  it('take the port of LDAPS from ssl, and further servers from failover', () => {
    const { servers } = settings({ ssl: true, failover: ['ldap://b', 'ldaps://[::1]:1636'] })
    expect(servers).toEqual([
      { host: 'ldap.example.com', port: 636, secure: true },
      { host: 'b', port: 389, secure: false },
      { host: '::1', port: 1636, secure: true },
    ])
  })

  it.each<[JsonObject, object]>([
    [{ connectionSecurity: 'ssl' }, { secure: true, startTls: false }],
    [{ connectionSecurity: 'starttls' }, { secure: false, startTls: true }],
    [{ connectionSecurity: 'none' }, { secure: false, startTls: false }],
  ])('take %j for what others call ssl and startTLS', (configuration, security) => {
    expect(settings(configuration).securing).toMatchObject(security)
  })

  it('take a socket of this machine, as it is or escaped', () => {
    expect(settings({ host: 'ldapi://%2Frun%2Fslapd%2Fldapi' }).servers).toMatchObject([
      { path: '/run/slapd/ldapi', secure: false },
    ])
  })

  it('keep of two base contexts the one above: an entry would be listed twice', () => {
    const { bases } = settings({
      baseContexts: ['ou=people,dc=example,dc=com', 'DC=Example, dc=com', 'dc=example,dc=com', 'dc=other'],
    })
    expect(bases.map(({ text }) => text)).toEqual(['DC=Example, dc=com', 'dc=other'])
  })

  it.each<[JsonObject, RegExp]>([
    [{ authType: 'SASL-GSSAPI' }, /authType .*Kerberos is not there. Use simple over TLS, or EXTERNAL/],
    [{ authType: 'EXTERNAL' }, /authType .*set clientCertificate and clientKey/],
    [{ authType: 'EXTERNAL', host: 'ldapi://%2Fx', credentials: 'x' }, /credentials .*needs no password/],
    [{ authType: 'NTLM' }, /allowed are simple and EXTERNAL/],
    [{ clientCertificate: 'nowhere.pem' }, /\/nowhere\.pem, which cannot be read/],
    [{ connectionSecurity: 'starttls', ssl: true }, /starttls beside ssl/],
    [{ connectionSecurity: 'tls' }, /allowed are none, ssl, starttls/],
    [{ userSearchScope: 'children' }, /allowed are object, onelevel, subtree/],
    [{ additionalSearchFilter: '(a' }, /no LDAP filter/],
    [{ globalCatalogStrategy: 'read' }, /globalCatalogStrategy .*not there yet: make one system/],
    [{ pwdUpdateOnly: true }, /pwdUpdateOnly .*leave the other properties out/],
    [{ passwordAttribute: 'unicodePwd' }, /unicodePwd.*over TLS only.*set ssl or startTLS/],
    [{ placeholderMember: 'nobody' }, /placeholderMember .*no name of an entry/],
    [{ passwordHashAlgorithm: 'SHA-2' }, /there are SSHA, SHA, SMD5, MD5, WIN-AD/],
    [{ accountSearchFilter: '(uid=' }, /no LDAP filter/],
    [{ baseContexts: ['people'] }, /no name of an entry/],
    [{ ssl: true, startTLS: true }, /one of the two/],
    [{ failover: ['http://b'] }, /ldap:\/\/host:port/],
    [{ trustedCertificates: 'nowhere.pem' }, /\/nowhere\.pem, which cannot be read/],
    [{ principal: 'cn=a' }, /credentials is missing/],
    [{ syncStrategy: 'sometimes' }, /syncStrategy .*allowed are accessLog, /],
    [{ resetSyncToken: 'maybe' }, /resetSyncToken .*allowed are never, first, last/],
    [{ baseContextsToSynchronize: ['people'] }, /baseContextsToSynchronize holds "people", no name/],
  ])('refuse %j', (configuration, fact) => {
    expect(() => settings(configuration)).toThrow(fact)
  })

  it.each([
    [{}, 'auto'],
    [{ useTimestampsForSync: true, syncStrategy: 'usn' }, 'timestamps'],
    [{ syncStrategy: 'DirSync' }, 'dirSync'],
    [{ synchronizationStrategy: 'sunChangeLog' }, 'changeLog'],
    [
      { syncStrategy: 'net.tirasa.connid.bundles.ldap.sync.timestamps.ModifyTimestampsSyncStrategy' },
      'timestamps',
    ],
    [{ synchronizationStrategy: 'none' }, 'none'],
  ])('%j: changes are found by %s', (configuration, strategy) => {
    expect(settings(configuration).changes.strategy).toBe(strategy)
  })

  it('warn of what is accepted without effect, and of nothing that stands at its default', () => {
    const warnings: string[] = []
    settings(
      { readSchema: false, useBlocks: false, changeLogBlockSize: 100, synchronizePasswords: true },
      warnings,
    )
    expect(warnings).toEqual([
      'readSchema has no effect: the schema is always read from the server',
      'synchronizePasswords has no effect: passwords are not read from change logs',
    ])
  })
})
