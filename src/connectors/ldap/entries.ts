import type { Entry } from 'ldapts'
import { Unreadable } from '../../model/unreadable.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject } from '../kit/query.ts'
import { setAttribute, type Value } from '../kit/values.ts'
import { type ClassAttributes, nameAttribute } from './attributes.ts'

/** Entries of a directory as objects. */
export interface Reading {
  readonly attributes: ClassAttributes
  readonly uidAttribute: string
  readonly fields: readonly string[] | undefined
  /** More values of an attribute that the server gives in ranges. */
  more(entryName: string, attribute: string): Promise<readonly (string | Buffer)[]>
}

/** What to ask a server for. */
export function requested({ uidAttribute, fields, attributes }: Omit<Reading, 'more'>): readonly string[] {
  if (!fields) return ['*', uidAttribute]
  const names = fields.filter((name) => name !== nameAttribute && !isSecret(name, attributes))
  return [...new Set([uidAttribute, ...names])]
}

/** The id of an entry as the connector writes it. */
export function idOf(entry: Entry, uidAttribute: string): string | undefined {
  const wanted = uidAttribute.toLowerCase()
  const found = Object.entries(entry).find(([name]) => name.toLowerCase() === wanted)
  const [value] = wanted === nameAttribute ? [entry.dn] : valuesIn(found?.[1])
  if (value === undefined) return undefined
  return typeof value === 'string' ? value : `<GUID=${value.toString('hex')}>`
}

/** Undefined: the server does not show the id. */
export async function objectOf(entry: Entry, reading: Reading): Promise<ConnectorEntry | undefined> {
  const { attributes, uidAttribute, fields } = reading
  const id = idOf(entry, uidAttribute)
  if (id === undefined) return undefined
  const wanted = fields && new Set(fields.map((name) => name.toLowerCase()))
  const object: ConnectorObject = { _id: id }
  for (const [description, given] of Object.entries(entry)) {
    const [name = '', ...options] = description.split(';')
    const attribute = attributes.byName.get(name.toLowerCase())
    if (
      !attribute ||
      attribute.secret ||
      (wanted ? !wanted.has(name.toLowerCase()) : attribute.returnedByDefault === false)
    )
      continue
    const range = options.find((option) => /^range=/i.test(option))
    // Values in a language, and others with options, are not those of the attribute.
    if (options.some((option) => option !== range && option.toLowerCase() !== 'binary')) continue
    const raw = [...valuesIn(given)]
    if (range !== undefined && !range.endsWith('-*')) raw.push(...(await reading.more(entry.dn, description)))
    const values = raw.map((one) => decoded(one, attribute.type === 'bytes'))
    if (!values.every((one) => one !== undefined)) return undecoded(id, attribute.name)
    const [first] = values
    if (first !== undefined) setAttribute(object, attribute.name, attribute.multivalued ? values : first)
  }
  return object
}

/** ldapts gives one value bare, and requested attributes without any as an empty list. */
export function valuesIn(given: Entry[string] | undefined): readonly (string | Buffer)[] {
  if (given === undefined) return []
  return Array.isArray(given) ? given : [given]
}

function decoded(value: string | Buffer, isBytes: boolean): Value | undefined {
  if (isBytes) return new Uint8Array(Buffer.from(value))
  // ldapts leaves only what is no UTF-8 as bytes.
  return typeof value === 'string' ? value : undefined
}

function undecoded(id: string, attribute: string): Unreadable {
  const message = `"${id}" cannot be read: ${attribute} is no text in UTF-8`
  return new Unreadable(id, new ConnectorError('unreadable', message, { attribute }))
}

function isSecret(name: string, { byName }: ClassAttributes): boolean {
  return byName.get(name.toLowerCase())?.secret === true
}
