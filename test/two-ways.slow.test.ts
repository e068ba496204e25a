/** Slow: a directory, a network and a server that fail again and again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'
import { DirectorySide, expected, ManagedSide, type Side } from './support/two-sides.ts'
import { writeTwoWays } from './support/two-ways.ts'
import { activeDirectory, openLdap, units } from './support/two-ways-directories.ts'
import {
  entryOf,
  ldifOf,
  nameOf,
  type Person,
  type Team,
  teamEntryOf,
  teamName,
} from './support/two-ways-entries.ts'
import type { Directory, DirectoryModel } from './support/two-ways-model.ts'

/**
 * People and teams change at both sides while everything fails that can fail. `SYNCLINE_FAULTS=100` fails as often,
 * `SYNCLINE_PEOPLE=20000` has as many people.
 */
const trials = [
  { model: openLdap, name: openLdap.name, faults: 12, population: 200 },
  // It writes some ten entries a second.
  { model: activeDirectory, name: activeDirectory.name, faults: 7, population: 40 },
]
const faultCount = (usual: number) => Number(process.env.SYNCLINE_FAULTS ?? usual)
const teamCount = 6
const accounts = 'system/ldap/account'
const groups = 'system/ldap/group'
/** In the order that keeps what is new: from the side where changes may have been missed, then to it. */
const mappings = ['account_user', 'user_account', 'group_group', 'group_back'] as const

let server: Server
let project: TestProject
let ldap: Directory
let directory: DirectorySide
let managed: ManagedSide

const people = new Map<string, Person>()
const teams = new Map<string, Team>()
const passwords = new Map<string, string>()
let count = 0

const random = (below: number) => Math.floor(Math.random() * below)
const oneOf = <T>(list: readonly T[]): T => list[random(list.length)] as T

function newPerson(): Person {
  const number = String(++count)
  const userName = `u${number}`
  return {
    number,
    userName,
    name: `Person ${number}`,
    mail: `${userName}@example.com`,
    title: 'new',
    unit: oneOf(units),
    enabled: true,
  }
}

const newPassword = () => `Secret ${1000 + random(1e9)}`

/** The same whenever it is asked for: a domain that has these entries is made once. */
function beginning(model: DirectoryModel, population: number): string {
  const persons = Array.from({ length: population }, (_, at): Person => {
    const person = { ...newPerson(), unit: units[at % units.length] ?? units[0] }
    people.set(person.number, person)
    return person
  })
  for (let at = 0; at < teamCount; at++) {
    const members = persons.slice(at * 4, at * 4 + 4).map(({ number }) => number)
    const team = { name: `team${at}`, description: 'new', members }
    teams.set(team.name, team)
  }
  return [
    ...persons.map((person) => ldifOf(nameOf(model, person), entryOf(model, person, 'Secret 1'))),
    ...[...teams.values()].map((team) => ldifOf(teamName(model, team), teamEntryOf(model, team, persons))),
  ].join('\n')
}

async function begin(model: DirectoryModel, population: number): Promise<void> {
  for (const known of [people, teams, passwords]) known.clear()
  count = 0
  ldap = await model.start(beginning(model, population))
  project = new TestProject()
  writeTwoWays(project, model, ldap)
  server = await serve(project)
  directory = new DirectorySide(model, ldap)
  managed = new ManagedSide(() => server)
  for (const mapping of mappings) expect(await run(mapping), server.log()).toMatchObject({ state: 'SUCCESS' })
  for (const source of [accounts, groups]) expect((await liveSync(source)).status).toBe(200)
}

async function end(): Promise<void> {
  await server?.[Symbol.asyncDispose]()
  await ldap?.[Symbol.asyncDispose]()
  project?.[Symbol.dispose]()
}

const liveSync = (source: string) => server.call('POST', `${source}?_action=liveSync`)

async function run(mapping: string) {
  const path = `recon?_action=recon&mapping=${mapping}&waitForCompletion=true`
  const { _id } = (await server.call('POST', path)).body
  return (await server.call('GET', `recon/${_id}`)).body
}

/** What happens at one side: to people of teams whose side it is this time. */
interface Happening {
  readonly what: string
  readonly done: () => Promise<void>
}

function happenings(
  side: Side,
  name: string,
  persons: readonly Person[],
  ours: readonly Team[],
): Happening[] {
  const touched = new Set<string>()
  const free = () => persons.filter(({ number }) => !touched.has(number) && people.has(number))
  const pick = (suits: (person: Person) => boolean = () => true) => {
    const person = oneOf(free().filter(suits))
    touched.add(person.number)
    return person
  }
  const teamsOf = () => ours.map((team) => teams.get(team.name) ?? team)
  const change = (what: string, to: (person: Person) => Partial<Person>): Happening => {
    const before = pick()
    const after = { ...before, ...to(before) }
    people.set(after.number, after)
    const present = teamsOf()
    return { what: `${what} ${before.number}`, done: () => side.change(before, after, present) }
  }
  const kinds: (() => Happening)[] = [
    () => {
      const person = newPerson()
      people.set(person.number, person)
      touched.add(person.number)
      const password = newPassword()
      passwords.set(person.number, password)
      return { what: `join ${person.number}`, done: () => side.join(person, password) }
    },
    () => change('change', () => ({ title: `t${random(1e6)}`, mail: `m${random(1e6)}@example.com` })),
    () => change('move', ({ unit }) => ({ unit: oneOf(units.filter((one) => one !== unit)) })),
    () => change('enable or disable', ({ enabled }) => ({ enabled: !enabled })),
    () => change('rename', ({ number }) => ({ userName: `u${number}x${random(1e6)}` })),
    () => {
      const person = pick()
      const present = teamsOf()
      people.delete(person.number)
      passwords.delete(person.number)
      for (const team of present)
        teams.set(team.name, { ...team, members: team.members.filter((one) => one !== person.number) })
      return { what: `leave ${person.number}`, done: () => side.leave(person, present) }
    },
    () => {
      const [team] = teamsOf().toSorted(() => Math.random() - 0.5)
      if (!team) return change('change', () => ({ title: 'alone' }))
      // People of this side only, and nobody whose name changes now.
      const elsewhere = new Set(
        [...teams.values()].filter(({ name: one }) => one !== team.name).flatMap(({ members }) => members),
      )
      const joining = free().filter(({ number }) => !elsewhere.has(number) && !team.members.includes(number))
      const added = joining.length > 0 ? [oneOf(joining).number] : []
      for (const number of added) touched.add(number)
      const after = {
        ...team,
        description: `d${random(1e6)}`,
        members: [...team.members.slice(random(2)), ...added],
      }
      teams.set(team.name, after)
      const persons = [...people.values()]
      return { what: `regroup ${team.name}`, done: () => side.regroup(after, persons) }
    },
    () => {
      // Some directories enable whoever gets another password.
      const person = pick(({ enabled }) => enabled)
      const password = newPassword()
      passwords.set(person.number, password)
      return { what: `password ${person.number}`, done: () => side.setPassword(person, password) }
    },
  ]
  return Array.from({ length: 5 }, () => {
    const { what, done } = oneOf(kinds)()
    return { what: `${name}: ${what}`, done }
  })
}

/** Each team, with its people, changes at one side at a time. */
function partition(): Readonly<Record<'managed' | 'directory', { persons: Person[]; teams: Team[] }>> {
  const parts = {
    managed: { persons: [] as Person[], teams: [] as Team[] },
    directory: { persons: [] as Person[], teams: [] as Team[] },
  }
  const sides = ['managed', 'directory'] as const
  const sideOf = new Map<string, 'managed' | 'directory'>()
  for (const team of teams.values()) {
    const side = oneOf(sides)
    parts[side].teams.push(team)
    for (const number of team.members) sideOf.set(number, side)
  }
  for (const person of people.values()) parts[sideOf.get(person.number) ?? oneOf(sides)].persons.push(person)
  return parts
}

const strikes: Readonly<Record<string, () => Promise<void>>> = {
  'the directory is killed': async () => {
    await ldap.stop('SIGKILL')
    await sleep(random(300))
    await ldap.start()
  },
  'Syncline is killed': async () => {
    await server.stop('SIGKILL')
    server = await serve(project)
  },
  'nothing goes through': () => failing({ kind: 'half-open' }),
  'connections are reset': () => failing({ kind: 'reset' }),
  'the network is slow': () => failing({ kind: 'slow' }),
  'an answer is lost': () => failing({ kind: 'answer lost', after: random(4) }),
  'a page is cut': () => failing({ kind: 'page cut', after: random(people.size) }),
}

async function failing(fault: Parameters<Directory['network']['inject']>[0]): Promise<void> {
  ldap.network.inject(fault)
  await sleep(100 + random(1500))
}

/** Everything works again; what waits is done, and one more run of each mapping. */
async function settle(told: string): Promise<void> {
  ldap.network.heal()
  // liveSync goes on meanwhile: what waits may need what it has to tell. Active Directory refuses a member under the name that it had before.
  await expect
    .poll(
      async () => {
        await follow()
        return managed.all('sync/queue?_queryFilter=true')
      },
      { timeout: 120_000, message: told },
    )
    .toEqual([])
  for (const source of [accounts, groups])
    await expect
      .poll(
        async () => {
          const { status, body } = await liveSync(source)
          return [status, body.lastException ?? body.message]
        },
        { timeout: 60_000, message: told },
      )
      .toEqual([200, undefined])
  await expect
    .poll(() => managed.all('sync/queue?_queryFilter=true'), { timeout: 120_000, message: told })
    .toEqual([])
  for (const mapping of mappings) expect(await run(mapping), told).toMatchObject({ state: 'SUCCESS' })
  await expect
    .poll(() => managed.all('sync/queue?_queryFilter=true'), { timeout: 120_000, message: told })
    .toEqual([])
}

async function check(told: string): Promise<void> {
  const world = expected({ people: [...people.values()], teams: [...teams.values()] })
  expect(await directory.world(), told).toEqual(world)
  expect(await managed.world(), told).toEqual(world)
  for (const [number, password] of passwords) {
    const person = people.get(number)
    if (!person) continue
    const { enabled } = person
    for (const side of [directory, managed])
      expect(await side.accepts(person, password), `${told}\npassword of ${number}`).toBe(enabled)
  }
  for (const mapping of mappings) {
    const { state, progress } = await run(mapping)
    const { created, updated, deleted } = progress.target
    expect([state, created, updated, deleted], `${told}\nsecond run of ${mapping}`).toEqual([
      'SUCCESS',
      0,
      0,
      0,
    ])
  }
  for (const [type, all] of [
    ['account_user', people.size],
    ['group_group', teams.size],
  ] as const) {
    const links = await managed.all(`repo/link?_queryFilter=linkType eq "${type}"`)
    expect(new Set(links.map(({ firstId }) => firstId)).size, told).toBe(all)
    expect(new Set(links.map(({ secondId }) => secondId)).size, told).toBe(all)
    expect(links.length, told).toBe(all)
  }
}

/** liveSync of both, again and again, as a schedule does. */
async function following(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await follow()
    await sleep(20)
  }
}

/** What fails is tried at the next time. */
async function follow(): Promise<void> {
  for (const source of [accounts, groups]) await liveSync(source).catch(() => undefined)
}

describe.each(trials)('$name and managed objects, both ways', ({ model, faults, population }) => {
  beforeAll(() => begin(model, Number(process.env.SYNCLINE_PEOPLE ?? population)))
  afterAll(end)

  it.each(Array.from({ length: faultCount(faults) }, (_, trial) => trial))(
    'end alike after fault %i',
    async (trial) => {
      const parts = partition()
      const [strikeName, strike] = Object.entries(strikes)[trial % Object.keys(strikes).length] ?? []
      // A run sees one side as it is, and may not be the first to carry over what only the other side has: then changes are made at its source.
      const running = oneOf([undefined, 'managed', 'directory'] as const)
      const happens = [
        ...(running === 'managed'
          ? []
          : happenings(directory, 'directory', parts.directory.persons, parts.directory.teams)),
        ...(running === 'directory'
          ? []
          : happenings(managed, 'managed', parts.managed.persons, parts.managed.teams)),
      ]
      const told = [
        `fault ${trial}: ${strikeName}; running: ${running}`,
        ...happens.map(({ what }) => what),
      ].join('\n')
      let over = false
      const follows = following(() => over)
      const toRun = { managed: ['user_account', 'group_back'], directory: ['account_user', 'group_group'] }
      const runs = (running ? toRun[running] : []).map((mapping) => run(mapping).catch(() => undefined))
      const sides = Map.groupBy(happens, ({ what }) => what.split(':')[0])
      const changes = [...sides.values()].map(async (list) => {
        for (const { done } of list) await done()
      })
      await sleep(random(300))
      await Promise.all([strike?.(), ...changes])
      ldap.network.heal()
      over = true
      await Promise.all([follows, ...runs])
      await settle(told)
      await check(told)
    },
  )
})
