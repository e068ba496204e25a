import { describe, it } from 'vitest'
import { connectorContract } from '../kit/contract/contract.ts'
import { Secret } from '../kit/values.ts'
import { temporaryCsv } from './testing/temporary.ts'

connectorContract(
  {
    name: 'CSV files',
    objectClass: '__ACCOUNT__',
    async open() {
      const csv = await temporaryCsv('uid,name,mail,password,tags\n')
      const reopen = async () => csv.connect({ multivaluedColumns: ['tags'] })
      return {
        connector: await reopen(),
        reopen,
        damage: async (id) => csv.put((await csv.text()).replace(`"${id}",`, `"${id}","x"y,`)),
        close: () => csv[Symbol.asyncDispose](),
      }
    },
    account: (n) => ({
      uid: `u${n}`,
      name: `Name ${n}`,
      mail: `u${n}@example.com`,
      password: new Secret(`secret ${n}`),
    }),
    attribute: 'mail',
    unique: 'uid',
    unknown: 'shoeSize',
    multivalued: 'tags',
    rename: (n) => ({ uid: `u${n}` }),
    credentials: (n) => ({ username: `u${n}`, password: `secret ${n}` }),
  },
  { describe, it },
)
