import { describe, expect, it } from 'vitest'
import { isUnreadable } from '../../model/unreadable.ts'
import { temporaryCsv } from '../csv/testing/temporary.ts'
import { connectorContract } from '../kit/contract/contract.ts'
import { Secret } from '../kit/values.ts'
import { settingOf } from '../kit/write.ts'
import { rehearsal } from './rehearsed.ts'

/** What a connector promises, it promises in a rehearsal, too: otherwise a plan says other things than the run does. */
connectorContract(
  {
    name: 'CSV files in a rehearsal',
    objectClass: '__ACCOUNT__',
    async open() {
      const csv = await temporaryCsv('uid,name,mail,password,tags\n')
      const inner = await csv.connect({ multivaluedColumns: ['tags'] })
      const connector = rehearsal(inner)
      return {
        connector,
        reopen: async () => connector,
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
  },
  { describe, it },
)

describe('a rehearsed system', () => {
  it('cannot read what the system cannot read, also after a write to it was refused', async () => {
    await using csv = await temporaryCsv('uid,name\n"a","x"y\n"b","Bob"\n')
    await using connector = rehearsal(csv.connect())
    const change = { operation: 'update', id: 'a', changes: settingOf({ name: 'Ann' }) } as const
    const [outcome] = (await connector.writeMany?.('__ACCOUNT__', [change])) ?? []
    expect(outcome?.ok).toBe(false)
    const read = await connector.readMany?.('__ACCOUNT__', ['a', 'b'])
    expect([isUnreadable(read?.get('a')), isUnreadable(read?.get('b'))]).toEqual([true, false])
  })
})
