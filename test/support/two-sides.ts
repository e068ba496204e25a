import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Attribute, Change, Client, ResultCodeError } from 'ldapts'
import type { Answer, Server } from './server.ts'
import { bytesOf, entryOf, membersOf, nameOf, type Person, type Team, teamName } from './two-ways-entries.ts'
import type { Directory, DirectoryModel, Given } from './two-ways-model.ts'

/** Everything that both sides must say in the end. */
export interface World {
  readonly people: readonly Person[]
  readonly teams: readonly Team[]
}

/** One of the sides, as the people see it who work there. Whatever was asked for is done when a promise is fulfilled: failures are tried again. */
export interface Side {
  join(person: Person, password: string): Promise<void>
  /** From what a person was to what it is: attributes, unit, name, state. */
  change(before: Person, after: Person, teams: readonly Team[]): Promise<void>
  leave(person: Person, teams: readonly Team[]): Promise<void>
  regroup(team: Team, people: readonly Person[]): Promise<void>
  setPassword(person: Person, password: string): Promise<void>
  world(): Promise<World>
}

/** Other programs at the directory. */
export class DirectorySide implements Side {
  readonly #model: DirectoryModel
  readonly #directory: Directory

  constructor(model: DirectoryModel, directory: Directory) {
    this.#model = model
    this.#directory = directory
  }

  async join(person: Person, password: string): Promise<void> {
    const attributes = entryOf(this.#model, person, password).map(attribute)
    await this.#work((client) => client.add(nameOf(this.#model, person), attributes), [68])
  }

  async change(before: Person, after: Person, teams: readonly Team[]): Promise<void> {
    const [from, to] = [nameOf(this.#model, before), nameOf(this.#model, after)]
    if (from !== to) {
      await this.#work((client) => client.modifyDN(from, to), [32])
      for (const team of teams.filter(({ members }) => members.includes(after.number)))
        await this.#swap(team, from, to)
    }
    const { account, naming, stateOf } = this.#model
    const given: Given[] = [
      ['mail', [after.mail]],
      ['title', [after.title]],
    ]
    // What names the entry has changed with its name.
    if (account.userName !== naming.person) given.push([account.userName, [after.userName]])
    if (before.enabled !== after.enabled) given.push(stateOf(after.enabled))
    const changes = given.map(replaced)
    await this.#work((client) => client.modify(to, changes))
  }

  async leave(person: Person, teams: readonly Team[]): Promise<void> {
    const name = nameOf(this.#model, person)
    await this.#work((client) => client.del(name), [32])
    for (const team of teams.filter(({ members }) => members.includes(person.number)))
      await this.#swap(team, name, team.members.length === 1 ? this.#model.nobody : undefined)
  }

  async regroup(team: Team, people: readonly Person[]): Promise<void> {
    const changes = [
      replaced([this.#model.group.member, membersOf(this.#model, team, people)]),
      replaced(['description', [team.description]]),
    ]
    await this.#work((client) => client.modify(teamName(this.#model, team), changes))
  }

  async setPassword(person: Person, password: string): Promise<void> {
    const change = replaced(this.#model.passwordOf(password))
    await this.#work((client) => client.modify(nameOf(this.#model, person), [change]))
  }

  async world(): Promise<World> {
    const client = await this.#open()
    const { account, base, group, isEnabled, nobody, stateOf } = this.#model
    const [state] = stateOf(true)
    try {
      const search = async (objectClass: string) => {
        const filter = `(objectClass=${objectClass})`
        const attributes = ['*', state]
        const { searchEntries } = await client.search(base, { filter, attributes, paged: { pageSize: 500 } })
        return searchEntries.map(({ dn, ...rest }) => ({
          dn,
          text: (name: string) => String(rest[name] ?? ''),
          texts: (name: string) => [rest[name] ?? []].flat().map(String),
        }))
      }
      const people = await search(account.objectClass)
      const numbers = new Map(people.map(({ dn, text }) => [dn, text('employeeNumber')]))
      return sorted({
        people: people.map(({ dn, text }) => ({
          number: text('employeeNumber'),
          ...{ userName: text(account.userName), name: text(account.name) },
          ...{ mail: text('mail'), title: text('title'), unit: /,ou=([^,]*),/i.exec(dn)?.[1] ?? '' },
          enabled: isEnabled(text(state)),
        })),
        teams: (await search(group.objectClass)).map(({ text, texts }) => ({
          ...{ name: text('cn'), description: text('description') },
          // A name that leads nowhere is seen as it is.
          members: texts(group.member).flatMap((dn) => (dn === nobody ? [] : (numbers.get(dn) ?? dn))),
        })),
      })
    } finally {
      await client.unbind()
    }
  }

  /** Tries it as the person itself. */
  async accepts(person: Person, password: string): Promise<boolean> {
    const client = this.#client()
    try {
      await client.bind(nameOf(this.#model, person), password)
      return true
    } catch (error) {
      if (error instanceof ResultCodeError && error.code === 49) return false
      throw error
    } finally {
      await client.unbind()
    }
  }

  async #swap(team: Team, from: string, to: string | undefined): Promise<void> {
    const { group, keepsMembers } = this.#model
    if (keepsMembers) return
    const change = (operation: 'add' | 'delete', value: string) =>
      new Change({ operation, modification: attribute([group.member, [value]]) })
    const name = teamName(this.#model, team)
    if (to !== undefined) await this.#work((client) => client.modify(name, [change('add', to)]), [20])
    await this.#work((client) => client.modify(name, [change('delete', from)]), [16])
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
    const client = this.#client()
    const { dn, password } = this.#model.administrator
    await client.bind(dn, password)
    return client
  }

  #client(): Client {
    const { url, authority } = this.#directory
    return new Client({
      ...{ url, timeout: 5000, connectTimeout: 5000 },
      ...(authority !== undefined && { tlsOptions: { ca: [readFileSync(authority)] } }),
    })
  }
}

function attribute([type, values]: Given): Attribute {
  return new Attribute({ type, values: values.map(bytesOf) })
}

function replaced(given: Given): Change {
  return new Change({ operation: 'replace', modification: attribute(given) })
}

/** Clients of Syncline. */
export class ManagedSide implements Side {
  readonly #server: () => Server

  constructor(server: () => Server) {
    this.#server = server
  }

  async join(person: Person, password: string): Promise<void> {
    await this.#done('PUT', `managed/user/p${person.number}`, { ...person, family: 'x', password })
  }

  async change(before: Person, after: Person): Promise<void> {
    const names = ['userName', 'mail', 'title', 'unit', 'enabled'] as const
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
      people: users.map(({ number, userName, name, mail, title, unit, enabled }) => ({
        ...{ number, userName, name, mail, title, unit, enabled },
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
