import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorObject } from '../kit/query.ts'
import type { AttributeType, NativeAttribute, ObjectClass } from '../kit/schema.ts'
import { type Attributes, Secret, setAttribute, type Value, valuesOf } from '../kit/values.ts'

/** Objects and schemas between scripts and connectors. */

/**
 * An object of a handler: `{ uid, id, attributes: { … } }`, or `{ __UID__, __NAME__, … }` with the attributes beside them.
 */
export function objectOf(given: Json, objectClass: ObjectClass | undefined): ConnectorObject {
  const { uid, id, attributes } = partsOf(given)
  if ((typeof uid !== 'string' && typeof uid !== 'number') || uid === '')
    throw unusable(given, 'has no uid, a text or a number')
  if (!isJsonObject(attributes)) throw unusable(given, 'has attributes that are no object')
  const object: ConnectorObject = { _id: String(uid) }
  if (id !== undefined && id !== null) object.__NAME__ = String(id)
  for (const [name, value] of Object.entries(attributes)) {
    const isBytes = typeOf(name, objectClass) === 'bytes'
    const native = value === undefined ? undefined : nativeValue(value, isBytes)
    if (native !== undefined) setAttribute(object, name, native)
  }
  return object
}

function partsOf(given: Json): {
  readonly uid?: Json | undefined
  readonly id?: Json | undefined
  readonly attributes: Json | undefined
} {
  if (!isJsonObject(given)) throw unusable(given, 'is no object')
  if ('attributes' in given || !('__UID__' in given)) {
    const { uid, id, attributes = {}, ...others } = given
    const [unknown] = Object.keys(others).filter((name) => name !== 'objectClass')
    if (unknown === undefined) return { uid, id, attributes: attributes ?? {} }
    throw unusable(
      given,
      `has "${unknown}" beside uid, id and attributes; attributes of the object belong into "attributes"`,
    )
  }
  const { __UID__: uid, __NAME__: id, ...attributes } = given
  return { uid, id, attributes }
}

function unusable(given: Json, fact: string): ConnectorError {
  const { uid } = isJsonObject(given) ? given : {}
  const name = typeof uid === 'string' || typeof uid === 'number' ? ` "${uid}"` : ''
  return new ConnectorError('failed', `An object${name} that a script gave to its handler ${fact}`)
}

function typeOf(name: string, objectClass: ObjectClass | undefined): AttributeType | undefined {
  return objectClass?.attributes.find((attribute) => attribute.name === name)?.type
}

/** Undefined: no value. */
function nativeValue(given: Json, isBytes: boolean): Value | undefined {
  if (given === null) return undefined
  if (!Array.isArray(given)) return isBytes && typeof given === 'string' ? bytesOf(given) : given
  const values = given.flatMap((one) => nativeValue(one, isBytes) ?? [])
  return values.length === 0 ? undefined : values
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** As scripts get it: bytes in Base64, passwords in plaintext. */
export function scriptValue(value: Value): Json {
  if (value instanceof Secret) return value.reveal()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(scriptValue)
  return scriptAttributes(value as Attributes)
}

export function scriptAttributes(attributes: Attributes): JsonObject {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, scriptValue(value)]],
    ),
  )
}

/** The texts that must not be said of what scripts get. */
export function secretsIn(attributes: Attributes): readonly Json[] {
  return Object.values(attributes).flatMap((value) =>
    valuesOf(value).flatMap((one) => (one instanceof Secret ? [one.reveal()] : [])),
  )
}

/** What a schema script has described, by object class. */
export function schemaOf(
  described: JsonObject,
  operations: ObjectClass['operations'],
): Readonly<Record<string, ObjectClass>> {
  return Object.fromEntries(
    Object.entries(described).map(([name, attributes]) => {
      if (!isJsonObject(attributes)) throw undescribed(name, 'has no attributes; they are an object by name')
      const all = Object.entries(attributes).map(([attribute, facts]) =>
        attributeOf(name, attribute, facts ?? null),
      )
      return [name, { attributes: all, ...(operations && { operations }) }]
    }),
  )
}

/** Of Java too. */
const types: Readonly<Record<string, AttributeType>> = {
  string: 'string',
  number: 'number',
  double: 'number',
  float: 'number',
  bigdecimal: 'number',
  integer: 'integer',
  int: 'integer',
  long: 'integer',
  biginteger: 'integer',
  boolean: 'boolean',
  bytes: 'bytes',
  'byte[]': 'bytes',
  date: 'date',
  object: 'object',
  map: 'object',
  any: 'any',
  guardedstring: 'string',
}

function attributeOf(objectClass: string, name: string, facts: Json): NativeAttribute {
  const given = typeof facts === 'string' ? { type: facts } : facts
  if (!isJsonObject(given))
    throw undescribed(objectClass, `describes ${name} by neither a type nor an object`)
  const { type = 'string', comparison } = given
  const known = typeof type === 'string' ? types[type.toLowerCase()] : undefined
  if (!known)
    throw undescribed(
      objectClass,
      `gives ${name} the type ${JSON.stringify(type)}; types are ${Object.keys(types).join(', ')}`,
    )
  const flag = (flagName: string): boolean | undefined => {
    const value = given[flagName]
    return typeof value === 'boolean' ? value : undefined
  }
  const secret = flag('secret') ?? (name === '__PASSWORD__' || /guarded/i.test(String(type)))
  return {
    name,
    type: known,
    multivalued: flag('multivalued') ?? false,
    required: flag('required') ?? false,
    comparison: comparison === 'ignoreCase' || comparison === 'unknown' ? comparison : 'exact',
    unique: flag('unique') ?? name === '__NAME__',
    secret,
    creatable: flag('creatable') ?? true,
    updateable: flag('updateable') ?? true,
    readable: flag('readable') ?? !secret,
    returnedByDefault: flag('returnedByDefault') ?? !secret,
  }
}

function undescribed(objectClass: string, fact: string): ConnectorError {
  return new ConnectorError('misconfigured', `The schema script: ${objectClass} ${fact}`)
}
