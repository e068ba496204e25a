import { setTimeout as sleep } from 'node:timers/promises'
import { Attribute, Change, Client, ResultCodeError } from 'ldapts'
import { administrator, password as adminPassword, base } from '../../src/connectors/ldap/testing/slapd.ts'
import type { Answer, Server } from './server.ts'
import { nobody } from './two-ways.ts'

export interface Person {
  readonly number: string
  readonly userName: string
  readonly name: string
  readonly mail: string
  readonly title: string
  readonly unit: string
}

export interface Team {
  readonly name: string
  readonly description: string
  /** Numbers of people. */
  readonly members: readonly string[]
}

/** Everything that both sides must say in the end. */
export interface World {
  readonly people: readonly Person[]
  readonly teams: readonly Team[]
}

/** One of the sides, as the people see it who work there. Whatever was asked for is done when a promise is fulfilled: failures are tried again. */
export interface Side {
  join(person: Person): Promise<void>
  /** From what a person was to what it is: attributes, unit, name. */
  change(before: Person, after: Person, teams: readonly Team[]): Promise<void>
  leave(person: Person, teams: readonly Team[]): Promise<void>
  regroup(team: Team, people: readonly Person[]): Promise<void>
  setPassword(person: Person, password: string): Promise<void>
  world(): Promise<World>
}

const nameOf = ({ userName, unit }: Person) => `uid=${userName},ou=${unit},${base}`
const teamName = (name: string) => `cn=${name},ou=groups,${base}`

/** Other programs at the directory. */
export class DirectorySide implements Side {
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  async join(person: Person): Promise<void> {
    const { number, userName, name, mail, title } = person
    const attributes = {
      ...{
        objectClass: 'inetOrgPerson',
        uid: userName,
        cn: name,
        sn: 'x',
        mail,
        title,
        employeeNumber: number,
      },
    }
    await this.#work((client) => client.add(nameOf(person), attributes), [68])
  }

  async change(before: Person, after: Person, teams: readonly Team[]): Promise<void> {
    const [from, to] = [nameOf(before), nameOf(after)]
    if (from !== to) {
      await this.#work((client) => client.modifyDN(from, to), [32])
      for (const team of teams.filter(({ members }) => members.includes(after.number)))
        await this.#swap(team, from, to)
    }
    const { mail, title } = after
    await this.#work((client) => client.modify(to, [replaced('mail', mail), replaced('title', title)]))
  }

  async leave(person: Person, teams: readonly Team[]): Promise<void> {
    const name = nameOf(person)
    await this.#work((client) => client.del(name), [32])
    for (const team of teams.filter(({ members }) => members.includes(person.number)))
      await this.#swap(team, name, team.members.length === 1 ? nobody : undefined)
  }

  async regroup({ name, description, members }: Team, people: readonly Person[]): Promise<void> {
    const names = people.filter(({ number }) => members.includes(number)).map(nameOf)
    const uniqueMember = names.length === 0 ? [nobody] : names
    const attributes = { objectClass: 'groupOfUniqueNames', cn: name, description, uniqueMember }
    await this.#work((client) => client.add(teamName(name), attributes), [68])
    const changes = [replaced('uniqueMember', ...uniqueMember), replaced('description', description)]
    await this.#work((client) => client.modify(teamName(name), changes))
  }

  async setPassword(person: Person, password: string): Promise<void> {
    await this.#work((client) => client.modify(nameOf(person), [replaced('userPassword', password)]))
  }

  async world(): Promise<World> {
    const client = await this.#open()
    try {
      const search = async (filter: string) =>
        (await client.search(base, { filter, paged: { pageSize: 500 } })).searchEntries.map(
          ({ dn, ...rest }) => ({
            dn,
            text: (name: string) => String(rest[name] ?? ''),
            texts: (name: string) => [rest[name] ?? []].flat().map(String),
          }),
        )
      const people = await search('(objectClass=inetOrgPerson)')
      const numbers = new Map(people.map(({ dn, text }) => [dn, text('employeeNumber')]))
      return sorted({
        people: people.map(({ dn, text }) => ({
          ...{ number: text('employeeNumber'), userName: text('uid'), name: text('cn') },
          ...{ mail: text('mail'), title: text('title'), unit: /,ou=([^,]*),/.exec(dn)?.[1] ?? '' },
        })),
        teams: (await search('(objectClass=groupOfUniqueNames)')).map(({ text, texts }) => ({
          ...{ name: text('cn'), description: text('description') },
          // A name that leads nowhere is seen as it is.
          members: texts('uniqueMember').flatMap((dn) => (dn === nobody ? [] : (numbers.get(dn) ?? dn))),
        })),
      })
    } finally {
      await client.unbind()
    }
  }

  /** Tries it as the person itself. */
  async accepts(person: Person, password: string): Promise<boolean> {
    const client = new Client({ url: `ldap://127.0.0.1:${this.#port}` })
    try {
      await client.bind(nameOf(person), password)
      return true
    } catch (error) {
      if (error instanceof ResultCodeError && error.code === 49) return false
      throw error
    } finally {
      await client.unbind()
    }
  }

  async #swap(team: Team, from: string, to: string | undefined): Promise<void> {
    const change = (operation: 'add' | 'delete', value: string) =>
      new Change({ operation, modification: new Attribute({ type: 'uniqueMember', values: [value] }) })
    if (to !== undefined)
      await this.#work((client) => client.modify(teamName(team.name), [change('add', to)]), [20])
    await this.#work((client) => client.modify(teamName(team.name), [change('delete', from)]), [16])
  }

  /** `done`: result codes that say that an earlier try had succeeded. */
  async #work(work: (client: Client) => Promise<unknown>, done: readonly number[] = []): Promise<void> {
    for (;;) {
      try {
        const client = await this.#open()
        try {
          await work(client)
        } finally {
          await client.unbind().catch(() => undefined)
        }
        return
      } catch (error) {
        if (error instanceof ResultCodeError) {
          if (done.includes(error.code)) return
          throw error
        }
        await sleep(50)
      }
    }
  }

  async #open(): Promise<Client> {
    const client = new Client({ url: `ldap://127.0.0.1:${this.#port}`, timeout: 5000, connectTimeout: 5000 })
    await client.bind(administrator, adminPassword)
    return client
  }
}

function replaced(type: string, ...values: readonly string[]): Change {
  return new Change({ operation: 'replace', modification: new Attribute({ type, values: [...values] }) })
}

/** Clients of Syncline. */
export class ManagedSide implements Side {
  readonly #server: () => Server

  constructor(server: () => Server) {
    this.#server = server
  }

  async join(person: Person): Promise<void> {
    await this.#done('PUT', `managed/user/p${person.number}`, { ...person, family: 'x' })
  }

  async change(before: Person, after: Person): Promise<void> {
    const names = ['userName', 'mail', 'title', 'unit'] as const
    const changed = names.filter((name) => before[name] !== after[name])
    const patch = changed.map((name) => ({ operation: 'replace', field: `/${name}`, value: after[name] }))
    await this.#done('PATCH', `managed/user/${await this.#idOf(after)}`, patch)
  }

  async leave(person: Person): Promise<void> {
    const id = await this.#idOf(person).catch(() => undefined)
    if (id !== undefined) await this.#done('DELETE', `managed/user/${id}`)
  }

  async regroup({ name, description, members }: Team, people: readonly Person[]): Promise<void> {
    const persons = people.filter(({ number }) => members.includes(number))
    const refs = await Promise.all(
      persons.map(async (one) => ({ _ref: `managed/user/${await this.#idOf(one)}` })),
    )
    const found = (await this.all(`managed/group?_queryFilter=name eq "${name}"`))[0]
    await this.#done('PUT', `managed/group/${found?._id ?? name}`, { name, description, members: refs })
  }

  async setPassword(person: Person, password: string): Promise<void> {
    const patch = [{ operation: 'replace', field: '/password', value: password }]
    await this.#done('PATCH', `managed/user/${await this.#idOf(person)}`, patch)
  }

  async world(): Promise<World> {
    const users = await this.all('managed/user?_queryFilter=true')
    const numbers = new Map(users.map(({ _id, number }) => [_id, String(number)]))
    const groups = await this.all('managed/group?_queryFilter=true&_fields=*,members')
    return sorted({
      people: users.map(({ number, userName, name, mail, title, unit }) => ({
        ...{ number, userName, name, mail, title, unit },
      })),
      teams: groups.map(({ name, description, members }) => ({
        ...{ name, description },
        members: members.map(
          ({ _refResourceId: id }: { readonly _refResourceId: string }) => numbers.get(id) ?? id,
        ),
      })),
    })
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind are looked into
  async all(path: string): Promise<readonly any[]> {
    return (await this.#done('GET', path.replaceAll(' ', '%20'))).body.result
  }

  /** The directory asked for a password, through Syncline. */
  async accepts({ userName: username }: Person, password: string): Promise<boolean> {
    const body = { username, password }
    return (
      (await this.#server().call('POST', 'system/ldap/account?_action=authenticate', { body })).status === 200
    )
  }

  async #idOf({ number }: Person): Promise<string> {
    const [user] = await this.all(`managed/user?_queryFilter=number eq "${number}"`)
    if (!user) throw new Error(`managed/user has nobody with the number ${number}`)
    return user._id
  }

  async #done(method: string, path: string, body?: unknown): Promise<Answer> {
    for (;;) {
      const answer = await this.#server()
        .call(method, path, body === undefined ? {} : { body })
        .catch(() => undefined)
      if (answer && answer.status < 300) return answer
      if (answer?.status === 404 && method === 'DELETE') return answer
      if (answer && answer.status < 500) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
      await sleep(50)
    }
  }
}

function sorted({ people, teams }: World): World {
  return {
    people: people.toSorted((a, b) => (a.number < b.number ? -1 : 1)),
    teams: teams
      .map(({ members, ...team }) => ({ ...team, members: members.toSorted() }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

export const expected = sorted
