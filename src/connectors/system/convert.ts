import { isJsonObject, type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Resource } from '../../router/resources.ts'
import type { ConnectorObject } from '../kit/connector.ts'
import type { ObjectType, Property } from './object-type.ts'
import { coerced, type ValueType } from './value-type.ts'

/** Objects between the names and types of the configuration and those of the connector (platform §4.4). */

/** Makes resources of connector objects; `fields` are property names, absent: those returned by default. */
export function reader(
  type: ObjectType,
  fields: readonly string[] | undefined,
): (object: ConnectorObject) => Resource {
  const properties = readableProperties(type, fields)
  return (object) => {
    const resource: Resource = { _id: object._id }
    if (typeof object._rev === 'string') resource._rev = object._rev
    for (const property of properties) {
      const value = member(object, property.attribute)
      if (value === undefined || value === null) continue
      setMember(resource, property.name, fromNative(value, property, object._id))
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
export function creation(type: ObjectType, content: JsonObject, id: string | undefined): JsonObject {
  const given = declared(type, content)
  const attributes: JsonObject = {}
  for (const property of type.properties.values()) {
    const value = given.get(property)
    const native = value === undefined || isEmpty(value) ? undefined : toNative(value, property)
    if (native === undefined || native === null) {
      if (property.required && !(property.isName && id !== undefined)) {
        throw new Problem('INVALID_VALUE', `${property.name} is required and has no value`)
      }
    } else if (property.creatable && property.attribute !== '_id')
      setMember(attributes, property.attribute, native)
  }
  return attributes
}

/** What to send on update: declared and updateable attributes that are present; null clears. */
export function update(type: ObjectType, content: JsonObject): JsonObject {
  const attributes: JsonObject = {}
  for (const [property, value] of declared(type, content)) {
    if (!property.updateable || property.attribute === '_id') continue
    const native = value === null ? null : toNative(value, property)
    if (native !== null || !property.isSecret) setMember(attributes, property.attribute, native)
  }
  return attributes
}

/** The members of a body that are properties; others may only begin with an underscore. */
function declared(type: ObjectType, content: JsonObject): ReadonlyMap<Property, Json> {
  const result = new Map<Property, Json>()
  for (const [name, value] of Object.entries(content)) {
    const property = type.properties.get(name)
    if (property && value !== undefined) result.set(property, value)
    else if (!property && !name.startsWith('_')) {
      throw new Problem('INVALID_VALUE', `Target does not support attribute ${name}`)
    }
  }
  return result
}

function isEmpty(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function toNative(value: Json, property: Property): Json {
  refuseHash(value, property)
  const values = Array.isArray(value) ? value : [value]
  const cast = values.map((one) => castOne(one, property.nativeType, property, undefined))
  if (property.multivalued) return cast
  if (cast.length > 1)
    throw new Problem('INVALID_VALUE', `${property.name} has one value, not ${cast.length}`)
  return cast[0] ?? null
}

function fromNative(value: Json, property: Property, id: string): Json {
  if (!Array.isArray(value)) {
    const cast = castOne(value, property.type, property, id)
    return property.multivalued ? [cast] : cast
  }
  const cast = value.map((one) => castOne(one, property.type, property, id))
  if (property.multivalued) return cast
  if (cast.length > 1) {
    throw new Problem(
      'INVALID_VALUE',
      `${property.name} of "${id}" is declared for one value and has ${cast.length}`,
    )
  }
  return cast[0] ?? null
}

function castOne(value: Json, type: ValueType, property: Property, id: string | undefined): Json {
  const result = value === null ? undefined : coerced(value, type)
  if (result !== undefined) return result
  const found = property.isSecret ? 'the value given' : JSON.stringify(value)
  const where = id === undefined ? property.name : `${property.name} of "${id}"`
  throw new Problem('INVALID_VALUE', `${where}: ${found} is not of the type ${type}`)
}

/** Encrypted values have been decrypted by now; a hash has no plaintext that a system could take. */
function refuseHash(value: Json, { name }: Property): void {
  if (isJsonObject(value) && Object.hasOwn(value, '$crypto')) {
    throw new Problem('INVALID_VALUE', `${name} is hashed; a hash cannot be sent to a system`)
  }
}
