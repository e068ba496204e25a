import { describe, it } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import { connectorContract } from '../../kit/contract/contract.ts'
import { Secret } from '../../kit/values.ts'
import type { TestDatabase } from './server.ts'

/** The contract on tables of a database, each case on one of its own. */
export function tableContract(
  name: string,
  database: () => TestDatabase,
  types: { readonly text: string; readonly bytes: string },
  more: {
    readonly settings?: (table: string) => JsonObject
    readonly close?: (table: string) => Promise<unknown>
  } = {},
): void {
  let count = 0
  connectorContract(
    {
      name,
      objectClass: '__ACCOUNT__',
      async open() {
        const table = `people${++count}`
        const { text, bytes } = types
        await database().run(
          `CREATE TABLE ${table} (login ${text} PRIMARY KEY, name ${text}, mail ${text}, password ${text}, photo ${bytes})`,
        )
        const snapshots = temporaryFolder()
        const reopen = async () =>
          database().connect(
            {
              table,
              keyColumn: 'login',
              passwordColumn: 'password',
              suppressPassword: false,
              enableEmptyString: true,
              ...more.settings?.(table),
            },
            { stateFolder: snapshots.path },
          )
        const drop = async () => {
          await more.close?.(table)
          await database().run(`DROP TABLE ${table}`)
          snapshots[Symbol.dispose]()
        }
        return { connector: await reopen(), reopen, close: drop }
      },
      account: (n) => ({
        login: `u${n}`,
        name: `Name ${n}`,
        mail: `u${n}@example.com`,
        password: new Secret(`secret ${n}`),
      }),
      attribute: 'mail',
      unique: 'login',
      unknown: 'shoeSize',
      bytes: 'photo',
      rename: (n) => ({ login: `u${n}` }),
      credentials: (n) => ({ username: `u${n}`, password: `secret ${n}` }),
    },
    { describe, it },
  )
}
