import type { Entry } from 'ldapts'
import { Unreadable } from '../../model/unreadable.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject } from '../kit/query.ts'
import { setAttribute, type Value } from '../kit/values.ts'
import {
  attributeNamed,
  type ClassAttributes,
  descriptionOf,
  isInEntries,
  type LdapAttribute,
  nameAttribute,
} from './attributes.ts'
import { keyOf, parseDn } from './dn.ts'
import type { Membership, Placeholder } from './membership.ts'
import { type State, stateOf, type VirtualAttribute } from './virtual.ts'

/** Entries of a directory as objects. */
export interface Reading {
  readonly attributes: ClassAttributes
  readonly uidAttribute: string
  readonly fields: readonly string[] | undefined
  /** Those that are made of others, and are wanted. */
  readonly virtual: readonly VirtualAttribute[]
  /** Lists that are kept by groups, and are wanted. */
  readonly memberships: readonly Membership[]
  /** Wanted of groups. */
  readonly memberIds: MemberIds | undefined
  readonly placeholder: Placeholder | undefined
  /** By description; null: for nothing. */
  readonly uses: Map<string, Use | null>
  /** More values of an attribute that the server gives in ranges. */
  more(entryName: string, attribute: string): Promise<readonly (string | Buffer)[]>
  /** Names of groups, by member. */
  groups(
    membership: Membership,
    references: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>>
}

/** The ids of the members of groups (`_memberId`), who are known there by the names of their entries. */
export interface MemberIds {
  /** The attribute with the names. */
  readonly list: string
  /** The names are wanted as well. */
  readonly keepsList: boolean
  /** Ids by the keys of names. Entries that are gone, or that the account may not see, have none. */
  idsOf(names: readonly string[]): Promise<ReadonlyMap<string, string>>
}

export interface Use {
  readonly attribute: LdapAttribute
  /** Under which names the object has it: as they were asked for. */
  readonly names: readonly string[]
  /** More values follow. */
  readonly isRange: boolean
  /** Is this value one that nobody is to see? */
  readonly hides: ((value: string | Buffer) => boolean) | undefined
}

/** What to ask a server for. */
export function requested({
  uidAttribute,
  fields,
  virtual,
  memberships,
  attributes,
}: Reading): readonly string[] {
  const members = memberships.flatMap(({ refersTo }) => (refersTo === 'name' ? [] : [refersTo]))
  const parts = [...virtual.flatMap(({ from }) => from), ...members]
  if (!fields) return [...new Set(['*', uidAttribute, ...parts])]
  const names = fields.filter((name) => name !== nameAttribute && isAsked(name, attributes))
  return [...new Set([uidAttribute, ...names, ...parts])]
}

/** Of those that a reading asks for; without a list those returned by default. */
export function virtualOf(
  fields: readonly string[] | undefined,
  { byName }: ClassAttributes,
): readonly VirtualAttribute[] {
  const found = fields ? fields.map((name) => byName.get(name.toLowerCase())) : [...byName.values()]
  return found.flatMap((one) => (one?.virtual && (fields || one.returnedByDefault) ? [one.virtual] : []))
}

/** The id of an entry as the connector writes it. */
export function idOf(entry: Entry, uidAttribute: string): string | undefined {
  const [value] = valuesIn(entry[uidAttribute] ?? spelledOtherwise(entry, uidAttribute))
  if (value === undefined) return undefined
  return typeof value === 'string' ? value : `<GUID=${value.toString('hex')}>`
}

/** Servers may spell names of attributes as they like. */
function spelledOtherwise(entry: Entry, attribute: string): Entry[string] | undefined {
  const wanted = attribute.toLowerCase()
  return Object.entries(entry).find(([name]) => name.toLowerCase() === wanted)?.[1]
}

/** Undefined: the server does not show the id. */
export async function objectOf(entry: Entry, reading: Reading): Promise<ConnectorEntry | undefined> {
  const id = idOf(entry, reading.uidAttribute)
  if (id === undefined) return undefined
  const object: ConnectorObject = { _id: id }
  for (const description of Object.keys(entry)) {
    const use = useOf(description, reading)
    const given = entry[description]
    if (!use || given === undefined) continue
    const { attribute, names, isRange, hides } = use
    const rest = isRange ? await reading.more(entry.dn, description) : []
    const all = rest.length > 0 ? [...valuesIn(given), ...rest] : valuesIn(given)
    const values = decoded(hides ? all.filter((value) => !hides(value)) : all, attribute)
    if (!values) return undecoded(id, attribute.name)
    const [first] = values
    if (first === undefined) continue
    for (const name of names) setAttribute(object, name, attribute.multivalued ? values : first)
  }
  if (reading.virtual.length > 0) setVirtual(object, stateOf(entry), reading.virtual)
  return object
}

/** What the values under a description, such as `cn;lang-de`, are used for; found out once for all entries. */
function useOf(description: string, reading: Reading): Use | undefined {
  const known = reading.uses.get(description)
  if (known !== undefined) return known ?? undefined
  const found = findUse(description, reading)
  reading.uses.set(description, found ?? null)
  return found
}

function findUse(description: string, { attributes, fields, placeholder }: Reading): Use | undefined {
  const { type, options } = descriptionOf(description)
  const range = options.find((option) => option.startsWith('range='))
  const name = [type, ...options.filter((option) => option !== range)].join(';')
  // Values in a language, and others with options, are not those of the attribute.
  const asked = fields?.filter((field) => sameDescription(field, name))
  const attribute = attributeNamed(attributes, asked?.[0] ?? name)
  if (!attribute || attribute.secret) return undefined
  const names = asked ?? (attribute.returnedByDefault === false ? [] : [attribute.name])
  if (names.length === 0) return undefined
  const hides = placeholder?.memberAttribute.toLowerCase() === name ? isPlaceholder(placeholder) : undefined
  return { attribute, names, isRange: range !== undefined && !range.endsWith('-*'), hides }
}

function sameDescription(one: string, other: string): boolean {
  const [first, second] = [descriptionOf(one), descriptionOf(other)]
  return first.type === second.type && first.options.join(';') === second.options.join(';')
}

function isPlaceholder({ name }: Placeholder): (value: string | Buffer) => boolean {
  const hidden = keyOf(parseDn(name) ?? [])
  return (value) => keyOf(parseDn(value.toString()) ?? []) === hidden
}

/** Of those that a reading asks for: none of them comes by itself. */
export function membershipsIn(
  fields: readonly string[] | undefined,
  { byName }: ClassAttributes,
): readonly Membership[] {
  return (fields ?? []).flatMap((name) => byName.get(name.toLowerCase())?.membership ?? [])
}

/** ldapts gives one value bare, and requested attributes without any as an empty list. */
export function valuesIn(given: Entry[string] | undefined): readonly (string | Buffer)[] {
  if (given === undefined) return []
  return Array.isArray(given) ? given : [given]
}

/** Undefined: a text that is no UTF-8, which comes as bytes. */
function decoded(
  values: readonly (string | Buffer)[],
  { type }: LdapAttribute,
): readonly Value[] | undefined {
  if (type === 'bytes') return values.map((value) => new Uint8Array(Buffer.from(value)))
  const texts = values.filter((value) => typeof value === 'string')
  return texts.length === values.length ? texts : undefined
}

function undecoded(id: string, attribute: string): Unreadable {
  const message = `"${id}" cannot be read: ${attribute} is no text in UTF-8`
  return new Unreadable(id, new ConnectorError('unreadable', message, { attribute }))
}

function isAsked(name: string, attributes: ClassAttributes): boolean {
  const attribute = attributeNamed(attributes, name)
  return !attribute || (!attribute.secret && isInEntries(attribute))
}

function setVirtual(object: ConnectorObject, state: State, virtual: readonly VirtualAttribute[]): void {
  for (const attribute of virtual) {
    const value = attribute.read(state)
    if (value !== undefined) setAttribute(object, attribute.name, value)
  }
}
