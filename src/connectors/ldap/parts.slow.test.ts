import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entryName } from '../../model/entry-name.ts'
import { everything } from '../../model/filter/filter.ts'
import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/** A server that does not offer paged results, and gives an ordinary account no more than 20 entries of a search. */
const ordinary = { principal: `uid=reader,${people}`, credentials: 'secret' }
const hidden = 'olcAccess: to dn.base="" attrs=supportedControl by * none'
const limit = `olcLimits: dn.exact="${ordinary.principal}" size.soft=20 size.hard=20`

interface Person {
  readonly naming: 'uid' | 'cn' | 'employeeNumber'
  readonly value: string
  readonly more?: readonly string[]
}

const count = (many: number, person: (n: number) => Person) =>
  Array.from({ length: many }, (_, n) => person(n))

/** Names that are hard to tell apart: long alike, with blanks, in other writings, and named by another attribute. */
const persons: readonly Person[] = [
  ...count(50, (n) => ({ naming: 'uid', value: `aaaaaaaaaaaaaaaaaaaa${n}` })),
  ...count(30, (n) => ({ naming: 'uid', value: `Person Number ${n}` })),
  ...count(30, (n) => ({ naming: 'uid', value: `Ж${String.fromCodePoint(0x4e00 + n)}` })),
  ...count(30, (n) => ({ naming: 'uid', value: `,+*()\\${n}`, more: [`z${n}`, `b${n}`] })),
  ...count(30, (n) => ({ naming: 'cn', value: `named ${n}` })),
  ...count(30, (n) => ({ naming: 'cn', value: `otherwise ${n}`, more: [`Aaaaaaaaaaaaaaaaaaaa9x${n}`] })),
]

function ldifOf({ naming, value, more = [] }: Person): string {
  const lines = {
    ...(naming === 'uid' && { uid: [value, ...more] }),
    cn: naming === 'cn' ? [value, ...more] : ['x'],
  }
  const texts = Object.entries(lines).flatMap(([name, values]) =>
    values.map((one) => `${name}:: ${Buffer.from(one).toString('base64')}`),
  )
  const dn = Buffer.from(entryName([{ [naming]: value }, 'ou=people', base])).toString('base64')
  return [`dn:: ${dn}`, 'objectClass: inetOrgPerson', 'sn: x', ...texts, ''].join('\n')
}

const reader = `dn: ${ordinary.principal}\nobjectClass: inetOrgPerson\nuid: reader\ncn: r\nsn: r\nuserPassword: secret\n`

const unit = (dn: string) => `dn: ${dn}\nobjectClass: organizationalUnit\n`
const person = (dn: string) => `dn: ${dn}\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n`
const alike = Array.from({ length: 30 }, (_, n) => `ou=${n},ou=alike,${base}`)
const unsearchable = Array.from({ length: 30 }, (_, n) => `cn=${n},ou=groups,${base}`)

let slapd: Slapd
beforeAll(async () => {
  slapd = await startSlapd({
    frontend: [hidden, 'olcAccess: to * by * read'],
    database: [
      `olcAccess: {0}to dn.subtree="ou=groups,${base}" attrs=cn by dn.exact="${ordinary.principal}" none by * read`,
      'olcAccess: {1}to * by * read',
      limit,
    ],
    entries: [
      reader,
      ...persons.map(ldifOf),
      ...[`ou=alike,${base}`, ...alike].map(unit),
      ...[...alike.map((name) => `cn=x,${name}`), ...unsearchable].map(person),
    ].join('\n'),
  })
})
afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

async function listed(connector: LdapConnector): Promise<{ ids: readonly string[]; listing: Listing }> {
  let listing: Listing = completeListing
  const pages = connector.search({ objectClass: '__ACCOUNT__', filter: everything })
  const found = await Array.fromAsync(
    heeding(pages, (end) => {
      listing = end
    }),
  )
  return { ids: found.flat().map(({ _id }) => _id), listing }
}

describe('a server without pages', () => {
  it('that gives all at once is asked once', async () => {
    await using connector = slapd.connect({ baseContexts: [people] })
    const { ids, listing } = await listed(connector)
    expect([ids.length, listing]).toEqual([persons.length + 1, completeListing])
  })

  it('that cuts a search off is searched in parts by the beginnings of names: each entry once, and all', async () => {
    await using connector = slapd.connect({ ...ordinary, baseContexts: [people] })
    const { ids, listing } = await listed(connector)
    expect(listing).toEqual(completeListing)
    expect([ids.length, new Set(ids).size]).toEqual([persons.length + 1, persons.length + 1])
  })

  it.each([
    ['entries that all have one name', `ou=alike,${base}`],
    ['names that the account may not search', `ou=groups,${base}`],
  ])('that cuts off %s gives a partial listing, and names the limit', async (_, below) => {
    await using connector = slapd.connect({ ...ordinary, baseContexts: [below] })
    const { ids, listing } = await listed(connector)
    expect(ids.length).toBeLessThan(30)
    expect(listing).toMatchObject({
      state: 'partial',
      reason: expect.stringMatching(/size limit .*raise the limit/),
    })
  })
})
