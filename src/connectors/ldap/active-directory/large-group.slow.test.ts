import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { standaloneHost } from '../../kit/host.ts'
import { Directory } from '../directory.ts'
import { moreValues } from '../read.ts'
import { ldapSettings } from '../settings.ts'
import { base, groups, people, type Samba, startSamba } from '../testing/samba.ts'

/** A group of 1,700 members: more than Active Directory gives at once. */
let samba: Samba
const count = 1700
const name = `CN=large,${groups}`
const members = Array.from({ length: count }, (_, n) => `CN=m${n},${people}`)

beforeAll(async () => {
  const contacts = members.map((dn) => `dn: ${dn}\nobjectClass: contact\n`)
  const group = `dn: ${name}\nobjectClass: group\n${members.map((dn) => `member: ${dn}\n`).join('')}`
  samba = await startSamba({ entries: [...contacts, group].join('\n') })
})

afterAll(async () => {
  await samba[Symbol.asyncDispose]()
})

describe('a group with more members than a server gives at once', () => {
  it.each([
    ['member;range=0-1499', 1500],
    ['member;range=0-499', 500],
  ])('that begins with %s is read to its end', async (description, given) => {
    const settings = { ...samba.settings, baseContexts: [base] }
    const host = standaloneHost({})
    await using directory = new Directory(
      ldapSettings(settings, '.', () => undefined),
      host,
    )
    const all = await directory.use(async (connection) => {
      const entry = await connection.entry(name, { attributes: [description] })
      const first = entry?.[description] ?? []
      expect(first).toHaveLength(given)
      return [first, await moreValues(connection, { name, description, binary: [] })].flat().map(String)
    })
    expect(new Set(all)).toEqual(new Set(members))
    expect(all).toHaveLength(count)
  })

  it('is read as one list, and changed by single members', async () => {
    await using connector = samba.connect()
    const read = async () =>
      (
        await Array.fromAsync(
          connector.search({ objectClass: '__GROUP__', filter: { kind: 'literal', value: true } }),
        )
      )
        .flat()
        .map((entry) => ('member' in entry ? entry : undefined))[0]
    const group = await read()
    expect(group).toHaveProperty('member.length', count)
    const [gone = '', ...others] = members
    const changes = [{ attribute: 'member', kind: 'delta', add: [others[0] ?? ''], remove: [gone] }] as const
    const writes = [{ operation: 'update', id: group?._id ?? '', changes }] as const
    for (let time = 0; time < 2; time++)
      expect(await connector.writeMany('__GROUP__', writes)).toMatchObject([{ ok: true }])
    expect(await read()).toHaveProperty('member.length', count - 1)
  })
})
