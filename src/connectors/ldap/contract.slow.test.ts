import { afterAll, beforeAll, describe, it } from 'vitest'
import { connectorContract } from '../kit/contract/contract.ts'
import { Secret } from '../kit/values.ts'
import { people, type Slapd, startSlapd } from './testing/slapd.ts'

let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd({ accessLog: true })
})

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
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
