/** Slow: directories change by chance while the server that follows them is killed again and again. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as ad from '../src/connectors/ldap/testing/samba.ts'
import * as openLdap from '../src/connectors/ldap/testing/slapd.ts'
import type { PeoplePlace, Person } from './support/changing-people.ts'
import { directoryPeople, placeIn } from './support/directory-people.ts'
import { followWhileKilled } from './support/followed-people.ts'
import { TestProject } from './support/project.ts'
import { everySecond } from './support/scheduled-town.ts'
import { type Server, serve } from './support/server.ts'

/** `SYNCLINE_CHANGES=5000` changes as often, and kills the server ten times; Samba writes slowly and gets a tenth. */
const changes = Number(process.env.SYNCLINE_CHANGES ?? 300)
const source = 'system/ldap/account'
const stage = 'repo/synchronisation/pooledSyncStage/SYSTEMLDAPACCOUNT'

interface Directory {
  readonly name: string
  readonly changes: number
  open(): Promise<{
    readonly place: PeoplePlace
    /** `configurationProperties` of the connector. */
    readonly settings: object
    close(): Promise<void>
  }>
}

const slapd = (name: string, accessLog: boolean, own: object): Directory => ({
  name,
  changes,
  async open() {
    const server = await openLdap.startSlapd({ accessLog })
    const { base, administrator: dn, password } = openLdap
    const url = `ldap://127.0.0.1:${server.port}`
    const place = await directoryPeople(
      { url, dn, password },
      {
        ...{ base, units: ['people', 'groups'], naming: 'uid' },
        fresh: ({ name }) => ({ objectClass: 'inetOrgPerson', uid: name, cn: name, sn: name }),
      },
    )
    return {
      place,
      settings: {
        ...{
          host: '127.0.0.1',
          port: server.port,
          principal: dn,
          credentials: password,
          baseContexts: [base],
        },
        ...own,
      },
      async close() {
        await place[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  },
})

const directories: readonly Directory[] = [
  slapd('OpenLDAP, by its access log', true, {}),
  slapd('OpenLDAP, by times', false, {}),
  {
    name: 'Active Directory, by DirSync',
    changes: Math.ceil(changes / 10),
    async open() {
      const samba = await ad.startSamba()
      const { base, administrator: dn, password } = ad
      const authority = readFileSync(String(samba.settings.trustedCertificates), 'utf8')
      const place = await directoryPeople(
        { url: `ldaps://${samba.address}`, dn, password, authority },
        {
          ...{ base, units: ['people', 'groups'], naming: 'CN', reanimates: true },
          fresh: ({ number }) => ({ objectClass: 'user', sAMAccountName: `u${number}` }),
        },
      )
      return {
        place,
        settings: {
          ...{ ...samba.settings, baseContexts: [base] },
          accountObjectClasses: ['top', 'person', 'organizationalPerson', 'user'],
        },
        async close() {
          await place[Symbol.asyncDispose]()
          await samba[Symbol.asyncDispose]()
        },
      }
    },
  },
]

/** A project whose users follow the accounts of a directory every second; `both`: and the other way round, by hand. */
function following(project: TestProject, settings: object, { both = false } = {}): void {
  const text = { type: 'string' }
  project.write('conf/provisioner.openicf-ldap.json', {
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
      bundleVersion: '[1.4.0.0,1.6.0.0)',
      connectorName: 'org.identityconnectors.ldap.LdapConnector',
    },
    configurationProperties: settings,
    objectTypes: {
      account: {
        nativeType: '__ACCOUNT__',
        properties: {
          dn: { ...text, nativeName: '__NAME__', required: true },
          employeeNumber: text,
          displayName: text,
        },
      },
    },
  })
  const schema = { type: 'object', properties: { number: text, dn: text, mail: text } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  project.write('conf/mapping-ldap_user.json', {
    ...{ source, target: 'managed/user', guard: false, allowEmptySourceSet: true },
    properties: [
      { source: 'employeeNumber', target: 'number' },
      { source: 'dn', target: 'dn' },
      { source: 'displayName', target: 'mail' },
    ],
    policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
  })
  if (both)
    project.write('conf/mapping-user_ldap.json', {
      ...{ source: 'managed/user', target: source, links: 'ldap_user' },
      properties: [
        { source: 'dn', target: 'dn' },
        { source: 'number', target: 'employeeNumber' },
        { source: 'mail', target: 'displayName' },
      ],
      policies: [
        { situation: 'CONFIRMED', action: 'UPDATE' },
        { situation: 'ABSENT', action: 'IGNORE' },
      ],
    })
  else
    project.write('conf/schedule-follow.json', {
      ...{ ...everySecond, invokeService: 'provisioner' },
      invokeContext: { action: 'liveSync', source },
    })
}

async function copied(server: Server): Promise<readonly Person[]> {
  const { result } = (await server.call('GET', 'managed/user?_queryFilter=true')).body
  return result.map(({ number, mail, dn }: Record<'number' | 'mail' | 'dn', string>) => ({
    ...{ number, mail },
    ...placeIn(dn),
  }))
}

describe.each(directories)('$name', ({ changes: count, open }) => {
  const kills = changes >= 1000 ? 10 : 4
  let directory: Awaited<ReturnType<Directory['open']>>

  beforeAll(async () => {
    directory = await open()
  })

  afterAll(() => directory.close())

  it('is followed change by change, however often the server is killed, and both sides are equal in the end', {
    timeout: 600_000 + count * 2_000,
  }, async () => {
    using project = new TestProject()
    following(project, directory.settings)
    const followed = { project, place: directory.place, stage, copied }
    console.log(await followWhileKilled(followed, { changes: count, kills }))
  })
})

/** Whose writes are those of Syncline. */
const own = `cn=syncline,${openLdap.base}`
const ownEntry = `dn: ${own}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: syncline\nuserPassword: s3cret\n`
const ownAccess = `olcAccess: {0}to * by dn.exact="${own}" manage by anonymous auth by * read`

describe.each([
  ['its access log', { accessLog: true }, {}, 5],
  [
    'its access log, which says who wrote',
    { accessLog: true },
    { modifiersNamesToFilterOut: [own] },
    undefined,
  ],
  ['syncrepl', { overlays: { syncprov: 'objectClass: olcSyncProvConfig\nolcSpSessionlog: 1000' } }, {}, 5],
  ['times', {}, {}, 5],
] as const)('a directory that is followed by %s, and written to', (_way, options, more, told) => {
  it('gets nothing back of what it told, and what was written to it comes back as nothing to do', async () => {
    await using slapd = await openLdap.startSlapd({ ...options, entries: ownEntry, database: [ownAccess] })
    const { base, people } = openLdap
    const login = { principal: own, credentials: 's3cret' }
    using project = new TestProject()
    const settings = { host: '127.0.0.1', port: slapd.port, ...login, baseContexts: [base], ...more }
    following(project, settings, { both: true })
    await using server = await serve(project)
    const liveSync = async (parameters = '') => {
      const { status, body } = await server.call('POST', `${source}?_action=liveSync${parameters}`)
      expect([status, body.lastException]).toEqual([200, undefined])
      return body
    }
    const users = async () => (await server.call('GET', 'managed/user?_queryFilter=true')).body.result
    const numbers = [1, 2, 3, 4, 5]
    for (const n of numbers)
      slapd.change(
        `dn: uid=n${n},${people}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: n${n}\ncn: n${n}\nsn: x\nemployeeNumber: ${n}\ndisplayName: ${n}@x\n`,
      )
    await liveSync('&fromBeginning=true')
    slapd.change(`dn: uid=n1,${people}\nchangetype: modrdn\nnewrdn: uid=m1\ndeleteoldrdn: 1\n`)
    for (const n of numbers.slice(1))
      slapd.change(
        `dn: uid=n${n},${people}\nchangetype: modify\nreplace: displayName\ndisplayName: new${n}@x\n`,
      )
    const before = await stampsOf(slapd)
    expect((await liveSync()).changes).toMatchObject({ update: 5, failed: 0 })
    expect(await stampsOf(slapd)).toEqual(before)

    for (const { _id, number } of await users()) {
      const body = [{ operation: 'replace', field: '/mail', value: `own${number}@x` }]
      expect((await server.call('PATCH', `managed/user/${_id}`, { body })).status).toBe(200)
    }
    const [written, after] = [await users(), await stampsOf(slapd)]
    expect(after.filter((stamp) => !before.includes(stamp))).toHaveLength(5)
    expect((await liveSync()).changes?.update).toBe(told)
    expect([await users(), await stampsOf(slapd)]).toEqual([written, after])
    expect(await liveSync()).not.toHaveProperty('changes')
  })
})

/** The number of the last change of each entry, by the server. */
async function stampsOf(slapd: openLdap.Slapd): Promise<readonly string[]> {
  await using connector = slapd.connect()
  const filter = { kind: 'literal', value: true } as const
  const found = connector.search({ objectClass: '__ACCOUNT__', filter, fields: ['entryCSN'] })
  return (await Array.fromAsync(found))
    .flat()
    .map((entry) => JSON.stringify(entry))
    .toSorted()
}
