import { describe, it } from 'vitest'
import { connectorContract } from '../../kit/contract/contract.ts'
import { Secret } from '../../kit/values.ts'
import type { TestDatabase } from '../../sql/testing/server.ts'
import { peopleFolder, peopleIn, testScripts } from './people.ts'

/** The contract on people in two tables of a database, reached by scripts. */
export function scriptedContract(name: string, database: () => TestDatabase): void {
  connectorContract(
    {
      name,
      objectClass: '__ACCOUNT__',
      async open() {
        const scripts = await testScripts(peopleFolder)
        const { settings, drop } = await peopleIn(database())
        const reopen = async () => scripts.connect(settings)
        return {
          connector: await reopen(),
          reopen,
          async close() {
            await drop()
            await scripts[Symbol.asyncDispose]()
          },
        }
      },
      account: (n) => ({
        __NAME__: `u${n}`,
        name: `Name ${n}`,
        mail: `u${n}@example.com`,
        phones: [`+1 ${n}`, `+2 ${n}`],
        __PASSWORD__: new Secret(`secret ${n}`),
      }),
      attribute: 'mail',
      unique: '__NAME__',
      unknown: 'shoeSize',
      multivalued: 'phones',
      writeOnly: ['__PASSWORD__'],
      bytes: 'photo',
      rename: (n) => ({ __NAME__: `u${n}` }),
      credentials: (n) => ({ username: `u${n}`, password: `secret ${n}` }),
    },
    { describe, it },
  )
}
