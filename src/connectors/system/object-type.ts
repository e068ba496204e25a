import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { declaresPassword } from '../../model/secrecy.ts'
import type { Connector } from '../kit/connector.ts'
import { misconfigured } from '../kit/errors.ts'
import { type ValueType, valueType } from './value-type.ts'

/** One object type of a system as configured (platform §4.2), with all defaults applied. */
export interface ObjectType {
  readonly name: string
  /** The object class at the connector, e.g. `__ACCOUNT__`. */
  readonly objectClass: string
  readonly properties: ReadonlyMap<string, Property>
  /** A declared list without a value reads as an empty list, not as nothing. */
  readonly givesEmptyLists: boolean
}

export interface Property {
  readonly name: string
  /** The attribute at the connector; agreed names such as `__NAME__` are resolved. */
  readonly attribute: string
  /** True for the property declared as `__NAME__`. */
  readonly isName: boolean
  /** True for passwords and other guarded values: sent, never returned, and null never clears them. */
  readonly isSecret: boolean
  /** True for secrets of the system, such as passwords, under any name or declaration. */
  readonly isGuarded: boolean
  readonly type: ValueType
  readonly nativeType: ValueType
  readonly multivalued: boolean
  readonly required: boolean
  readonly creatable: boolean
  readonly updateable: boolean
  readonly readable: boolean
  readonly returnedByDefault: boolean
}

export function objectTypesOf(
  configuration: JsonObject,
  connector: Connector,
): ReadonlyMap<string, ObjectType> {
  return new Map(
    Object.entries(asObject(configuration.objectTypes)).flatMap(([name, declaration]) =>
      isJsonObject(declaration) ? [[name, objectTypeOf(name, declaration, connector)] as const] : [],
    ),
  )
}

function objectTypeOf(name: string, declaration: JsonObject, connector: Connector): ObjectType {
  const objectClass = declaration.nativeType ?? declaration.id
  if (typeof objectClass !== 'string') {
    throw misconfigured(['objectTypes', name], 'has no nativeType; it names the object class')
  }
  const place = ['objectTypes', name, 'properties']
  const agreedNames = connector.agreedNames?.(objectClass) ?? {}
  return {
    name,
    objectClass,
    givesEmptyLists: connector.givesEmptyLists?.() === true,
    properties: new Map(
      Object.entries(asObject(declaration.properties)).map(([property, value]) => [
        property,
        propertyOf([...place, property], property, asObject(value), agreedNames),
      ]),
    ),
  }
}

function propertyOf(
  place: readonly string[],
  name: string,
  declaration: JsonObject,
  agreedNames: Readonly<Record<string, string>>,
): Property {
  const nativeName = textOr(name, declaration.nativeName)
  const flags = new Set(Array.isArray(declaration.flags) ? declaration.flags : [])
  const isArray = declaration.type === 'array'
  const element = isArray ? asObject(declaration.items) : declaration
  const type = textOr('any', element.type)
  const isSecret = declaresPassword({ ...declaration, nativeName })
  const attribute = nativeName === '__UID__' ? '_id' : (agreedNames[nativeName] ?? nativeName)
  return {
    name,
    attribute,
    isName: nativeName === '__NAME__',
    isSecret,
    isGuarded: isSecret || attribute === agreedNames.__PASSWORD__,
    type: known(type, [...place, 'type']),
    nativeType: known(textOr(type, element.nativeType), [...place, 'nativeType']),
    multivalued: isArray || flags.has('MULTIVALUED'),
    required: declaration.required === true,
    creatable: !flags.has('NOT_CREATABLE'),
    updateable: !flags.has('NOT_UPDATEABLE'),
    readable: !flags.has('NOT_READABLE') && !isSecret,
    returnedByDefault: !flags.has('NOT_RETURNED_BY_DEFAULT'),
  }
}

function textOr(fallback: string, value: Json | undefined): string {
  return typeof value === 'string' ? value : fallback
}

function known(declared: string, place: readonly string[]): ValueType {
  const type = valueType(declared)
  if (type) return type
  throw misconfigured(place, `"${declared}" is no type; use string, number, integer, boolean or object`)
}
