import { Attribute, Change, Control } from 'ldapts'
import { requireReadable, type Unreadable } from '../../model/unreadable.ts'
import { ConnectorError } from '../kit/errors.ts'
import { type Attributes, isValueList, Secret, type Value, valuesOf } from '../kit/values.ts'
import {
  type AttributeChange,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  eachWrite,
} from '../kit/write.ts'
import { booleanSyntax, type LdapAttribute, nameAttribute } from './attributes.ts'
import type { Connection } from './connection.ts'
import { type ClassFacts, type Directory, type Facts, permissiveModify } from './directory.ts'
import { contains, type Dn, parseDn, printDn, printRdn, type Rdn, sameDn } from './dn.ts'
import { idOf, valuesIn } from './entries.ts'
import { resultCode } from './errors.ts'
import { membersRenamed } from './groups.ts'
import { writtenPassword } from './passwords.ts'
import { PostRead } from './post-read.ts'
import { namesOf } from './read.ts'

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
    const kind = facts.class(objectClass)
    const page = new PageOfWrites(connection, directory, facts, kind, signal)
    await page.findNames(writes)
    return eachWrite(writes, (write) => page.perform(write), signal)
  }, signal)
}

class PageOfWrites {
  readonly #connection: Connection
  readonly #directory: Directory
  readonly #facts: Facts
  readonly #kind: ClassFacts
  readonly #signal: AbortSignal | undefined
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
  }

  async findNames(writes: readonly ConnectorWrite[]): Promise<void> {
    const ids = writes.flatMap((write) => (write.operation === 'create' ? [] : [write.id]))
    this.#names = new Map(await this.#lookUp(ids))
  }

  /** The id after the write. */
  async perform(write: ConnectorWrite): Promise<string> {
    if (write.operation === 'create') return this.#create(write.attributes)
    return this.#withName(write.id, async (name) => {
      if (write.operation === 'delete') await this.#delete(write.id, name)
      else await this.#update(write.id, name, write.changes)
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
    const classes = attributeNamed(attributes, 'objectClass') ?? [...this.#kind.objectClasses]
    const given = Object.entries({ ...attributes, objectClass: classes }).flatMap(([name, value]) =>
      name === nameAttribute || value === undefined || name.toLowerCase() === 'objectclass'
        ? []
        : [this.#attribute(name, value)],
    )
    const all = [attributeOf('objectClass', valuesOf(classes).map(textOf)), ...given].filter(
      ({ values }) => values.length > 0,
    )
    addNaming(all, dn)
    const name = printDn(dn)
    const { uidAttribute, postRead } = this.#facts
    const answer = new PostRead([uidAttribute], this.#kind.attributes.binary)
    await this.#connection.run((client) => client.add(name, all, postRead ? [answer] : []), this.#signal)
    const id = answer.entry && idOf(answer.entry, uidAttribute)
    return id ?? this.#idUnder(name)
  }

  async #update(id: string, oldName: string, changes: readonly AttributeChange[]): Promise<void> {
    const renaming = changes.find(({ attribute }) => attribute === nameAttribute)
    const name = renaming ? await this.#rename(id, oldName, renaming) : oldName
    const others = changes.filter((change) => change !== renaming).flatMap((change) => this.#change(change))
    if (others.length > 0) await this.#modify(name, others)
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
    await this.#connection.run(
      (client) => client.modifyDN(oldName, isMove ? name : printRdn(rdn)),
      this.#signal,
    )
    this.#names.set(id, name)
    await this.#followMember(oldName, name)
    return name
  }

  async #delete(id: string, name: string): Promise<void> {
    await this.#connection.run((client) => client.del(name), this.#signal)
    this.#names.delete(id)
    await this.#followMember(name, undefined)
  }

  async #followMember(oldName: string, newName: string | undefined): Promise<void> {
    const { settings } = this.#directory
    if (settings.maintainMembership)
      await membersRenamed(this.#connection, this.#facts, settings, { oldName, newName }, this.#signal)
  }

  async #modify(name: string, changes: readonly Change[]): Promise<void> {
    // The server then takes an added value that is there, and a removed one that is not, as done.
    const controls = this.#facts.permissiveModify ? [new Control(permissiveModify, { critical: true })] : []
    try {
      await this.#connection.run((client) => client.modify(name, [...changes], controls), this.#signal)
    } catch (error) {
      const code = resultCode(error)
      if ((code !== 16 && code !== 20) || controls.length > 0) throw error
      const open = await this.#stillOpen(name, changes)
      if (open.length > 0)
        await this.#connection.run((client) => client.modify(name, [...open]), this.#signal)
    }
  }

  /** Without values to add that are there, and values to remove that are not. */
  async #stillOpen(name: string, changes: readonly Change[]): Promise<readonly Change[]> {
    const attributes = changes.map(({ modification }) => modification.type)
    const entry = await this.#connection.entry(name, { attributes }, this.#signal)
    return changes.flatMap((change) => {
      const { operation, modification } = change
      if (operation === 'replace') return [change]
      const folds = this.#kind.names.attribute(modification.type)?.comparison === 'ignoreCase'
      const key = (value: string | Buffer) =>
        folds ? value.toString().toLowerCase() : value.toString('latin1')
      const present = new Set(valuesIn(entry?.[modification.type]).map((value) => key(Buffer.from(value))))
      const open = modification.values.filter(
        (value) => present.has(key(Buffer.from(value))) === (operation === 'delete'),
      )
      return open.length === 0
        ? []
        : [
            new Change({
              operation,
              modification: attributeOf(
                modification.type,
                open.map((one) => Buffer.from(one)),
              ),
            }),
          ]
    })
  }

  #change(change: AttributeChange): readonly Change[] {
    const { attribute: name } = change
    switch (change.kind) {
      case 'set':
        return [new Change({ operation: 'replace', modification: this.#attribute(name, change.value) })]
      case 'clear':
        return [new Change({ operation: 'replace', modification: this.#attribute(name, []) })]
      case 'delta':
        return (['delete', 'add'] as const).flatMap((operation) => {
          const modification = this.#attribute(name, operation === 'add' ? change.add : change.remove)
          return modification.values.length === 0 ? [] : [new Change({ operation, modification })]
        })
    }
  }

  #attribute(name: string, value: Value): Attribute {
    const definition = this.#kind.names.attribute(name)
    const password = value instanceof Secret ? value : undefined
    const { profile } = this.#facts
    // Under the name of the standard, Active Directory keeps a password as text that can be read.
    if (password && !profile.takesPasswords)
      throw new ConnectorError('unsupported', `Passwords cannot be written to ${profile.name} yet`, {
        attribute: name,
      })
    if (password && name.toLowerCase() === this.#directory.settings.passwordAttribute.toLowerCase())
      return attributeOf(name, [
        Buffer.from(writtenPassword(password, this.#directory.settings.passwordHash)),
      ])
    return attributeOf(name, encoded(name, value, definition))
  }

  /** The name that a write gives; it must lie where the entry will be found again. */
  #newName(value: Value | undefined): Dn {
    const text = value instanceof Secret || value === undefined ? '' : String(value)
    const dn = parseDn(text)
    if (dn === undefined || dn.length === 0)
      throw new ConnectorError('invalidValue', `"${text}" is no name of an entry (DN)`, {
        attribute: nameAttribute,
      })
    const { bases } = this.#directory.settings
    if (bases.some((base) => contains(base.dn, dn))) return dn
    const where = bases.map((base) => base.text).join('; ')
    throw new ConnectorError(
      'invalidValue',
      `"${text}" does not lie below a base context (${where}); it would not be found again`,
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

function isSpelledAlike(one: Rdn = [], other: Rdn = []): boolean {
  const textOf = (rdn: Rdn) => rdn.map(({ type, value }) => `${type.toLowerCase()}=${value}`).toSorted()
  return textOf(one).join('+') === textOf(other).join('+')
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

/** Values as they are sent: no empty text, no value twice. */
function encoded(name: string, value: Value, definition: LdapAttribute | undefined): readonly Buffer[] {
  const isBoolean = definition?.syntax === booleanSyntax
  return distinct(value, definition).map((one) => {
    if (one instanceof Uint8Array) return Buffer.from(one)
    const text = textValue(one)
    if (text === undefined)
      throw new ConnectorError('invalidValue', `${name} cannot hold an object`, { attribute: name })
    return Buffer.from(isBoolean ? text.toUpperCase() : text)
  })
}

/** The values that an attribute will have: servers know neither empty texts nor the same value twice. */
export function distinct(value: Value, definition: LdapAttribute | undefined): readonly Value[] {
  const folds = definition?.comparison === 'ignoreCase'
  const kept = new Map<string, Value>()
  for (const one of valuesOf(value)) {
    const text = one instanceof Uint8Array ? `bytes ${Buffer.from(one).toString('base64')}` : textValue(one)
    if (text === '') continue
    const key = text ?? JSON.stringify(one)
    kept.set(folds ? key.toLowerCase() : key, kept.get(folds ? key.toLowerCase() : key) ?? one)
  }
  return [...kept.values()]
}

/** Undefined for what is no single value. */
export function textValue(value: Value): string | undefined {
  if (value instanceof Secret) return value.reveal()
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : undefined
}

function textOf(value: Value): Buffer {
  return Buffer.from(textValue(value) ?? '')
}

function attributeOf(type: string, values: readonly Buffer[]): Attribute {
  return new Attribute({ type, values: [...values] })
}

function attributeNamed(attributes: Attributes, name: string): Value | undefined {
  const found = Object.entries(attributes).find(([one]) => one.toLowerCase() === name.toLowerCase())
  return isValueList(found?.[1]) && found[1].length === 0 ? undefined : found?.[1]
}
