import { Attribute, Change, Client, Control, type Entry } from 'ldapts'
import type { PeoplePlace, Person } from './changing-people.ts'

export interface DirectoryAccount {
  readonly url: string
  readonly dn: string
  readonly password: string
  readonly authority?: string
}

interface Options {
  readonly base: string
  readonly units: readonly string[]
  /** `CN` or `uid`. */
  readonly naming: string
  /** Attributes of new entries besides. */
  fresh(person: Person): Readonly<Record<string, string | string[]>>
  /** Brings an entry back that was deleted; absent: it is made anew. */
  reanimates?: boolean
}

/** People of a directory: `employeeNumber`, a naming attribute, and `displayName` as the one that changes. */
export async function directoryPeople(
  { url, dn, password, authority }: DirectoryAccount,
  { base, units, naming, fresh, reanimates = false }: Options,
): Promise<PeoplePlace & AsyncDisposable> {
  const client = new Client({ url, ...(authority && { tlsOptions: { ca: [authority] } }) })
  await client.bind(dn, password)
  const nameOf = ({ name, unit }: Person) => `${naming}=${name},OU=${unit},${base}`
  const replace = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(
      ([type, value]) =>
        new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) }),
    )
  const place: PeoplePlace & AsyncDisposable = {
    units,
    async create(person) {
      const { number, mail } = person
      await client.add(nameOf(person), { ...fresh(person), employeeNumber: number, displayName: mail })
    },
    async change(before, after) {
      if (nameOf(before) !== nameOf(after)) await client.modifyDN(nameOf(before), nameOf(after))
      if (before.mail !== after.mail) await client.modify(nameOf(after), replace({ displayName: after.mail }))
    },
    delete: (person) => client.del(nameOf(person)),
    async undelete(person) {
      if (!reanimates) return place.create(person)
      const filter = `(&(isDeleted=TRUE)(sAMAccountName=u${person.number}))`
      const options = { scope: 'sub' as const, filter, attributes: ['objectGUID'] }
      const root = base.slice(base.indexOf('DC='))
      const { searchEntries } = await client.search(root, options, showDeleted())
      const back = [
        new Change({ operation: 'delete', modification: new Attribute({ type: 'isDeleted' }) }),
        ...replace({
          distinguishedName: nameOf(person),
          employeeNumber: person.number,
          displayName: person.mail,
        }),
      ]
      await client.modify(searchEntries.at(-1)?.dn ?? '', back, showDeleted())
    },
    async people() {
      const attributes = ['employeeNumber', 'displayName']
      const options = { scope: 'sub' as const, filter: '(employeeNumber=*)', attributes, paged: true }
      return (await client.search(base, options)).searchEntries.map(personOf)
    },
    [Symbol.asyncDispose]: () => client.unbind(),
  }
  return place
}

function showDeleted(): Control[] {
  return [new Control('1.2.840.113556.1.4.2064', { critical: true })]
}

function personOf({ dn, employeeNumber, displayName }: Entry): Person {
  return { number: String(employeeNumber), mail: String(displayName), ...placeIn(dn) }
}

/** Of the name of an entry. */
export function placeIn(dn: string): Pick<Person, 'name' | 'unit'> {
  const [, name = '', unit = ''] = /^\w+=([^,]*),OU=([^,]*),/i.exec(dn) ?? []
  return { name, unit }
}
