import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything, type Filter } from '../../model/filter/filter.ts'
import { idOf } from '../kit/contract/bench.ts'
import type { AttributeChange } from '../kit/write.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { people, type Slapd, startSlapd } from './testing/slapd.ts'

let slapd: Slapd
beforeAll(async () => {
  slapd = await startSlapd()
})
afterAll(() => slapd[Symbol.asyncDispose]())

async function created(connector: LdapConnector): Promise<string> {
  const dn = `uid=ann,${people}`
  const attributes = { dn, uid: ['ann'], cn: ['Ann'], 'cn;lang-de': ['Änne', 'Anna'], sn: ['x'] }
  return idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes }]))[0])
}

const fields = ['cn', 'cn;lang-de']

describe('an attribute with options', () => {
  it('has values of its own: created, read, found, changed one by one, and cleared', async () => {
    await using connector = slapd.connect()
    await connector.schema()
    const id = await created(connector)
    const read = async (some: readonly string[] = fields) =>
      (await connector.readMany('__ACCOUNT__', [id], some)).get(id)
    const write = async (change: AttributeChange) =>
      idOf((await connector.writeMany('__ACCOUNT__', [{ operation: 'update', id, changes: [change] }]))[0])
    expect(await read()).toEqual({ _id: id, cn: ['Ann'], 'cn;lang-de': ['Änne', 'Anna'] })
    expect(await read(['cn'])).toEqual({ _id: id, cn: ['Ann'] })
    expect(await read(['cn;lang-de'])).toEqual({ _id: id, 'cn;lang-de': ['Änne', 'Anna'] })
    // Spelled as it was asked for, whatever the order of options and the case.
    expect(await read(['CN;Lang-DE'])).toEqual({ _id: id, 'CN;Lang-DE': ['Änne', 'Anna'] })
    expect(connector.deltas('__ACCOUNT__', 'cn;lang-de')).toBe(true)
    await write({ attribute: 'cn;lang-de', kind: 'delta', add: ['Anneliese'], remove: ['Anna'] })
    // What is done already is done.
    await write({ attribute: 'cn;lang-de', kind: 'delta', add: ['ANNELIESE'], remove: [] })
    expect(await read()).toEqual({ _id: id, cn: ['Ann'], 'cn;lang-de': ['Änne', 'Anneliese'] })
    const filter: Filter = { kind: 'compare', operator: 'eq', pointer: ['cn;lang-de'], value: 'änne' }
    expect(connector.split('__ACCOUNT__', filter)).toEqual({ native: filter, rest: everything })
    expect(
      (await Array.fromAsync(connector.search({ objectClass: '__ACCOUNT__', filter }))).flat(),
    ).toHaveLength(1)
    expect(connector.held('__ACCOUNT__', 'cn;lang-de', ['Änne', 'ÄNNE', ''])).toEqual(['Änne'])
    await write({ attribute: 'cn;lang-de', kind: 'clear' })
    expect(await read()).toEqual({ _id: id, cn: ['Ann'] })
    slapd.empty()
  })

  it('of a password is none, and one of a type that is not there neither', async () => {
    await using connector = slapd.connect()
    await connector.schema()
    for (const name of ['userPassword;lang-de', 'shoeSize;lang-de', 'ldapGroups;x']) {
      const filter: Filter = { kind: 'present', pointer: [name] }
      expect(connector.split('__ACCOUNT__', filter).native).toEqual(everything)
    }
  })
})
