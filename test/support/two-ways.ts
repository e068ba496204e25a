import { base } from '../../src/connectors/ldap/testing/slapd.ts'
import { script } from '../../src/testing/script.ts'
import type { TestProject } from './project.ts'

/**
 * People and teams that two sides change: Syncline's own objects, and a directory that others write to as well.
 *
 *     managed/user   ◀─(liveSync)── uid=…,ou=UNIT   accounts, renamed and moved with their people
 *                    ──(queue)────▶
 *     managed/group  ◀─(liveSync)── cn=…,ou=groups  members by name of entry there, by reference here
 *                    ──(queue)────▶
 */
export const units = ['people', 'sales', 'research'] as const
export const syncAccount = { dn: `cn=syncline,${base}`, password: 'sync1ine' }

/** A team must have a member in the directory; nobody stands in where it has none. */
export const nobody = syncAccount.dn

/** Attributes of the database: what others may do, and Syncline. */
export const accessRules = [
  `olcAccess: {0}to attrs=userPassword by dn.exact="${syncAccount.dn}" write by anonymous auth by self write`,
  `olcAccess: {1}to * by dn.exact="${syncAccount.dn}" write by * read`,
  `olcLimits: {0}dn.exact="${syncAccount.dn}" size=unlimited`,
  'olcDbIndex: employeeNumber,uniqueMember eq',
]

/** The containers, and the account by which Syncline reads and writes. */
export const containers = [
  ...units
    .filter((unit) => unit !== 'people')
    .map((unit) => `dn: ou=${unit},${base}\nobjectClass: organizationalUnit\n`),
  `dn: ${syncAccount.dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\nuserPassword: ${syncAccount.password}\n`,
].join('\n')

const text = { type: 'string' }
const list = { type: 'array', items: text }

export function writeTwoWays(project: TestProject, port: number): void {
  project.write('conf/provisioner.openicf-ldap.json', provisioner(port))
  project.write('conf/managed.json', { objects: [user, group] })
  project.write('conf/sync.json', { mappings: [fromAccount, toAccount, fromGroup, toGroup] })
}

function provisioner(port: number): object {
  return {
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
      bundleVersion: '[1.4.0.0,1.6.0.0)',
      connectorName: 'org.identityconnectors.ldap.LdapConnector',
    },
    configurationProperties: {
      ...{ host: '127.0.0.1', port, principal: syncAccount.dn, credentials: syncAccount.password },
      baseContexts: [base],
      modifiersNamesToFilterOut: [syncAccount.dn],
      maintainLdapGroupMembership: true,
      ...{ connectTimeout: 3000, readTimeout: 3000 },
    },
    resilience: { retries: 2, firstDelay: 20, longestDelay: 100, breakAfter: 5, breakFor: 100 },
    objectTypes: {
      account: {
        nativeType: '__ACCOUNT__',
        properties: {
          dn: { ...text, nativeName: '__NAME__', required: true },
          ...{ uid: text, cn: text, sn: text, mail: text, title: text, employeeNumber: text },
          password: { ...text, nativeName: '__PASSWORD__', nativeType: 'JAVA_TYPE_GUARDEDSTRING' },
        },
      },
      group: {
        nativeType: '__GROUP__',
        properties: {
          dn: { ...text, nativeName: '__NAME__', required: true },
          ...{ cn: text, description: text, uniqueMember: list },
        },
      },
    },
  }
}

const reference = (path: string, reversePropertyName: string) => ({
  type: 'array',
  items: {
    type: 'relationship',
    validate: true,
    reverseRelationship: true,
    reversePropertyName,
    resourceCollection: [{ path }],
  },
})

const user = {
  name: 'user',
  schema: {
    type: 'object',
    properties: {
      userName: { ...text, policies: [{ policyId: 'unique' }] },
      ...{
        number: { ...text, searchable: true },
        name: text,
        family: text,
        mail: text,
        title: text,
        unit: text,
      },
      password: { ...text, scope: 'private', encryption: { key: 'openidm-sym-default' } },
      groups: reference('managed/group', 'members'),
    },
  },
}

const group = {
  name: 'group',
  schema: {
    type: 'object',
    properties: {
      name: { ...text, searchable: true },
      description: text,
      members: reference('managed/user', 'groups'),
    },
  },
}

/** What is absent at one side while the other still has it was deleted there, and has not arrived here. */
const policies = [
  { situation: 'SOURCE_MISSING', action: 'DELETE' },
  { situation: 'MISSING', action: 'IGNORE' },
  { situation: 'UNASSIGNED', action: 'IGNORE' },
  // Both have deleted the same, or a deletion whose answer was lost took effect late.
  { situation: 'LINK_ONLY', action: 'UNLINK' },
]
const queuedSync = { enabled: true, pollingInterval: 50, retryDelay: 50 }

const fromAccount = {
  ...{ name: 'account_user', source: 'system/ldap/account', target: 'managed/user', policies },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['number'] } }],
  properties: [
    { source: 'uid', target: 'userName' },
    { source: 'cn', target: 'name' },
    { source: 'sn', target: 'family' },
    { source: 'mail', target: 'mail' },
    { source: 'title', target: 'title' },
    { source: 'employeeNumber', target: 'number' },
    { source: 'dn', target: 'unit', transform: script('/,ou=([^,]*),/i.exec(source)[1]') },
  ],
}

const dnOf = (person: string) => `'uid=' + ${person}.userName + ',ou=' + ${person}.unit + ',${base}'`

const toAccount = {
  ...{ name: 'user_account', source: 'managed/user', target: 'system/ldap/account', policies },
  ...{ links: 'account_user', queuedSync },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['employeeNumber'] } }],
  properties: [
    { source: '', target: 'dn', transform: script(dnOf('source')) },
    { source: 'userName', target: 'uid' },
    { source: 'name', target: 'cn' },
    { source: 'family', target: 'sn' },
    { source: 'mail', target: 'mail' },
    { source: 'title', target: 'title' },
    { source: 'number', target: 'employeeNumber' },
    // The directory does not show what it has: a password is sent where it is new here, and never by a run over everybody.
    {
      source: 'password',
      target: 'password',
      condition: script(
        'object.password != null && (!oldTarget || (oldSource != null && JSON.stringify(object.password) !== JSON.stringify(oldSource.password)))',
      ),
      transform: script('source && openidm.decrypt(source)'),
    },
  ],
}

const fromGroup = {
  ...{ name: 'group_group', source: 'system/ldap/group', target: 'managed/group', policies },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['name'] } }],
  properties: [
    { source: 'cn', target: 'name' },
    { source: 'description', target: 'description' },
    {
      source: 'uniqueMember',
      target: 'members',
      transform: script(`
        const names = source.flatMap((dn) => /^uid=([^,]*),/.exec(dn)?.[1] ?? [])
        const filter = names.map((name) => 'userName eq "' + name + '"').join(' or ')
        const found = names.length === 0 ? [] : openidm.query('managed/user', { _queryFilter: filter }).result
        // Who is not here yet, or has another name yet, would lose the team at both sides. It is tried again.
        const missing = names.filter((name) => !found.some(({ userName }) => userName === name))
        if (missing.length > 0) throw 'not here yet: ' + missing.join(', ')
        found.map(({ _id }) => ({ _ref: 'managed/user/' + _id }))`),
    },
  ],
}

const toGroup = {
  ...{ name: 'group_back', source: 'managed/group', target: 'system/ldap/group', policies },
  ...{ links: 'group_group', queuedSync },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['cn'] } }],
  properties: [
    { source: '', target: 'dn', transform: script(`'cn=' + source.name + ',ou=groups,${base}'`) },
    { source: 'name', target: 'cn' },
    { source: 'description', target: 'description' },
    {
      source: 'members',
      target: 'uniqueMember',
      transform: script(`
        const people = (source ?? []).map(({ _ref }) => openidm.read(_ref)).filter((person) => person)
        const names = people.map((person) => ${dnOf('person')})
        names.length === 0 ? ['${nobody}'] : names`),
    },
  ],
}
