import { isJsonObject, type Json } from '../../model/json.ts'

/**
 * The types of values in `objectTypes` (platform §4.2) and how a value becomes one of them (platform §4.4):
 * strings, numbers and booleans are converted where nothing is lost; anything else fails.
 */
export type ValueType = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'any' | 'bytes'

/** The type that a declaration's JSON type or `JAVA_TYPE_*` stands for; undefined if it is unknown. */
export function valueType(declared: string): ValueType | undefined {
  if (jsonTypes.has(declared)) return declared as ValueType
  return javaTypes[declared.replace(/^JAVA_TYPE_(PRIMITIVE_)?/, '')]
}

const jsonTypes: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'object', 'any'])

const javaTypes: Readonly<Record<string, ValueType>> = {
  BIGDECIMAL: 'number',
  BIGINTEGER: 'integer',
  BOOLEAN: 'boolean',
  BYTE: 'integer',
  BYTE_ARRAY: 'bytes',
  CHAR: 'string',
  CHARACTER: 'string',
  DATE: 'string',
  DOUBLE: 'number',
  FILE: 'string',
  FLOAT: 'number',
  GUARDEDBYTEARRAY: 'string',
  GUARDEDSTRING: 'string',
  INT: 'integer',
  LONG: 'integer',
  NAME: 'string',
  OBJECTCLASS: 'string',
  QUALIFIEDUID: 'string',
  SCRIPT: 'string',
  UID: 'string',
  URI: 'string',
}

/** The value as this type; undefined if it cannot be converted. */
export function coerced(value: NonNullable<Json>, type: ValueType): Json | undefined {
  switch (type) {
    case 'any':
      return value
    case 'object':
      return isJsonObject(value) ? value : undefined
    // Bytes are Base64 everywhere outside the connector.
    case 'bytes':
    case 'string':
      return typeof value === 'object' ? undefined : String(value)
    case 'boolean':
      return asBoolean(value)
    case 'number':
      return asNumber(value)
    case 'integer': {
      const number = asNumber(value)
      return Number.isSafeInteger(number) ? number : undefined
    }
  }
}

function asBoolean(value: Json): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return undefined
  const word = value.toLowerCase()
  return word === 'true' || (word === 'false' ? false : undefined)
}

function asNumber(value: Json): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}
