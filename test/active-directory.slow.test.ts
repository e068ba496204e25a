import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base, groups, people, type Samba, startSamba } from '../src/connectors/ldap/testing/samba.ts'
import { openApplication } from '../src/syncline.ts'
import { TestProject } from './support/project.ts'

/** A file of people becomes accounts of Active Directory, and members of groups, as a project of a user has it. */
let samba: Samba
const made = new TestProject()

beforeAll(async () => {
  samba = await startSamba()
  for (const [name, columns] of Object.entries({
    hr: ['login', 'name', 'until', 'active'],
    teams: ['team', 'people'],
  }))
    made.write(`conf/provisioner.openicf-${name}.json`, file(name, columns))
  made.write('conf/provisioner.openicf-ad.json', activeDirectory())
  made.write('conf/sync.json', { mappings: [accounts(), teams()] })
})

afterAll(async () => {
  made[Symbol.dispose]()
  await samba[Symbol.asyncDispose]()
})

const file = (name: string, [key = '', ...columns]: readonly string[]) => ({
  connectorRef: {
    bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
    bundleVersion: '[1.4,2)',
    connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
  },
  configurationProperties: {
    csvFile: made.path(`${name}.csv`),
    headerUid: key,
    multivaluedColumns: columns.filter((one) => one === 'people'),
  },
  objectTypes: {
    account: {
      nativeType: '__ACCOUNT__',
      properties: {
        [key]: { type: 'string', nativeName: '__NAME__', required: true },
        ...Object.fromEntries(
          columns.map((column) => [
            column,
            column === 'people' ? { type: 'array', items: { type: 'string' } } : { type: 'string' },
          ]),
        ),
      },
    },
  },
})

const activeDirectory = () => ({
  connectorRef: {
    bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
    bundleVersion: '[1.4.0.0,1.6.0.0)',
    connectorName: 'org.identityconnectors.ldap.LdapConnector',
  },
  configurationProperties: {
    ...samba.settings,
    baseContexts: [base],
    accountObjectClasses: ['top', 'person', 'organizationalPerson', 'user'],
    accountUserNameAttributes: ['sAMAccountName'],
    groupObjectClasses: ['top', 'group'],
    groupMemberAttribute: 'member',
    passwordAttribute: 'unicodePwd',
  },
  objectTypes: {
    account: {
      nativeType: '__ACCOUNT__',
      properties: {
        dn: { type: 'string', nativeName: '__NAME__', required: true },
        login: { type: 'string', nativeName: 'sAMAccountName' },
        cn: { type: 'string' },
        title: { type: 'string' },
        enabled: { type: 'boolean', nativeName: '__ENABLE__' },
        until: { type: 'string', nativeName: '__ACCOUNT_EXPIRES__' },
        fixed: { type: 'boolean', nativeName: '__DONT_EXPIRE_PASSWORD__' },
        password: {
          type: 'string',
          nativeName: '__PASSWORD__',
          nativeType: 'JAVA_TYPE_GUARDEDSTRING',
          flags: ['NOT_READABLE', 'NOT_RETURNED_BY_DEFAULT'],
        },
      },
    },
    group: {
      nativeType: '__GROUP__',
      properties: {
        dn: { type: 'string', nativeName: '__NAME__', required: true },
        login: { type: 'string', nativeName: 'sAMAccountName' },
        scope: { type: 'string', nativeName: '__GROUP_SCOPE__' },
        kind: { type: 'string', nativeName: '__GROUP_TYPE__' },
        member: { type: 'array', items: { type: 'string' } },
      },
    },
  },
})

const script = (source: string) => ({ type: 'text/javascript', source })

const policies = [
  { situation: 'ABSENT', action: 'CREATE' },
  { situation: 'FOUND', action: 'UPDATE' },
  { situation: 'CONFIRMED', action: 'UPDATE' },
  { situation: 'SOURCE_MISSING', action: 'DELETE' },
  { situation: 'UNASSIGNED', action: 'IGNORE' },
]

const accounts = () => ({
  name: 'hr_ad',
  source: 'system/hr/account',
  target: 'system/ad/account',
  correlationQuery: script("({ _queryFilter: 'login eq \"' + source.login + '\"' })"),
  properties: [
    { source: 'login', target: 'login' },
    { source: '', target: 'dn', transform: script(`'CN=' + source.name + ',${people}'`) },
    { source: 'name', target: 'cn' },
    { source: 'active', target: 'enabled', transform: script("source === 'yes'") },
    { source: 'until', target: 'until' },
    { target: 'fixed', default: true },
    {
      source: 'login',
      target: 'password',
      condition: script('oldTarget === null || oldTarget === undefined'),
      transform: script("'Initial 1 ' + source"),
    },
  ],
  policies,
})

const teams = () => ({
  name: 'teams_ad',
  source: 'system/teams/account',
  target: 'system/ad/group',
  correlationQuery: script("({ _queryFilter: 'login eq \"' + source.team + '\"' })"),
  properties: [
    { source: 'team', target: 'login' },
    { source: '', target: 'dn', transform: script(`'CN=' + source.team + ',${groups}'`) },
    { target: 'scope', default: 'universal' },
    { target: 'kind', default: 'distribution' },
    {
      source: 'people',
      target: 'member',
      transform: script(`(source || []).map(name => 'CN=' + name + ',${people}')`),
    },
  ],
  policies,
})

async function recon(mapping: string): Promise<readonly unknown[]> {
  await using application = await openApplication({
    environment: {},
    flags: {},
    projectFolder: made.folder,
    dataFolder: made.path('.data'),
    log: () => {},
  })
  const did: unknown[] = []
  const { run, done } = await application.reconciliations.start({ mapping }, application.administrator, {
    onEntry: ({ situation, changes }) => did.push([situation, (changes ?? []).length > 0]),
  })
  await done
  expect(run.state).toBe('SUCCESS')
  return did
}

const written = (name: string) =>
  /uSNChanged: (\d+)/.exec(samba.find(`(sAMAccountName=${name})`, 'uSNChanged'))?.[1]

describe('Active Directory as a target', () => {
  it('gets joiners with a password, movers and leavers, and a second run writes nothing', async () => {
    const header = 'login,name,until,active\n'
    made.write('hr.csv', `${header}ann,Ann Äpfel,2030-01-31,yes\nbob,Bob,,no\n`)
    expect(await recon('hr_ad')).toMatchObject([
      ['ABSENT', true],
      ['ABSENT', true],
    ])
    const found = () =>
      samba.find('(sAMAccountName=ann)', 'userAccountControl', 'accountExpires', 'objectGUID')
    expect(found()).toContain('userAccountControl: 66048\n')
    expect(samba.find('(sAMAccountName=bob)', 'userAccountControl')).toContain('userAccountControl: 66050\n')
    await using connector = samba.connect()
    const { Secret } = await import('../src/connector.ts')
    const id = await connector.authenticate('__ACCOUNT__', 'ann', new Secret('Initial 1 ann'))

    const before = [written('ann'), written('bob')]
    expect(await recon('hr_ad')).toMatchObject([
      ['CONFIRMED', false],
      ['CONFIRMED', false],
    ])
    expect([written('ann'), written('bob')]).toEqual(before)

    made.write('hr.csv', `${header}ann,"Apfel, Ann",,no\n`.replace('"Apfel, Ann"', 'Ann Apfel'))
    expect(await recon('hr_ad')).toMatchObject([
      ['CONFIRMED', true],
      ['SOURCE_MISSING', expect.anything()],
    ])
    expect(found()).toMatch(/dn: CN=Ann Apfel,/)
    expect(found()).toContain('userAccountControl: 66050\n')
    expect(found()).toContain('accountExpires: 9223372036854775807\n')
    expect([...(await connector.readMany('__ACCOUNT__', [id], ['cn'])).values()]).toMatchObject([
      { cn: 'Ann Apfel' },
    ])
    expect(samba.find('(sAMAccountName=bob)', 'cn')).not.toContain('dn:')
  })

  it('gets members one by one, and those of others stay out of it', async () => {
    for (const name of ['x', 'y', 'z'])
      samba.change(`dn: CN=${name},${people}\nchangetype: add\nobjectClass: user\nsAMAccountName: ${name}\n`)
    made.write('teams.csv', 'team,people\nsales,x;y\n')
    expect(await recon('teams_ad')).toMatchObject([['ABSENT', true]])
    expect(samba.find('(sAMAccountName=sales)', 'groupType')).toContain('groupType: 8\n')
    const before = written('sales')
    expect(await recon('teams_ad')).toMatchObject([['CONFIRMED', false]])
    expect(written('sales')).toBe(before)
    made.write('teams.csv', 'team,people\nsales,y;z\n')
    expect(await recon('teams_ad')).toMatchObject([['CONFIRMED', true]])
    const members = samba.find('(sAMAccountName=sales)', 'member').match(/(?<=member: CN=)\w/g)
    expect(members?.toSorted()).toEqual(['y', 'z'])
  })
})
