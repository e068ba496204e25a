import { afterAll, beforeAll, describe, it } from 'vitest'
import { connectorContract } from '../kit/contract/contract.ts'
import { Secret } from '../kit/values.ts'
import { people as domainPeople, type Samba, startSamba } from './testing/samba.ts'
import { people, type Slapd, startSlapd } from './testing/slapd.ts'

let slapd: Slapd
let samba: Samba

beforeAll(async () => {
  slapd = await startSlapd({ accessLog: true })
  samba = await startSamba()
})

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
  await samba[Symbol.asyncDispose]()
})

connectorContract(
  {
    name: 'OpenLDAP',
    objectClass: '__ACCOUNT__',
    async open() {
      const connect = async () => {
        const connector = slapd.connect({ accountObjectClasses: ['inetOrgPerson', 'badgeHolder'] })
        // Filters are split by what the schema says.
        await connector.schema()
        return connector
      }
      return { connector: await connect(), reopen: connect, close: async () => slapd.empty() }
    },
    account: (n) => ({
      dn: `uid=u${n},${people}`,
      uid: [`u${n}`],
      cn: [`Name ${n}`],
      sn: ['Name'],
      displayName: `u${n}@example.com`,
      userPassword: new Secret(`secret ${n}`),
    }),
    attribute: 'displayName',
    unique: 'dn',
    unknown: 'shoeSize',
    multivalued: 'description',
    bytes: 'badgeImage',
    writeOnly: ['userPassword'],
    rename: (n) => ({ dn: `uid=u${n},${people}`, uid: [`u${n}`] }),
    credentials: (n) => ({ username: `u${n}`, password: `secret ${n}` }),
  },
  { describe, it },
)

connectorContract(
  {
    name: 'OpenLDAP, with names as ids',
    objectClass: '__ACCOUNT__',
    async open() {
      const connect = async () => {
        const connector = slapd.connect({ uidAttribute: 'dn' })
        // Filters are split by what the schema says.
        await connector.schema()
        // The log knows entries by their UUIDs.
        for (const name of ['latestToken', 'changesSince'])
          Object.defineProperty(connector, name, { value: undefined })
        return connector
      }
      return { connector: await connect(), reopen: connect, close: async () => slapd.empty() }
    },
    account: (n) => ({
      dn: `uid=u${n},${people}`,
      uid: [`u${n}`],
      cn: [`Name ${n}`],
      sn: ['Name'],
      displayName: `Name ${n}`,
    }),
    attribute: 'displayName',
    unique: 'dn',
    unknown: 'shoeSize',
    multivalued: 'description',
    rename: (n) => ({ dn: `uid=u${n},${people}`, uid: [`u${n}`] }),
  },
  { describe, it },
)

connectorContract(
  {
    name: 'Active Directory (Samba)',
    objectClass: '__ACCOUNT__',
    async open() {
      const connect = async () => {
        const connector = samba.connect()
        // Filters are split by what the schema says.
        await connector.schema()
        return connector
      }
      return { connector: await connect(), reopen: connect, close: async () => samba.empty() }
    },
    account: (n) => ({
      dn: `CN=Name ${n},${domainPeople}`,
      cn: `Name ${n}`,
      sAMAccountName: `u${n}`,
      sn: 'Name',
      displayName: `u${n}@example.com`,
      __ENABLE__: true,
      unicodePwd: new Secret(`Secret ${n}`),
    }),
    attribute: 'displayName',
    unique: 'dn',
    unknown: 'shoeSize',
    multivalued: 'otherTelephone',
    bytes: 'thumbnailPhoto',
    writeOnly: ['unicodePwd'],
    rename: (n) => ({ dn: `CN=Name ${n},${domainPeople}`, cn: `Name ${n}` }),
    credentials: (n) => ({ username: `u${n}`, password: `Secret ${n}` }),
  },
  { describe, it },
)
