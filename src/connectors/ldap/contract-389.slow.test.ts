import { afterAll, beforeAll, describe, it } from 'vitest'
import { connectorContract } from '../kit/contract/contract.ts'
import { Secret } from '../kit/values.ts'
import { type Directory389, startDirectory389 } from './testing/directory-389.ts'
import { people } from './testing/slapd.ts'

let directory: Directory389

beforeAll(async () => {
  directory = await startDirectory389()
})

afterAll(async () => {
  await directory[Symbol.asyncDispose]()
})

connectorContract(
  {
    name: '389 Directory Server',
    objectClass: '__ACCOUNT__',
    async open() {
      const connect = async () => {
        const connector = directory.connect({ accountObjectClasses: ['inetOrgPerson'] })
        // Filters are split by what the schema says.
        await connector.schema()
        // What changes is tried in changes/.
        for (const name of ['latestToken', 'changesSince'])
          Object.defineProperty(connector, name, { value: undefined })
        return connector
      }
      return { connector: await connect(), reopen: connect, close: async () => directory.empty() }
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
    writeOnly: ['userPassword'],
    rename: (n) => ({ dn: `uid=u${n},${people}`, uid: [`u${n}`] }),
    credentials: (n) => ({ username: `u${n}`, password: `secret ${n}` }),
  },
  { describe, it },
)
