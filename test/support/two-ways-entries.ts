import type { DirectoryModel, Given } from './two-ways-model.ts'

export interface Person {
  readonly number: string
  readonly userName: string
  readonly name: string
  readonly mail: string
  readonly title: string
  readonly unit: string
  readonly enabled: boolean
}

export interface Team {
  readonly name: string
  readonly description: string
  /** Numbers of people. */
  readonly members: readonly string[]
}

export function nameOf({ naming, base }: DirectoryModel, { userName, unit }: Person): string {
  return `${naming.person}=${userName},${naming.unit}=${unit},${base}`
}

export function teamName({ naming, base }: DirectoryModel, { name }: Pick<Team, 'name'>): string {
  return `${naming.team}=${name},${naming.unit}=groups,${base}`
}

/** The entry of somebody new. */
export function entryOf(model: DirectoryModel, person: Person, password: string): readonly Given[] {
  const { account, passwordOf, stateOf } = model
  const { number, userName, name, mail, title, enabled } = person
  const entry: readonly Given[] = [
    ['objectClass', [account.objectClass]],
    [account.userName, [userName]],
    [account.name, [name]],
    ['sn', ['x']],
    ['mail', [mail]],
    ['title', [title]],
    ['employeeNumber', [number]],
    passwordOf(password),
    stateOf(enabled),
  ]
  return entry.filter(([, values]) => values.length > 0)
}

export function teamEntryOf(model: DirectoryModel, team: Team, people: readonly Person[]): readonly Given[] {
  return [
    ['objectClass', [model.group.objectClass]],
    ['cn', [team.name]],
    ['description', [team.description]],
    [model.group.member, membersOf(model, team, people)],
  ]
}

/** The names of a team's members, as the directory has them. */
export function membersOf(
  model: DirectoryModel,
  { members }: Team,
  people: readonly Person[],
): readonly string[] {
  const names = people.filter(({ number }) => members.includes(number)).map((one) => nameOf(model, one))
  return names.length === 0 && model.nobody !== undefined ? [model.nobody] : names
}

export function ldifOf(name: string, entry: readonly Given[]): string {
  const lines = entry.flatMap(([type, values]) =>
    values.map((value) => `${type}:: ${bytesOf(value).toString('base64')}\n`),
  )
  return `dn: ${name}\n${lines.join('')}`
}

export function bytesOf(value: string | Buffer): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : value
}
