import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  administrator,
  base,
  password,
  people,
  type Slapd,
  startSlapd,
} from '../src/connectors/ldap/testing/slapd.ts'
import { openApplication } from '../src/syncline.ts'
import { TestProject } from './support/project.ts'
import { serve } from './support/server.ts'

/** A file of people becomes entries of a directory, as a project of a user has it. */
let slapd: Slapd
const made = new TestProject()

beforeAll(async () => {
  slapd = await startSlapd({ accessLog: true })
  made.write('conf/provisioner.openicf-hr.json', {
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
      bundleVersion: '[1.4,2)',
      connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
    },
    configurationProperties: {
      csvFile: made.path('hr.csv'),
      headerUid: 'login',
      multivaluedColumns: ['mail'],
    },
    objectTypes: {
      account: {
        nativeType: '__ACCOUNT__',
        properties: {
          login: { type: 'string', nativeName: '__NAME__', required: true },
          name: { type: 'string' },
          family: { type: 'string' },
          unit: { type: 'string' },
          mail: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  })
  made.write('conf/provisioner.openicf-ldap.json', provisioner())
  made.write('conf/sync.json', {
    mappings: [
      {
        name: 'hr_ldap',
        source: 'system/hr/account',
        target: 'system/ldap/account',
        correlationQuery: {
          type: 'text/javascript',
          source: "({ _queryFilter: 'uid eq \"' + source.login + '\"' })",
        },
        properties: [
          { source: 'login', target: 'uid' },
          { source: 'name', target: 'cn' },
          { source: 'family', target: 'sn' },
          { source: 'mail', target: 'mail' },
          {
            source: '',
            target: 'dn',
            transform: {
              type: 'text/javascript',
              source: `'uid=' + source.login + ',ou=' + source.unit + ',${base}'`,
            },
          },
        ],
        policies: [
          { situation: 'ABSENT', action: 'CREATE' },
          { situation: 'FOUND', action: 'UPDATE' },
          { situation: 'CONFIRMED', action: 'UPDATE' },
          { situation: 'SOURCE_MISSING', action: 'DELETE' },
          { situation: 'UNASSIGNED', action: 'IGNORE' },
        ],
      },
    ],
  })
})

afterAll(async () => {
  made[Symbol.dispose]()
  await slapd[Symbol.asyncDispose]()
})

/** The directory as a system of a project. */
const provisioner = () => ({
  connectorRef: {
    bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
    bundleVersion: '[1.4.0.0,1.6.0.0)',
    connectorName: 'org.identityconnectors.ldap.LdapConnector',
  },
  configurationProperties: {
    host: '127.0.0.1',
    port: slapd.port,
    principal: administrator,
    credentials: password,
    baseContexts: [base],
  },
  objectTypes: {
    account: {
      nativeType: '__ACCOUNT__',
      properties: {
        dn: { type: 'string', nativeName: '__NAME__', required: true },
        uid: { type: 'string' },
        cn: { type: 'string' },
        sn: { type: 'string' },
        mail: { type: 'array', items: { type: 'string' } },
      },
    },
  },
})

const header = 'login,name,family,unit,mail\n'
const ann = 'ann,Ann ÄPFEL,Apfel,people,Ann@example.com;a2@example.com\n'
const bob = 'bob,Bob,Brown,people,\n'

async function recon(): Promise<readonly unknown[]> {
  await using application = await openApplication({
    environment: {},
    flags: {},
    projectFolder: made.folder,
    dataFolder: made.path('.data'),
    log: () => {},
  })
  const did: unknown[] = []
  const { done } = await application.reconciliations.start(
    { mapping: 'hr_ldap' },
    application.administrator,
    {
      onEntry: ({ situation, action, changes }) => did.push([situation, action, (changes ?? []).length > 0]),
    },
  )
  await done
  return did
}

async function entry(uid: string) {
  await using connector = slapd.connect({ accountSearchFilter: `(uid=${uid})` })
  const filter = { kind: 'literal', value: true } as const
  return (await Array.fromAsync(connector.search({ objectClass: '__ACCOUNT__', filter }))).flat()[0]
}

describe('a directory as a target', () => {
  it('gets joiners, movers and leavers, and a second run writes nothing', async () => {
    slapd.change(
      `dn: uid=BOB,${people}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: BOB\ncn: Robert\nsn: Brown\n`,
    )
    made.write('hr.csv', `${header}${ann}${bob}`)
    expect((await recon()).toSorted()).toMatchObject([
      ['ABSENT', 'CREATE', expect.anything()],
      ['FOUND', 'UPDATE', expect.anything()],
    ])
    const created = await entry('ann')
    expect(created).toMatchObject({
      dn: `uid=ann,${people}`,
      cn: ['Ann ÄPFEL'],
      mail: ['Ann@example.com', 'a2@example.com'],
    })
    expect(await entry('bob')).toMatchObject({ cn: ['Bob'] })

    const stamp = () => Promise.all(['ann', 'bob'].map(async (uid) => modified(uid)))
    const before = await stamp()
    expect(await recon()).toHaveLength(2)
    expect(await stamp()).toEqual(before)

    made.write('hr.csv', header + ann.replace('people', 'groups'))
    await recon()
    expect(await entry('ann')).toMatchObject({ _id: created?._id, dn: `uid=ann,ou=groups,${base}` })
    expect(await entry('bob')).toBeUndefined()
  })
})

/** The number of the last change of an entry, by the server. */
async function modified(uid: string): Promise<unknown> {
  await using connector = slapd.connect({ accountSearchFilter: `(uid=${uid})` })
  const filter = { kind: 'literal', value: true } as const
  const found = connector.search({ objectClass: '__ACCOUNT__', filter, fields: ['entryCSN'] })
  const [first] = (await Array.fromAsync(found)).flat()
  expect(first).toHaveProperty('entryCSN')
  return first
}

describe('a directory as a source', () => {
  it('carries creations, renames and deletions over by liveSync, and nothing for entries of another kind', async () => {
    using project = new TestProject()
    project.write('conf/provisioner.openicf-ldap.json', provisioner())
    const text = { type: 'string' }
    const schema = { type: 'object', properties: { userName: text, dn: text } }
    project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
    const properties = [
      { source: 'uid', target: 'userName' },
      { source: 'dn', target: 'dn' },
    ]
    const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
    const mapping = {
      name: 'ldap_user',
      source: 'system/ldap/account',
      target: 'managed/user',
      properties,
      policies,
    }
    project.write('conf/sync.json', { mappings: [mapping] })
    await using server = await serve(project)
    const liveSync = async () => {
      const { status, body } = await server.call('POST', 'system/ldap/account?_action=liveSync')
      expect([status, body]).toMatchObject([200, {}])
      const { result } = (await server.call('GET', 'managed/user?_queryFilter=true')).body
      return result.map(({ dn }: { readonly dn: string }) => dn).toSorted()
    }
    const added = (uid: string) =>
      `dn: uid=${uid},${people}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: x\n`
    slapd.empty()
    slapd.change(added('cid'))
    expect(await liveSync()).toEqual([])
    slapd.change(added('dan'))
    slapd.change(added('eve'))
    expect(await liveSync()).toEqual([`uid=dan,${people}`, `uid=eve,${people}`])
    slapd.change(`dn: uid=dan,${people}\nchangetype: modrdn\nnewrdn: uid=don\ndeleteoldrdn: 1\n`)
    slapd.change(`dn: uid=eve,${people}\nchangetype: delete\n`)
    slapd.change(`dn: ou=groups,${base}\nchangetype: modify\nreplace: description\ndescription: all\n`)
    expect(await liveSync()).toEqual([`uid=don,${people}`])
  })
})
