import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ldapKind } from '../src/connectors/ldap/kind.ts'
import {
  administrator,
  base,
  password,
  people,
  type Slapd,
  startSlapd,
} from '../src/connectors/ldap/testing/slapd.ts'
import { openSystem, type System } from '../src/connectors/system/open-system.ts'
import { readableOf } from '../src/model/unreadable.ts'
import { type FaultProxy, faultProxy } from './support/fault-proxy.ts'

/** What becomes of the writes and readings of a system when the network to its directory fails. */
let slapd: Slapd
let proxy: FaultProxy
beforeAll(async () => {
  slapd = await startSlapd()
  proxy = await faultProxy({ host: '127.0.0.1', port: slapd.port })
})
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await slapd[Symbol.asyncDispose]()
})
afterEach(() => {
  proxy.heal()
  slapd.empty()
})

const caller = { external: false, userId: 'system', roles: [], transactionId: 't' }
const text = { type: 'string' }

function open(settings = {}): Promise<System> {
  return openSystem(
    {
      name: 'directory',
      connectorRef: { connectorName: ldapKind.connectorName },
      configurationProperties: {
        host: '127.0.0.1',
        port: proxy.port,
        principal: administrator,
        credentials: password,
        baseContexts: [base],
        ...settings,
      },
      resilience: { firstDelay: 1, longestDelay: 5 },
      objectTypes: {
        account: {
          nativeType: '__ACCOUNT__',
          properties: {
            dn: { ...text, nativeName: '__NAME__', required: true },
            uid: text,
            cn: text,
            sn: text,
            password: { ...text, nativeName: '__PASSWORD__', nativeType: 'JAVA_TYPE_GUARDEDSTRING' },
          },
        },
      },
    },
    { kinds: [ldapKind], projectFolder: slapd.folder, decrypt: async (value) => value },
  )
}

const person = (uid: string) => ({ dn: `uid=${uid},${people}`, uid, cn: uid, sn: 'x' })
const accountsOf = (system: System) => system.objects.get('account') ?? expect.unreachable()

/** The accounts that the directory has, whatever Syncline thinks of them. */
async function there(): Promise<readonly unknown[]> {
  await using connector = slapd.connect()
  const query = { objectClass: '__ACCOUNT__', filter: { kind: 'literal', value: true } } as const
  return readableOf((await Array.fromAsync(connector.search(query))).flat())
}

describe('a network that fails', () => {
  it('after the directory has done a create: it is found, and not done twice', async () => {
    await using system = await open()
    proxy.inject({ kind: 'answer lost', after: 0 })
    const write = { operation: 'create', content: { ...person('ann'), password: 'first' } } as const
    const [outcome] = await accountsOf(system).writeMany([write], caller)
    const entries = await there()
    expect([proxy.hits > 0, outcome?.ok, entries.length]).toEqual([true, true, 1])
    expect(entries).toMatchObject([{ _id: outcome?.ok ? outcome.object._id : '', uid: ['ann'] }])
  })

  it('in the middle of a page of creates leaves each of them there once', async () => {
    await using system = await open()
    proxy.inject({ kind: 'answer lost', after: 3 })
    const writes = Array.from(
      { length: 10 },
      (_, n) => ({ operation: 'create', content: person(`p${n}`) }) as const,
    )
    const outcomes = await accountsOf(system).writeMany(writes, caller)
    expect([proxy.hits > 1, outcomes.map(({ ok }) => ok)]).toEqual([true, writes.map(() => true)])
    expect(await there()).toHaveLength(10)
  })

  it('while nobody uses it, by a firewall that says nothing or by a reset, is not noticed', async () => {
    await using system = await open({ readTimeout: 500 })
    const accounts = accountsOf(system)
    const [created] = await accounts.writeMany([{ operation: 'create', content: person('ann') }], caller)
    const id = created?.ok ? created.object._id : ''
    for (const kind of ['half-open', 'reset'] as const) {
      proxy.inject({ kind })
      proxy.heal()
      expect([...(await accounts.readMany([id])).keys()]).toEqual([id])
    }
  })

  it('tells no password in any error, neither that of the account nor one that is written', async () => {
    await using system = await open({ readTimeout: 300 })
    proxy.inject({ kind: 'half-open' })
    const secret = 'planted-secret'
    const write = { operation: 'create', content: { ...person('ann'), password: secret } } as const
    const [outcome] = await accountsOf(system).writeMany([write], caller)
    expect(outcome?.ok).toBe(false)
    const told = JSON.stringify(outcome, (_, value) =>
      value instanceof Error
        ? { ...value, message: value.message, stack: value.stack, cause: value.cause }
        : value,
    )
    for (const word of [secret, password]) expect(told).not.toContain(word)
  })
})
