import { Change } from 'ldapts'
import { ConnectorError } from '../kit/errors.ts'
import { type Value, valuesOf } from '../kit/values.ts'
import type { AttributeChange } from '../kit/write.ts'
import type { ClassAttributes } from './attributes.ts'
import { keyOf, parseDn } from './dn.ts'
import { attributeOf, textOf } from './encoding.ts'
import { resultCode } from './errors.ts'
import type { Membership } from './membership.ts'
import { type GroupSearch, groupsOf, keyIn, referencesTo } from './membership-reading.ts'

/** What a write does to the groups of its entry. Members that others add stay. */
export class GroupsOfEntry {
  readonly #search: GroupSearch
  readonly #attributes: ClassAttributes
  readonly #memberships: readonly Membership[]
  readonly #signal: AbortSignal | undefined

  constructor(
    search: GroupSearch,
    attributes: ClassAttributes,
    memberships: readonly Membership[],
    signal: AbortSignal | undefined,
  ) {
    this.#search = search
    this.#attributes = attributes
    this.#memberships = memberships
    this.#signal = signal
  }

  /** The changes of lists that groups keep, and the others. */
  apart(changes: readonly AttributeChange[]): {
    readonly lists: readonly AttributeChange[]
    readonly others: readonly AttributeChange[]
  } {
    const isList = (change: AttributeChange) => this.#membership(change.attribute) !== undefined
    return { lists: changes.filter(isList), others: changes.filter((change) => !isList(change)) }
  }

  async change(name: string, changes: readonly AttributeChange[]): Promise<void> {
    for (const change of changes) {
      const membership = this.#membership(change.attribute)
      if (membership) await this.#change(membership, await this.#references(name, membership), change)
    }
  }

  /**
   * How the groups know an entry that is to be renamed, changed or deleted, if they are to follow it. Called with its name before;
   * what it returns, afterwards with its name then, or without one if the entry is gone.
   */
  async follower(name: string): Promise<(newName: string | undefined) => Promise<void>> {
    const { maintainMembership, maintainPosixMembership } = this.#search.settings
    const followed = this.#memberships.filter(({ refersTo }) =>
      refersTo === 'name' ? maintainMembership : maintainPosixMembership,
    )
    const before = new Map<Membership, readonly string[]>()
    for (const one of followed) before.set(one, await this.#references(name, one))
    return async (newName) => {
      for (const [membership, old] of before)
        await this.#follow(
          membership,
          old,
          newName === undefined ? [] : await this.#references(newName, membership),
        )
    }
  }

  async #follow(membership: Membership, before: readonly string[], after: readonly string[]): Promise<void> {
    const stays = new Set(after.map((one) => keyIn(membership, one)))
    for (const gone of before.filter((one) => !stays.has(keyIn(membership, one))))
      for (const group of await this.#groupsOf(membership, [gone]))
        await replaceMember(this.#search, membership, { group, gone, now: after[0] }, this.#signal)
  }

  async #change(
    membership: Membership,
    references: readonly string[],
    change: AttributeChange,
  ): Promise<void> {
    const [reference] = references
    if (reference === undefined)
      throw new ConnectorError(
        'invalidValue',
        `${membership.name} needs a value of ${membership.refersTo}, and the entry has none`,
        { attribute: membership.name },
      )
    const { add, remove } =
      change.kind === 'delta'
        ? { add: namesIn(change.add), remove: namesIn(change.remove) }
        : await this.#difference(membership, references, change.kind === 'set' ? namesIn(change.value) : [])
    for (const group of add)
      await writeMember(this.#search, membership, { group, operation: 'add', value: reference }, this.#signal)
    for (const group of remove)
      for (const value of references)
        await writeMember(this.#search, membership, { group, operation: 'delete', value }, this.#signal)
  }

  async #difference(membership: Membership, references: readonly string[], wanted: readonly string[]) {
    const present = await this.#groupsOf(membership, references)
    const [has, wants] = [new Set(present.map(key)), new Set(wanted.map(key))]
    return {
      add: wanted.filter((name) => !has.has(key(name))),
      remove: present.filter((name) => !wants.has(key(name))),
    }
  }

  async #groupsOf(membership: Membership, references: readonly string[]): Promise<readonly string[]> {
    return [...(await groupsOf(this.#search, membership, references, this.#signal)).values()].flat()
  }

  async #references(name: string, membership: Membership): Promise<readonly string[]> {
    if (membership.refersTo === 'name') return [name]
    const question = { attributes: [membership.refersTo] }
    const entry = await this.#search.connection.entry(name, question, this.#signal)
    return entry ? referencesTo(entry, membership) : []
  }

  #membership(attribute: string): Membership | undefined {
    return this.#attributes.byName.get(attribute.toLowerCase())?.membership
  }
}

/** Adding comes first: some groups must not be empty in between. */
async function replaceMember(
  search: GroupSearch,
  membership: Membership,
  { group, gone, now }: { readonly group: string; readonly gone: string; readonly now: string | undefined },
  signal: AbortSignal | undefined,
): Promise<void> {
  if (now !== undefined)
    await writeMember(search, membership, { group, operation: 'add', value: now }, signal)
  await writeMember(search, membership, { group, operation: 'delete', value: gone }, signal)
}

/** A member that is there already, or gone already, is no error; nor is a group that is gone where a member is taken out. */
async function writeMember(
  { connection, settings }: GroupSearch,
  { name, memberAttribute }: Membership,
  {
    group,
    operation,
    value,
  }: { readonly group: string; readonly operation: 'add' | 'delete'; readonly value: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  const change = memberChange(operation, memberAttribute, value)
  const write = (changes: Change[]) => connection.run((client) => client.modify(group, changes), signal)
  try {
    await write([change])
  } catch (error) {
    const code = resultCode(error)
    if (code === 20 || code === 16 || (code === 32 && operation === 'delete')) return
    if (code === 32)
      throw new ConnectorError('invalidValue', `${name} names "${group}", and there is no such group`, {
        cause: error,
        attribute: name,
      })
    if (code !== 65 || operation === 'add') throw error
    const { placeholderMember } = settings
    if (placeholderMember === undefined) throw leftEmpty(group, name, error)
    await write([memberChange('add', memberAttribute, placeholderMember), change])
  }
}

export function leftEmpty(group: string, attribute: string, cause: unknown): ConnectorError {
  return new ConnectorError(
    'schemaViolation',
    `"${group}" would be left without members, which its object class does not allow`,
    { cause, attribute, hint: 'Set placeholderMember to a name that stands in groups without members.' },
  )
}

function memberChange(operation: 'add' | 'delete', type: string, value: string): Change {
  return new Change({ operation, modification: attributeOf(type, [Buffer.from(value)]) })
}

function namesIn(value: Value): readonly string[] {
  return valuesOf(value).map((one) => textOf(one).toString())
}

function key(name: string): string {
  return keyOf(parseDn(name) ?? [])
}
