import { type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { isSealed, namesSecret } from '../../model/secrecy.ts'
import { Unreadable } from '../../model/unreadable.ts'
import type { Entry, Resource } from '../../router/resources.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry } from '../kit/query.ts'
import { type Attributes, attribute, isValueList, Secret, setAttribute, type Value } from '../kit/values.ts'
import type { AttributeChange } from '../kit/write.ts'
import type { ObjectType, Property } from './object-type.ts'
import { coerced, type ValueType } from './value-type.ts'

/**
 * Objects between the names and types of the configuration and those of the connector (platform §4.4). Only here, values that
 * are not JSON become JSON, and secrets plaintext.
 */

/**
 * Makes resources of connector objects; `fields` are property names, absent: those returned by default. An object with a value
 * that cannot be converted is unreadable as a whole: without the value it would look as if the system had none.
 */
export function reader(
  type: ObjectType,
  fields: readonly string[] | undefined,
): (object: ConnectorEntry) => Entry {
  const properties = readableProperties(type, fields)
  return (object) => {
    if (object instanceof Unreadable) return object
    const resource: Resource = { _id: object._id }
    if (typeof object._rev === 'string') resource._rev = object._rev
    for (const property of properties) {
      const value = attribute(object, property.attribute)
      if (value === undefined || value === null) {
        if (property.multivalued && type.givesEmptyLists) setMember(resource, property.name, [])
        continue
      }
      const converted = fromNative(value, property)
      if (converted === undefined) return unconverted(object._id, property, value)
      setMember(resource, property.name, converted)
    }
    return resource
  }
}

export function readableProperties(
  type: ObjectType,
  fields: readonly string[] | undefined,
): readonly Property[] {
  const wanted = fields && new Set(fields)
  return [...type.properties.values()].filter(
    ({ name, readable, returnedByDefault }) => readable && (wanted ? wanted.has(name) : returnedByDefault),
  )
}

/** What to send on create: declared and creatable attributes that have a value. */
export function creation(type: ObjectType, content: JsonObject, id: string | undefined): Attributes {
  requireDeclared(type, content)
  const attributes: Attributes = {}
  for (const [name, property] of type.properties) {
    const value = member(content, name)
    const native = value === undefined || isEmpty(value) ? undefined : toNative(value, property)
    if (native === undefined || native === null) {
      if (property.required && !(property.isName && id !== undefined)) {
        throw new Problem('INVALID_VALUE', `${property.name} is required and has no value`)
      }
    } else if (property.creatable && property.attribute !== '_id')
      setAttribute(attributes, property.attribute, native)
  }
  return attributes
}

/** What to send on update: declared and updateable attributes that are present; null clears. */
export function update(type: ObjectType, content: JsonObject): readonly AttributeChange[] {
  requireDeclared(type, content)
  return Object.entries(content).flatMap(([key, value]): AttributeChange[] => {
    const property = type.properties.get(key)
    if (!property || value === undefined) return []
    const { attribute: name, updateable, isSecret } = property
    if (!updateable || name === '_id') return []
    const native = value === null ? null : toNative(value, property)
    if (native !== null) return [{ attribute: name, kind: 'set', value: native }]
    return isSecret ? [] : [{ attribute: name, kind: 'clear' }]
  })
}

/** Values of one property to add or remove. */
export function toNativeList(values: readonly Json[], property: Property): readonly Value[] {
  return values.map((value) => toNativeOne(value, property))
}

/** The members of a body are properties; others may only begin with an underscore. */
function requireDeclared({ properties }: ObjectType, content: JsonObject): void {
  for (const name of Object.keys(content))
    if (!properties.has(name) && !name.startsWith('_'))
      throw new Problem('INVALID_VALUE', `Target does not support attribute ${name}`)
}

export function isEmpty(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

export function toNative(value: Json, property: Property): Value {
  if (!property.multivalued && !Array.isArray(value)) return toNativeOne(value, property)
  const values = toNativeList(Array.isArray(value) ? value : [value], property)
  if (property.multivalued) return values
  if (values.length > 1)
    throw new Problem('INVALID_VALUE', `${property.name} has one value, not ${values.length}`)
  return values[0] ?? null
}

function toNativeOne(value: Json, property: Property): Value {
  // Encrypted values are already decrypted; a hash has no plaintext to send.
  if (isSealed(value))
    throw new Problem('INVALID_VALUE', `${property.name} is hashed; a hash cannot be sent to a system`)
  const cast = value === null ? undefined : coerced(value, property.nativeType)
  if (cast === undefined) throw new Problem('INVALID_VALUE', misfit(value, property.nativeType, property))
  if (typeof cast !== 'string') return cast
  if (property.isGuarded) return new Secret(cast)
  return property.nativeType === 'bytes' ? bytesOf(cast, property) : cast
}

function bytesOf(text: string, { name }: Property): Uint8Array {
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return new Uint8Array(Buffer.from(text, 'base64'))
  throw new Problem('INVALID_VALUE', `${name}: the value given is not Base64`)
}

/** Undefined where a value is not of the declared type, or has a list where one value is declared. */
export function fromNative(native: Value, { type, multivalued }: Property): Json | undefined {
  const value = jsonOf(native)
  if (!Array.isArray(value)) {
    const converted = value === null ? undefined : coerced(value, type)
    return multivalued && converted !== undefined ? [converted] : converted
  }
  const values = value.map((one) => (one === null ? undefined : coerced(one, type)))
  if (!values.every((one) => one !== undefined)) return undefined
  if (multivalued) return values
  return values.length <= 1 ? (values[0] ?? null) : undefined
}

function unconverted(id: string, property: Property, native: Value): Unreadable {
  const value = jsonOf(native)
  const { name, type, multivalued, attribute } = property
  const fact =
    Array.isArray(value) && value.length > 1 && !multivalued
      ? `${name} is declared for one value and has ${value.length}`
      : misfit(value, type, property)
  const detail = { property: name, nativeAttribute: attribute }
  return new Unreadable(id, new ConnectorError('unreadable', `"${id}" cannot be read: ${fact}`, { detail }))
}

function misfit(value: Json, type: ValueType, { name, attribute, isGuarded }: Property): string {
  const isSecret = isGuarded || namesSecret(name) || namesSecret(attribute)
  const found = isSecret ? 'the value given' : JSON.stringify(value)
  return `${name}: ${found} is not of the type ${type}`
}

/** Bytes become Base64. A secret that the configuration declares as a readable property is read as text. */
export function jsonOf(value: Value): Json {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Secret) return value.reveal()
  if (isValueList(value)) return value.map(jsonOf)
  const result: JsonObject = {}
  for (const [name, one] of Object.entries(value)) if (one !== undefined) setMember(result, name, jsonOf(one))
  return result
}
