import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { escapeDnValue } from '../../model/entry-name.ts'
import { everything, type Filter } from '../../model/filter/filter.ts'
import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import { hostileTexts } from '../kit/contract/hostile.ts'
import type { ConnectorEntry } from '../kit/query.ts'
import { Secret } from '../kit/values.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/** 12 people; an ordinary account may have 5 entries of a search; a part of the tree is on another server. */
const ordinary = `uid=p0,${people}`
const numbers = Array.from({ length: 12 }, (_, n) => n)
const entries = numbers.map(
  (n) => `dn: uid=p${n},${people}
objectClass: inetOrgPerson
uid: p${n}
cn: Person ${n}
cn;lang-de: Mensch ${n}
sn: Person
userPassword: secret
`,
)
const referral = `dn: ou=elsewhere,ou=groups,${base}
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://other.example.com/ou=elsewhere,${base}
`

let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd({
    entries: [...entries, referral].join('\n'),
    database: [
      'olcAccess: {0}to * by * read',
      `olcLimits: {0}dn.exact="${ordinary}" size.soft=5 size.hard=5`,
      `olcLimits: {1}dn.exact="uid=p1,${people}" size.prtotal=disabled`,
    ],
  })
})

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

async function searched(
  connector: LdapConnector,
  { filter = everything, pageSize = 3 }: { readonly filter?: Filter; readonly pageSize?: number } = {},
): Promise<{ readonly entries: readonly ConnectorEntry[]; readonly listing: Listing }> {
  let listing: Listing = completeListing
  const pages = heeding(connector.search({ objectClass: '__ACCOUNT__', filter, pageSize }), (end) => {
    listing = end
  })
  return { entries: (await Array.fromAsync(pages)).flat(), listing }
}

const inPeople = { baseContexts: [people] }

describe('a search', () => {
  it('that the server ends at its size limit is a partial listing, paged or not, and names the limit', async () => {
    await using connector = slapd.connect({ ...inPeople, principal: ordinary, credentials: 'secret' })
    for (const pageSize of [2, 500]) {
      const { entries, listing } = await searched(connector, { pageSize })
      expect(entries.length).toBeLessThan(12)
      expect(listing).toMatchObject({
        state: 'partial',
        reason: expect.stringMatching(/size limit .*ou=people.*sizeLimitExceeded/),
      })
    }
  })

  it('by ids that the limit cuts off finds out nothing about the ids that did not come', async () => {
    await using all = slapd.connect(inPeople)
    const ids = (await searched(all)).entries.map(({ _id }) => _id)
    await using connector = slapd.connect({ ...inPeople, principal: ordinary, credentials: 'secret' })
    const read = await connector.readMany('__ACCOUNT__', ids)
    expect([...read.keys()]).toEqual(ids)
    expect([...read.values()].some(isUnreadable)).toBe(true)
  })

  it('by ids that the limit cuts off makes no deletion of one a success: it may be there', async () => {
    await using all = slapd.connect(inPeople)
    const ids = (await searched(all)).entries.map(({ _id }) => _id)
    await using connector = slapd.connect({ ...inPeople, principal: ordinary, credentials: 'secret' })
    const writes = ids.map((id) => ({ operation: 'delete', id }) as const)
    for (const outcome of await connector.writeMany('__ACCOUNT__', writes))
      expect(outcome).toMatchObject({
        ok: false,
        error: { kind: expect.stringMatching(/^(unreadable|permission)$/) },
      })
  })

  it('is a partial listing with the words of a server that does not let the account page', async () => {
    const principal = `uid=p1,${people}`
    await using connector = slapd.connect({ ...inPeople, principal, credentials: 'secret' })
    expect((await searched(connector)).listing).toMatchObject({
      state: 'partial',
      reason: expect.stringMatching(/127\.0\.0\.1:\d+ answers .*pagedResults control not allowed/),
    })
  })

  it('stays on its connection, so that searches at the same time do not mix their pages', async () => {
    await using connector = slapd.connect(inPeople)
    const all = await Promise.all(Array.from({ length: 8 }, () => searched(connector, { pageSize: 1 })))
    for (const { entries, listing } of all) {
      expect(new Set(entries.map(({ _id }) => _id)).size).toBe(12)
      expect(listing).toEqual(completeListing)
    }
  })

  it('is complete when its last page is full', async () => {
    await using connector = slapd.connect(inPeople)
    const { entries, listing } = await searched(connector, { pageSize: 4 })
    expect([entries.length, listing]).toEqual([12, completeListing])
  })

  it.each([
    ['follow', 'partial'],
    ['ignore', 'complete'],
  ])('that meets a referral is, with referralsHandling %s, %s', async (referralsHandling, state) => {
    await using connector = slapd.connect({ referralsHandling })
    const { entries, listing } = await searched(connector)
    expect([entries.length, listing.state]).toEqual([12, state])
  })

  it('that meets a referral is an error with referralsHandling throw', async () => {
    await using connector = slapd.connect({ referralsHandling: 'throw' })
    await expect(searched(connector)).rejects.toThrow('ldap://other.example.com')
  })

  it('below a base that is not there says which, and so does the test', async () => {
    await using connector = slapd.connect({ baseContexts: [`ou=nowhere,${base}`] })
    for (const failing of [() => searched(connector), () => connector.test()])
      await expect(failing()).rejects.toThrow(`has no entry ou=nowhere,${base}, which baseContexts names`)
  })

  it('gives no values in a language for those of the attribute, and no password', async () => {
    await using connector = slapd.connect(inPeople)
    const { entries } = await searched(connector)
    const [first] = entries
    expect(first).toMatchObject({ cn: ['Person 0'], dn: ordinary })
    expect(Object.keys(first ?? {})).not.toContain('userPassword')
  })

  it('takes accountSearchFilter instead of the object classes', async () => {
    await using connector = slapd.connect({ ...inPeople, accountSearchFilter: '(|(uid=p3)(uid=p4))' })
    expect((await searched(connector)).entries).toHaveLength(2)
  })
})

describe('a filter', () => {
  it('goes to the server whole, with any characters in its values, and cannot say more than it says', async () => {
    await using connector = slapd.connect(inPeople)
    await connector.schema()
    for (const value of [...hostileTexts, 'p1)(uid=*', 'p1\0']) {
      const filter: Filter = { kind: 'compare', operator: 'eq', pointer: ['uid'], value }
      const { native, rest } = connector.split('__ACCOUNT__', filter)
      const { entries } = await searched(connector, { filter: native })
      // What is left to Syncline finds every entry.
      expect(entries).toHaveLength(rest === filter ? 12 : 0)
    }
    const plain: Filter = { kind: 'compare', operator: 'sw', pointer: ['cn'], value: 'person 1' }
    expect(connector.split('__ACCOUNT__', plain)).toEqual({ native: plain, rest: everything })
    expect((await searched(connector, { filter: plain })).entries).toHaveLength(3)
  })

  it('with an empty text, which LDAP does not have, means what it means elsewhere', async () => {
    await using connector = slapd.connect(inPeople)
    await connector.schema()
    for (const [operator, count] of [
      ['eq', 0],
      ['ne', 12],
      ['in', 0],
      ['sw', 12],
      ['co', 12],
    ] as const)
      for (const name of operator === 'eq' || operator === 'in' ? ['cn', 'dn'] : ['cn']) {
        const value = operator === 'in' ? [''] : ''
        const filter: Filter = { kind: 'compare', operator, pointer: [name], value }
        expect(connector.split('__ACCOUNT__', filter).native).toBe(filter)
        expect((await searched(connector, { filter })).entries).toHaveLength(count)
      }
  })

  it('by the name of an entry finds it in another spelling', async () => {
    await using connector = slapd.connect(inPeople)
    await connector.schema()
    const value = 'UID=p3, OU=people,dc=example,dc=com'
    const filter: Filter = { kind: 'compare', operator: 'eq', pointer: ['dn'], value }
    expect(connector.split('__ACCOUNT__', filter).native).toBe(filter)
    expect((await searched(connector, { filter })).entries).toHaveLength(1)
  })
})

describe('a login', () => {
  it('is refused where several accounts have the name', async () => {
    await using connector = slapd.connect({ ...inPeople, accountUserNameAttributes: ['sn'] })
    const login = connector.authenticate('__ACCOUNT__', 'Person', new Secret('secret'))
    await expect(login).rejects.toThrow(/12 accounts .* have the login name "Person"/)
  })

  it('takes no account for a name with a star, and none for an empty password', async () => {
    await using connector = slapd.connect(inPeople)
    for (const [name, word] of [
      ['p*', 'secret'],
      ['p2', ''],
    ] as const)
      await expect(connector.authenticate('__ACCOUNT__', name, new Secret(word))).rejects.toMatchObject({
        kind: 'wrongCredentials',
      })
  })
})

describe('names with special characters', () => {
  it('are written, read, renamed and deleted as they are', async () => {
    await using connector = slapd.connect({
      baseContexts: [`ou=groups,${base}`],
      referralsHandling: 'ignore',
    })
    for (const text of hostileTexts) {
      const dnOf = (value: string) => `cn=${escapeDnValue(value)},ou=groups,${base}`
      const [created] = await connector.writeMany('__ACCOUNT__', [
        { operation: 'create', attributes: { dn: dnOf(text), sn: ['x'] } },
      ])
      expect(created).toMatchObject({ ok: true })
      const id = created?.ok ? created.id : ''
      const read = async () => (await connector.readMany('__ACCOUNT__', [id])).get(id)
      expect(await read()).toMatchObject({ cn: [text] })
      const [renamed, deleted] = await connector.writeMany('__ACCOUNT__', [
        { operation: 'update', id, changes: [{ attribute: 'dn', kind: 'set', value: dnOf(`${text}, too`) }] },
        { operation: 'delete', id },
      ])
      expect([renamed, deleted]).toMatchObject([{ ok: true, id }, { ok: true }])
      expect(await read()).toBeUndefined()
    }
  })
})
