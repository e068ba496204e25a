import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  administrator as adAdministrator,
  password as adPassword,
  people as adPeople,
  domain,
  type Samba,
  startSamba,
} from '../src/connectors/ldap/testing/samba.ts'
import {
  administrator,
  base,
  password,
  type Slapd,
  startSlapd,
} from '../src/connectors/ldap/testing/slapd.ts'
import { postgresServer, type TestServer } from '../src/connectors/sql/testing/databases.ts'
import { syncline, TestProject } from './support/project.ts'

function newProject(): TestProject {
  const project = new TestProject()
  expect(syncline(['init', project.folder]).code).toBe(0)
  return project
}

const textOf = (project: TestProject, file: string) => readFileSync(join(project.folder, file), 'utf8')

describe('connector add ldap', () => {
  let slapd: Slapd
  beforeAll(async () => {
    const person = `dn: uid=ada,${base}\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada\nsn: King\ngivenName: Ada\nmail: ada@x.org\n`
    slapd = await startSlapd({ entries: person })
  })
  afterAll(() => slapd[Symbol.asyncDispose]())
  const add = (project: TestProject, env: Record<string, string>) =>
    project.syncline(
      [
        'connector',
        'add',
        'ldap',
        'people',
        '--host',
        '127.0.0.1',
        '--port',
        String(slapd.port),
        '--base',
        base,
        '--account',
        administrator,
      ],
      env,
    )

  it('takes the password from the environment, writes only its placeholder, and the mapping works', () => {
    using project = newProject()
    const env = { PEOPLE_CREDENTIALS: password }
    const { code, out, err } = add(project, env)
    expect([code, err]).toEqual([0, ''])
    const written = textOf(project, 'conf/provisioner.openicf-people.json')
    expect(JSON.parse(written)).toMatchObject({
      configurationProperties: {
        credentials: '&{people.credentials}',
        baseContexts: [base],
        port: slapd.port,
      },
      objectTypes: {
        account: {
          properties: {
            uid: {},
            userPassword: { nativeName: '__PASSWORD__' },
            dn: { nativeName: '__NAME__' },
          },
        },
      },
    })
    for (const text of [written, textOf(project, 'conf/sync.json'), out]) expect(text).not.toContain(password)
    expect(out).toMatch(/account: \d+ further attributes were left out/)
    expect(out).toContain(
      'in its environment as PEOPLE_CREDENTIALS, or in conf/boot/boot.properties as people.credentials=…',
    )
    expect(project.syncline(['check', '--strict'], env)).toMatchObject({ code: 0, err: '' })
    const plan = project.syncline(['plan', 'peopleAccount_managedUser'], env)
    expect(plan.out).toContain('+ userName: "ada"')
    expect(plan.out).not.toContain('Would fail')
  })

  it('with a wrong password shows that it came as far as the login, and writes nothing', () => {
    using project = newProject()
    const { code, out } = add(project, { PEOPLE_CREDENTIALS: 'not-the-password' })
    expect(code).toBe(1)
    expect(out).toMatch(/ok {5}connect .*\n {6}failed bind /)
    expect(out).not.toContain('not-the-password')
    expect(() => textOf(project, 'conf/provisioner.openicf-people.json')).toThrow(/ENOENT/)
  })
})

describe('connector add ldap, of Active Directory', () => {
  let samba: Samba
  beforeAll(async () => {
    samba = await startSamba()
    samba.change(
      `dn: CN=Ada King,${adPeople}\nchangetype: add\nobjectClass: user\nsAMAccountName: ada\ngivenName: Ada\nsn: King\nmail: ada@x.org\n`,
    )
  })
  afterAll(() => samba[Symbol.asyncDispose]())

  it('takes its classes from the server, of a whole domain, and the mapping works', () => {
    using project = newProject()
    const env = { AD_CREDENTIALS: adPassword }
    const { trustedCertificates } = samba.settings
    const server = ['--host', samba.address, '--ssl', '--trusted', String(trustedCertificates)]
    const account = ['--base', domain, '--account', adAdministrator]
    const { code, err } = project.syncline(['connector', 'add', 'ldap', 'ad', ...server, ...account], env)
    expect([code, err]).toEqual([0, ''])
    const written = JSON.parse(textOf(project, 'conf/provisioner.openicf-ad.json'))
    expect(written).toMatchObject({
      configurationProperties: {
        accountObjectClasses: ['top', 'person', 'organizationalPerson', 'user'],
        accountUserNameAttributes: ['sAMAccountName', 'userPrincipalName'],
        groupObjectClasses: ['top', 'group'],
        groupMemberAttribute: 'member',
        passwordAttribute: 'unicodePwd',
      },
      objectTypes: {
        account: {
          properties: { sAMAccountName: {}, unicodePwd: { nativeName: '__PASSWORD__' }, __ENABLE__: {} },
        },
        group: { properties: { member: { type: 'array' } } },
      },
    })
    expect(project.syncline(['check', '--strict'], env)).toMatchObject({ code: 0, err: '' })
    const plan = project.syncline(['plan', 'adAccount_managedUser'], env)
    expect(plan.out).toContain('+ userName: "ada"')
    expect(plan.out).toContain('+ sn: "King"')
  })

  it('keeps the settings that are given', () => {
    using project = newProject()
    const server = ['--host', samba.address, '--ssl', '--trusted', String(samba.settings.trustedCertificates)]
    const account = ['--base', adPeople, '--account', adAdministrator]
    const own = ['--set', 'accountUserNameAttributes=mail']
    const all = ['connector', 'add', 'ldap', 'ad', ...server, ...account, ...own]
    expect(project.syncline(all, { AD_CREDENTIALS: adPassword }).code).toBe(0)
    const { configurationProperties } = JSON.parse(textOf(project, 'conf/provisioner.openicf-ad.json'))
    expect(configurationProperties).toMatchObject({
      accountUserNameAttributes: ['mail'],
      groupMemberAttribute: 'member',
    })
  })
})

describe('connector add table', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await postgresServer()
    await server.run(
      'CREATE TABLE people (login text PRIMARY KEY, first_name text, surname text, email text, since date)',
    )
    await server.run("INSERT INTO people VALUES ('ada', 'Ada', 'King', 'ada@x.org', '2020-01-01')")
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it('of PostgreSQL declares its columns, and the mapping works', () => {
    using project = newProject()
    const url = `jdbc:postgresql://127.0.0.1:${server.server.port}/postgres`
    const env = { HRDB_PASSWORD: 'anything' }
    const { code, err } = project.syncline(
      [
        'connector',
        'add',
        'table',
        'hrdb',
        '--url',
        url,
        '--user',
        'tests',
        '--table',
        'people',
        '--key',
        'login',
      ],
      env,
    )
    expect([code, err]).toEqual([0, ''])
    const { objectTypes } = JSON.parse(textOf(project, 'conf/provisioner.openicf-hrdb.json'))
    expect(Object.keys(objectTypes.account.properties)).toEqual([
      'login',
      'first_name',
      'surname',
      'email',
      'since',
    ])
    expect(project.syncline(['check', '--strict'], env)).toMatchObject({ code: 0, err: '' })
    const plan = project.syncline(['plan', 'hrdbAccount_managedUser'], env)
    expect(plan.out).toContain('+ sn: "King"')
    expect(plan.out).not.toContain('Would fail')
  })

  it('with a table that is not there names the step, and what it looked for', () => {
    using project = newProject()
    const url = `jdbc:postgresql://127.0.0.1:${server.server.port}/postgres`
    const { code, out } = project.syncline(
      [
        'connector',
        'add',
        'table',
        'hrdb',
        '--url',
        url,
        '--user',
        'tests',
        '--table',
        'nowhere',
        '--key',
        'login',
      ],
      { HRDB_PASSWORD: 'anything' },
    )
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/^error hrdb: .*nowhere[\s\S]*ok {5}log in .*\n {6}failed table /),
    ])
  })
})
