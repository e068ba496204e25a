import { script } from '../../src/testing/script.ts'
import type { TestProject } from './project.ts'
import type { Directory, DirectoryModel } from './two-ways-model.ts'

/**
 * People and teams that two sides change: Syncline's own objects, and a directory that others write to as well.
 *
 *     managed/user   ◀─(liveSync)── …=NAME,ou=UNIT  accounts, renamed and moved with their people
 *                    ──(queue)────▶
 *     managed/group  ◀─(liveSync)── cn=…,ou=groups  members by name of entry there, by reference here
 *                    ──(queue)────▶
 */
const text = { type: 'string' }
const list = { type: 'array', items: text }

export function writeTwoWays(project: TestProject, model: DirectoryModel, directory: Directory): void {
  project.write('conf/provisioner.openicf-ldap.json', provisioner(model, directory))
  project.write('conf/managed.json', { objects: [user, group] })
  project.write('conf/sync.json', {
    mappings: [fromAccount(model), toAccount(model), fromGroup(model), toGroup(model)],
  })
}

function provisioner(model: DirectoryModel, { address }: Directory): object {
  const { base, syncAccount, account, configuration } = model
  return {
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
      bundleVersion: '[1.4.0.0,1.6.0.0)',
      connectorName: 'org.identityconnectors.ldap.LdapConnector',
    },
    configurationProperties: {
      ...{ ...address, principal: syncAccount.dn, credentials: syncAccount.password },
      baseContexts: [base],
      ...configuration,
      ...{ connectTimeout: 3000, readTimeout: 3000 },
    },
    resilience: { retries: 2, firstDelay: 20, longestDelay: 100, breakAfter: 5, breakFor: 100 },
    objectTypes: {
      account: {
        nativeType: '__ACCOUNT__',
        properties: {
          dn: { ...text, nativeName: '__NAME__', required: true },
          ...{ [account.userName]: text, [account.name]: text },
          ...{ sn: text, mail: text, title: text, employeeNumber: text },
          enabled: { type: 'boolean', nativeName: '__ENABLE__' },
          password: { ...text, nativeName: '__PASSWORD__', nativeType: 'JAVA_TYPE_GUARDEDSTRING' },
        },
      },
      group: {
        nativeType: '__GROUP__',
        properties: {
          dn: { ...text, nativeName: '__NAME__', required: true },
          ...{ cn: text, description: text, [model.group.member]: list },
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
        enabled: { type: 'boolean' },
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

const fromAccount = ({ account }: DirectoryModel) => ({
  ...{ name: 'account_user', source: 'system/ldap/account', target: 'managed/user', policies },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['number'] } }],
  properties: [
    { source: account.userName, target: 'userName' },
    { source: account.name, target: 'name' },
    { source: 'sn', target: 'family' },
    { source: 'mail', target: 'mail' },
    { source: 'title', target: 'title' },
    { source: 'employeeNumber', target: 'number' },
    { source: 'enabled', target: 'enabled' },
    { source: 'dn', target: 'unit', transform: script('/,ou=([^,]*),/i.exec(source)[1]') },
  ],
})

const dnOf = (person: string, { naming, base }: DirectoryModel) =>
  `'${naming.person}=' + ${person}.userName + ',${naming.unit}=' + ${person}.unit + ',${base}'`

const toAccount = (model: DirectoryModel) => ({
  ...{ name: 'user_account', source: 'managed/user', target: 'system/ldap/account', policies },
  ...{ links: 'account_user', queuedSync },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['employeeNumber'] } }],
  properties: [
    { source: '', target: 'dn', transform: script(dnOf('source', model)) },
    { source: 'userName', target: model.account.userName },
    { source: 'name', target: model.account.name },
    { source: 'family', target: 'sn' },
    { source: 'mail', target: 'mail' },
    { source: 'title', target: 'title' },
    { source: 'number', target: 'employeeNumber' },
    { source: 'enabled', target: 'enabled' },
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
})

const fromGroup = ({ naming, group: { member } }: DirectoryModel) => ({
  ...{ name: 'group_group', source: 'system/ldap/group', target: 'managed/group', policies },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['name'] } }],
  properties: [
    { source: 'cn', target: 'name' },
    { source: 'description', target: 'description' },
    {
      source: member,
      target: 'members',
      transform: script(`
        const names = (source ?? []).flatMap((dn) => /^${naming.person}=([^,]*),/i.exec(dn)?.[1] ?? [])
        const filter = names.map((name) => 'userName eq "' + name + '"').join(' or ')
        const found = names.length === 0 ? [] : openidm.query('managed/user', { _queryFilter: filter }).result
        // Who is not here yet, or has another name yet, would lose the team at both sides. It is tried again.
        const missing = names.filter((name) => !found.some(({ userName }) => userName === name))
        if (missing.length > 0) throw 'not here yet: ' + missing.join(', ')
        found.map(({ _id }) => ({ _ref: 'managed/user/' + _id }))`),
    },
  ],
})

const teamDn = ({ naming, base }: DirectoryModel) =>
  `'${naming.team}=' + source.name + ',${naming.unit}=groups,${base}'`

const toGroup = (model: DirectoryModel) => ({
  ...{ name: 'group_back', source: 'managed/group', target: 'system/ldap/group', policies },
  ...{ links: 'group_group', queuedSync },
  correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['cn'] } }],
  properties: [
    { source: '', target: 'dn', transform: script(teamDn(model)) },
    { source: 'name', target: 'cn' },
    { source: 'description', target: 'description' },
    {
      source: 'members',
      target: model.group.member,
      transform: script(`
        const people = (source ?? []).map(({ _ref }) => openidm.read(_ref)).filter((person) => person)
        const names = people.map((person) => ${dnOf('person', model)})
        names.length === 0 ? ${JSON.stringify(model.nobody ? [model.nobody] : [])} : names`),
    },
  ],
})
