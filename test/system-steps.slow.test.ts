import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ldapKind } from '../src/connectors/ldap/kind.ts'
import { makeCertificates } from '../src/connectors/ldap/testing/certificates.ts'
import {
  administrator,
  base,
  password,
  type Slapd,
  startSlapd,
} from '../src/connectors/ldap/testing/slapd.ts'
import { databaseTableKind } from '../src/connectors/sql/kind.ts'
import { postgresServer, type TestServer } from '../src/connectors/sql/testing/databases.ts'
import { openSystem } from '../src/connectors/system/open-system.ts'
import type { JsonObject } from '../src/model/json.ts'

/** The steps of a test as a person sees them: `resolve, connect, !bind`, where a mark stands before the step that failed. */
interface Seen {
  readonly steps: string
  readonly said: string
  readonly advice: string
}

async function seen(connectorName: string, settings: JsonObject, nativeType: string): Promise<Seen> {
  const configuration = {
    name: 'tested',
    connectorRef: { connectorName },
    configurationProperties: settings,
    operationTimeout: { TEST: 20_000 },
    objectTypes: {
      account: { nativeType, properties: { name: { type: 'string', nativeName: '__NAME__' } } },
    },
  }
  await using system = await openSystem(configuration, {
    kinds: [ldapKind, databaseTableKind],
    projectFolder: process.cwd(),
    decrypt: async (value) => value,
  })
  const { steps, error } = await system.test()
  const failed = steps.find(({ ok }) => !ok)
  expect([error?.message, JSON.stringify(steps)]).not.toContain('not-the-password')
  return {
    steps: steps.map(({ name, ok }) => (ok ? name : `!${name}`)).join(', '),
    said: error?.message ?? '',
    advice: failed?.advice ?? '',
  }
}

const none = /^$/

describe('the test of a directory', () => {
  const people = Array.from(
    { length: 1200 },
    (_, n) => `dn: ou=unit${n},${base}\nobjectClass: organizationalUnit\nou: unit${n}\n`,
  )
  let slapd: Slapd
  let authority = ''
  beforeAll(async () => {
    slapd = await startSlapd({
      entries: [
        ...people,
        ...['reader', 'guest'].map(
          (name) =>
            `dn: cn=${name},${base}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: ${name}\nuserPassword: ${password}\n`,
        ),
      ].join('\n'),
      database: [
        `olcLimits: {0}dn.exact="cn=reader,${base}" size=500`,
        `olcLimits: {1}dn.exact="cn=guest,${base}" size=700`,
      ],
      global: (folder) => {
        const files = makeCertificates(folder)
        authority = files.authority
        return [`olcTLSCertificateFile: ${files.certificate}`, `olcTLSCertificateKeyFile: ${files.key}`]
      },
    })
  })
  afterAll(() => slapd[Symbol.asyncDispose]())

  it.each<[what: string, settings: () => JsonObject, steps: string, said: RegExp, advice: RegExp]>([
    ['that is right', () => ({}), 'connect, bind, server, base, schema, first page, second page', none, none],
    [
      'with TLS',
      () => ({ startTLS: true, trustedCertificates: authority }),
      'connect, TLS, bind, server, base, schema, first page, second page',
      none,
      none,
    ],
    [
      'whose host does not exist',
      () => ({ host: 'no-such-host.invalid' }),
      '!resolve',
      /no-such-host/,
      /host name|name server|No such host/,
    ],
    [
      'whose port is closed',
      () => ({ port: 1 }),
      '!connect',
      /127\.0\.0\.1:1: .*ECONNREFUSED/,
      /Nothing listens there/,
    ],
    [
      'whose authority is unknown',
      () => ({ startTLS: true }),
      'connect, !TLS',
      /certificate/,
      /trustedCertificates/,
    ],
    ['that expects no TLS', () => ({ ssl: true }), 'connect, !TLS', /./, /whether this port expects TLS/],
    [
      'with a wrong password',
      () => ({ credentials: 'not-the-password' }),
      'connect, !bind',
      /invalidCredentials \(49\)/,
      /credentials in configurationProperties/,
    ],
    [
      'with a base that does not exist',
      () => ({ baseContexts: ['ou=nowhere,o=x'] }),
      'connect, bind, server, !base',
      /no entry ou=nowhere,o=x/,
      new RegExp(`it has: ${base}`),
    ],
    [
      'whose second base does not exist',
      () => ({ baseContexts: [base, 'ou=nowhere,o=x'] }),
      'connect, bind, server, base, !base',
      /no entry ou=nowhere/,
      /./,
    ],
    [
      'with classes that it lacks',
      () => ({ accountObjectClasses: ['noPerson'] }),
      'connect, bind, server, base, !schema',
      /no object class noPerson/,
      /Correct the setting/,
    ],
    [
      'that gives only its first 500 entries',
      () => ({ principal: `cn=reader,${base}` }),
      'connect, bind, server, base, schema, first page, !second page',
      /size limit .* after 500 entries/,
      /raise its size limit/,
    ],
    [
      'whose limit is in the middle of a page',
      () => ({ principal: `cn=guest,${base}` }),
      'connect, bind, server, base, schema, first page, !second page',
      /size limit .* after 700 entries/,
      /raise its size limit/,
    ],
    [
      'of two servers, the first of which is down',
      () => ({ port: 1, failover: [`ldap://127.0.0.1:${slapd.port}`] }),
      '!connect, connect, bind, server, base, schema, first page, second page',
      none,
      /Nothing listens there/,
    ],
  ])('%s', async (_, settings, steps, said, advice) => {
    const given = {
      host: '127.0.0.1',
      port: slapd.port,
      principal: administrator,
      credentials: password,
      baseContexts: [base],
    }
    const found = await seen(ldapKind.connectorName, { ...given, ...settings() }, 'organizationalUnit')
    expect(found).toEqual({ steps, said: expect.stringMatching(said), advice: expect.stringMatching(advice) })
  })
})

describe('the test of a table', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await postgresServer()
    await server.run('CREATE TABLE people (id text PRIMARY KEY, name text)')
    await server.run("INSERT INTO people SELECT 'p' || n, 'x' FROM generate_series(1, 1200) AS n")
    await server.run('CREATE TABLE hidden (id text PRIMARY KEY)')
    await server.run("CREATE ROLE guest LOGIN PASSWORD 'secret'")
    await server.run('GRANT SELECT ON people TO guest')
    writeFileSync(
      `${server.server.folder}/data/pg_hba.conf`,
      'host all guest 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n',
    )
    await server.run('SELECT pg_reload_conf()')
  })
  afterAll(() => server[Symbol.asyncDispose]())
  const all = 'connect, log in, table, schema, first page, second page'
  const guest = { user: 'guest', password: 'secret' }

  it.each<[what: string, settings: JsonObject, steps: string, said: RegExp, advice: RegExp]>([
    ['that is right', {}, all, none, none],
    ['as somebody with a password', guest, all, none, none],
    [
      'whose host does not exist',
      { host: 'no-such-host.invalid' },
      '!resolve',
      /no-such-host/,
      /host name|name server|No such host/,
    ],
    ['at a host by its name', { host: 'localhost' }, `resolve, ${all}`, none, none],
    ['whose port is closed', { port: '1' }, '!connect', /ECONNREFUSED/, /Nothing listens there/],
    [
      'with a wrong password',
      { ...guest, password: 'not-the-password' },
      'connect, !log in',
      /password authentication failed/,
      /credentials in configurationProperties/,
    ],
    [
      'in a database that does not exist',
      { database: 'nowhere' },
      'connect, !log in',
      /"nowhere" does not exist/,
      /Check database, host and port/,
    ],
    [
      'that asks for TLS where there is none',
      { jdbcUrlTemplate: 'jdbc:postgresql://%h:%p/%d?ssl=true' },
      'connect, !TLS',
      /SSL/,
      /TLS/,
    ],
    [
      'that does not exist',
      { table: 'nowhere' },
      'connect, log in, !table',
      /nowhere/,
      /Correct the setting/,
    ],
    [
      'without the column of the id',
      { keyColumn: 'uid' },
      'connect, log in, !table',
      /no such column/,
      /Correct the setting/,
    ],
    [
      'that the account may not read',
      { ...guest, table: 'hidden' },
      'connect, log in, table, schema, !first page',
      /permission denied/,
      /may list these objects/,
    ],
    [
      'whose validation query is wrong',
      { validationQuery: 'SELECT nothing' },
      'connect, log in, table, !test',
      /nothing/,
      /Correct the setting/,
    ],
  ])('%s', async (_, settings, steps, said, advice) => {
    const given = { ...server.settings, table: 'people', keyColumn: 'id' }
    const found = await seen(databaseTableKind.connectorName, { ...given, ...settings }, '__ACCOUNT__')
    expect(found).toEqual({ steps, said: expect.stringMatching(said), advice: expect.stringMatching(advice) })
  })
})
