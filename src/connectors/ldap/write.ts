import { type Attribute, Change, type Client } from 'ldapts'
import { requireReadable, type Unreadable } from '../../model/unreadable.ts'
import { ConnectorError } from '../kit/errors.ts'
import { type Attributes, Secret, type Value, valuesOf } from '../kit/values.ts'
import {
  type AttributeChange,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  settingOf,
} from '../kit/write.ts'
import { nameAttribute, nameSyntax } from './attributes.ts'
import type { Connection } from './connection.ts'
import { type ClassFacts, type Directory, type Facts, isName } from './directory.ts'
import { contains, type Dn, parseDn, printDn, printRdn, sameDn } from './dn.ts'
import { attributeNamed, attributeOf, encoded, textOf } from './encoding.ts'
import { idOf } from './entries.ts'
import { resultCode } from './errors.ts'
import { eachInFlight, type NewEntry, newEntryOf } from './in-flight.ts'
import { membershipsOf, type Placeholder } from './membership.ts'
import { GroupsOfEntry } from './membership-writing.ts'
import { modify, readState } from './modify.ts'
import { writtenPassword } from './passwords.ts'
import { PostRead } from './post-read.ts'
import { moreValues, namesOf } from './read.ts'
import type { Scope } from './settings.ts'
import { isSpelledAlike } from './spelling.ts'
import { addVirtual, realChanges, sameState, type VirtualValue, virtualValue } from './virtual-writes.ts'
import type { WriteContext } from './write-rules.ts'

/**
 * Writing. A new name is a modifyDN, before anything else of its update; other changes are one modify. Values of lists are added
 * and removed one by one where the caller says so, so that those of others stay.
 */
export async function writeObjects(
  directory: Directory,
  objectClass: string,
  writes: readonly ConnectorWrite[],
  signal?: AbortSignal,
): Promise<readonly ConnectorWriteOutcome[]> {
  return directory.use(async (connection, facts) => {
    requireWritable(connection.server)
    const kind = facts.class(objectClass)
    const page = new PageOfWrites(connection, directory, facts, kind, signal)
    await page.findNames(writes)
    const perform = (write: ConnectorWrite) => page.perform(write)
    return eachInFlight(writes, (write) => page.newEntry(write), perform, signal)
  }, signal)
}

/** The ports of the global catalog of Active Directory: parts of all domains, to be read only. */
function requireWritable(server: string): void {
  if (!/:326[89]$/.test(server)) return
  throw new ConnectorError(
    'unsupported',
    `${server} is a global catalog, which cannot be written to; give the system the port of the domain, 389 or 636`,
  )
}

class PageOfWrites {
  readonly #connection: Connection
  readonly #directory: Directory
  readonly #facts: Facts
  readonly #kind: ClassFacts
  readonly #signal: AbortSignal | undefined
  readonly #context: WriteContext
  readonly #groups: GroupsOfEntry
  /** The names of the entries of this page, by id. */
  #names = new Map<string, string | Unreadable>()

  constructor(
    connection: Connection,
    directory: Directory,
    facts: Facts,
    kind: ClassFacts,
    signal: AbortSignal | undefined,
  ) {
    this.#connection = connection
    this.#directory = directory
    this.#facts = facts
    this.#kind = kind
    this.#signal = signal
    const { isSecure, server } = connection
    const { attributes, objectClasses } = kind
    const { matchesValues } = facts
    const more = (entryName: string, description: string) =>
      moreValues(connection, { name: entryName, description, binary: [] }, signal)
    const search = { connection, settings: directory.settings, matchesValues, more }
    this.#groups = new GroupsOfEntry(
      search,
      kind.attributes,
      membershipsOf(facts.schema, directory.settings),
      signal,
    )
    this.#context = { settings: directory.settings, attributes, objectClasses, isSecure, server }
  }

  async findNames(writes: readonly ConnectorWrite[]): Promise<void> {
    const ids = writes.flatMap((write) => (write.operation === 'create' ? [] : [write.id]))
    this.#names = new Map(await this.#lookUp(ids))
  }

  /** A new entry that is in no groups yet; undefined for all other writes, and where it has no name. */
  newEntry(write: ConnectorWrite): NewEntry | undefined {
    if (write.operation !== 'create' || this.#groups.apart(settingOf(write.attributes)).lists.length > 0)
      return undefined
    return newEntryOf(write.attributes, (name) => this.#kind.names.attribute(name)?.syntax === nameSyntax)
  }

  /** The id after the write. */
  async perform(write: ConnectorWrite): Promise<string> {
    if (write.operation === 'create') return this.#create(write.attributes)
    return this.#withName(write.id, async (name) => {
      if (write.operation === 'delete') await this.#delete(write.id, name)
      else return this.#update(write.id, name, write.changes)
      return write.id
    })
  }

  /** Names may have changed since the page began: an entry that is not found under its name is looked up once more. */
  async #withName<T>(id: string, work: (name: string) => Promise<T>): Promise<T> {
    const known = this.#nameIn(this.#names, id)
    try {
      return await work(known)
    } catch (error) {
      if (resultCode(error) !== 32) throw error
      const name = this.#nameIn(await this.#lookUp([id]), id)
      if (name === known) throw error
      this.#names.set(id, name)
      return work(name)
    }
  }

  async #create(attributes: Attributes): Promise<string> {
    const dn = this.#newName(attributes[nameAttribute])
    const name = printDn(dn)
    const { lists } = this.#groups.apart(settingOf(attributes))
    const { all, later } = this.#newEntry(dn, attributes)
    const { uidAttribute, postRead } = this.#facts
    const answer = new PostRead([uidAttribute], this.#kind.attributes.binary)
    await this.#naming(name, (client) => client.add(name, [...all], postRead ? [answer] : []))
    const id = answer.entry && idOf(answer.entry, uidAttribute)
    if (later.length > 0) await this.#complete(name, later)
    await this.#groups.change(name, lists)
    return id ?? this.#idUnder(name)
  }

  /** What a new entry gets in a second request. If that is refused, there shall be no half of an entry. */
  async #complete(name: string, later: readonly VirtualValue[]): Promise<void> {
    try {
      await this.#modify(name, [], later)
    } catch (error) {
      await this.#connection.run((client) => client.del(name), this.#signal)
      throw error
    }
  }

  #newEntry(
    dn: Dn,
    asked: Attributes,
  ): { readonly all: readonly Attribute[]; readonly later: readonly VirtualValue[] } {
    const { writeRules } = this.#facts.profile
    const attributes = writeRules.creation(asked, dn, this.#context)
    const classes = attributeNamed(attributes, 'objectClass') ?? [...this.#kind.objectClasses]
    const all = [attributeOf('objectClass', valuesOf(classes).map(textOf))]
    const virtual: VirtualValue[] = []
    for (const [name, value] of Object.entries(attributes)) {
      if (name === nameAttribute || value === undefined || name.toLowerCase() === 'objectclass') continue
      const { virtual: attribute, membership } = this.#kind.names.attribute(name) ?? {}
      if (membership) continue
      if (attribute) virtual.push({ attribute, value })
      else all.push(this.#attribute(name, value))
    }
    const given = all.filter(({ values }) => values.length > 0)
    addNaming(given, dn)
    const { placeholder } = this.#kind
    if (placeholder && !given.some(({ type }) => isMember(placeholder, type)))
      given.push(this.#attribute(placeholder.memberAttribute, placeholder.name))
    const later = virtual.filter(({ attribute }) => attribute.needsEntry)
    const entry = addVirtual(
      given,
      virtual.filter((one) => !later.includes(one)),
    )
    writeRules.requireSound(entry, this.#context)
    return { all: entry, later }
  }

  /** The id after it: another one where names are the ids. */
  async #update(id: string, oldName: string, asked: readonly AttributeChange[]): Promise<string> {
    const { writeRules } = this.#facts.profile
    const changes = writeRules.update(asked, parseDn(oldName) ?? [], this.#context)
    const renaming = changes.find(({ attribute }) => attribute === nameAttribute)
    const { lists, others } = this.#groups.apart(changes.filter((change) => change !== renaming))
    const isNamed = changes.some(({ attribute }) => [nameAttribute, 'uid'].includes(attribute.toLowerCase()))
    const follow = isNamed ? await this.#groups.follower(oldName) : undefined
    const name = renaming ? await this.#rename(id, oldName, renaming) : oldName
    const virtual = others.flatMap((change) => virtualValue(change, this.#kind.attributes))
    const real = others.filter(({ attribute }) => !this.#kind.names.attribute(attribute)?.virtual)
    if (others.length > 0)
      await this.#modify(
        name,
        real.flatMap((change) => this.#change(change)),
        virtual,
      )
    await follow?.(name)
    await this.#groups.change(name, lists)
    if (!isName(this.#facts.uidAttribute) || name === oldName) return id
    this.#names.delete(id)
    this.#names.set(name, name)
    return name
  }

  /** An attribute of bits that another program changes at the same time is looked at again. */
  async #modify(name: string, real: readonly Change[], virtual: readonly VirtualValue[]): Promise<void> {
    const target = { connection: this.#connection, facts: this.#facts, kind: this.#kind, name }
    let state = await readState(target, virtual, this.#signal)
    let wanted = real
    for (;;) {
      const changes = [...wanted, ...realChanges(virtual, state)]
      try {
        if (changes.length > 0) await modify(target, changes, this.#signal)
        return
      } catch (error) {
        const filled = resultCode(error) === 65 ? this.#withPlaceholder(wanted) : undefined
        if (filled) {
          wanted = filled
          continue
        }
        if (![16, 19, 20].includes(resultCode(error) ?? 0)) throw error
        const now = await readState(target, virtual, this.#signal)
        if (sameState(now, state)) throw error
        state = now
      }
    }
  }

  async #rename(id: string, oldName: string, change: AttributeChange): Promise<string> {
    const dn = this.#newName(change.kind === 'set' ? change.value : undefined)
    const old = parseDn(oldName) ?? []
    // Of the same name the server takes another spelling of its own part only.
    const isSame = sameDn(dn, old)
    if (isSame && isSpelledAlike(dn[0], old[0])) return oldName
    const [rdn = []] = dn
    const isMove = !sameDn(dn.slice(1), old.slice(1))
    const name = printDn(isSame ? [rdn, ...old.slice(1)] : dn)
    await this.#naming(name, (client) => client.modifyDN(oldName, isMove ? name : printRdn(rdn)))
    this.#names.set(id, name)
    return name
  }

  /** Gives an entry a name. Servers take different texts for one name; then the error shows both. */
  async #naming(name: string, work: (client: Client) => Promise<void>): Promise<void> {
    try {
      await this.#connection.run(work, this.#signal)
    } catch (error) {
      if (resultCode(error) !== 68) throw error
      const entry = await this.#connection.entry(name, { attributes: ['1.1'] }, this.#signal)
      if (!entry || entry.dn === name || !(error instanceof Error)) throw error
      throw new ConnectorError(
        'alreadyExists',
        `${error.message}; under this name the server has "${entry.dn}"`,
        {
          cause: error,
          attribute: nameAttribute,
        },
      )
    }
  }

  async #delete(id: string, name: string): Promise<void> {
    const follow = await this.#groups.follower(name)
    await this.#connection.run((client) => client.del(name), this.#signal)
    this.#names.delete(id)
    await follow(undefined)
  }

  #change(change: AttributeChange): readonly Change[] {
    const { attribute: name } = change
    switch (change.kind) {
      case 'set':
        return [new Change({ operation: 'replace', modification: this.#members(name, change.value) })]
      case 'clear':
        return [new Change({ operation: 'replace', modification: this.#members(name, []) })]
      case 'delta':
        return (['delete', 'add'] as const).flatMap((operation) => {
          const modification = this.#attribute(name, operation === 'add' ? change.add : change.remove)
          return modification.values.length === 0 ? [] : [new Change({ operation, modification })]
        })
    }
  }

  /** The changes for a group that must not be empty, and would be; undefined where they have been tried, or do not help. */
  #withPlaceholder(changes: readonly Change[]): readonly Change[] | undefined {
    const { placeholder } = this.#kind
    const members = changes.filter(
      ({ modification }) => placeholder && isMember(placeholder, modification.type),
    )
    if (!placeholder || !members.some(({ operation }) => operation === 'delete')) return undefined
    const { memberAttribute, name } = placeholder
    const isTried = members.some(({ modification }) =>
      modification.values.some((value) => value.toString() === name),
    )
    if (isTried) return undefined
    const modification = this.#attribute(memberAttribute, name)
    return [new Change({ operation: 'add', modification }), ...changes]
  }

  /** The attribute with all its values; a group that would have no member gets the one that stands for none. */
  #members(name: string, value: Value): Attribute {
    const attribute = this.#attribute(name, value)
    const { placeholder } = this.#kind
    const isEmpty = placeholder && attribute.values.length === 0 && isMember(placeholder, name)
    return isEmpty ? this.#attribute(name, placeholder.name) : attribute
  }

  #attribute(name: string, value: Value): Attribute {
    const { settings } = this.#directory
    const password = value instanceof Secret ? value : undefined
    if (password && name.toLowerCase() === settings.passwordAttribute.toLowerCase())
      return attributeOf(name, [Buffer.from(writtenPassword(password, settings.passwordHash))])
    return attributeOf(name, encoded(name, value, this.#kind.names.attribute(name)))
  }

  /** The name that a write gives; it must lie where the entry will be found again. */
  #newName(value: Value | undefined): Dn {
    const text = value instanceof Secret || value === undefined ? '' : String(value)
    const dn = parseDn(text)
    if (dn === undefined || dn.length === 0)
      throw new ConnectorError('invalidValue', `"${text}" is no name of an entry (DN)`, {
        attribute: nameAttribute,
      })
    const { givenBases } = this.#directory.settings
    const { scope } = this.#kind
    if (givenBases.some((base) => isFound(scope, base.dn, dn))) return dn
    const where = givenBases.map((base) => base.text).join('; ')
    const wanted = scope === 'one' ? 'directly below' : scope === 'sub' ? 'below' : 'at'
    throw new ConnectorError(
      'invalidValue',
      `"${text}" does not lie ${wanted} a base context (${where}); it would not be found again`,
      {
        attribute: nameAttribute,
      },
    )
  }

  async #idUnder(name: string): Promise<string> {
    const { uidAttribute } = this.#facts
    const { binary } = this.#kind.attributes
    const entry = await this.#connection.entry(name, { attributes: [uidAttribute], binary }, this.#signal)
    const id = entry && idOf(entry, uidAttribute)
    if (id !== undefined) return id
    throw new ConnectorError(
      'failed',
      `${this.#facts.server} created "${name}" and does not show its ${uidAttribute}`,
    )
  }

  async #lookUp(ids: readonly string[]): Promise<ReadonlyMap<string, string | Unreadable>> {
    const target = { facts: this.#facts, kind: this.#kind }
    return namesOf(this.#connection, this.#directory, target, [...new Set(ids)], this.#signal)
  }

  /** An entry of which the server does not say whether it is there is not taken for gone. */
  #nameIn(names: ReadonlyMap<string, string | Unreadable>, id: string): string {
    const name = names.get(id)
    if (name !== undefined) return requireReadable(name)
    throw new ConnectorError('unknownId', `${this.#facts.server} has no entry "${id}"`)
  }
}

function isFound(scope: Scope, base: Dn, entry: Dn): boolean {
  if (!contains(base, entry)) return false
  const depth = entry.length - base.length
  return scope === 'sub' || depth === (scope === 'one' ? 1 : 0)
}

function isMember({ memberAttribute }: Placeholder, attribute: string): boolean {
  return memberAttribute.toLowerCase() === attribute.toLowerCase()
}

/** What is in the first part of a name must be in the entry. */
function addNaming(attributes: Attribute[], [rdn = []]: Dn): void {
  for (const { type, value } of rdn) {
    const present = attributes.find((one) => one.type.toLowerCase() === type.toLowerCase())
    if (!present) attributes.push(attributeOf(type, [Buffer.from(value)]))
    else if (!present.values.some((one) => Buffer.from(one).toString().toLowerCase() === value.toLowerCase()))
      present.values = [...present.values.map((one) => Buffer.from(one)), Buffer.from(value)]
  }
}
