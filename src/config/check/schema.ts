/**
 * The part of JSON Schema that configuration is described in, with keywords of our own that other tools ignore:
 *
 * - `x-noun`: how messages call a value, e.g. `a situation`;
 * - `x-ignoreCase`: the values of `enum` are accepted in any letter case;
 * - `x-lenient`: a value outside `enum`, or a text in quotes that means one of the type, is a warning, not an error;
 * - `x-noEffect`: the setting is accepted without effect, for this reason; using it is a warning;
 * - `x-restricts`: names of properties without which more objects are worked than meant; one misspelt is an error;
 * - `x-open`: it takes names of its user's, e.g. variables of a script: one that looks like a known name is a warning, and no error;
 * - `x-keywords`: names that others give a meaning, and that are no misspelt ones;
 * - `x-rule`: a check of check/rules.ts that JSON Schema cannot express.
 */
import { isJsonObject, type Json } from '../../model/json.ts'

export interface JsonSchema {
  readonly $ref?: string
  readonly $schema?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly title?: string
  readonly description?: string
  readonly default?: Json
  readonly type?: string | readonly string[]
  readonly enum?: readonly Json[]
  readonly const?: Json
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly patternProperties?: Readonly<Record<string, JsonSchema | boolean>>
  readonly deprecated?: boolean
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly uniqueItems?: boolean
  readonly minLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  /** A secret: messages never show the value. */
  readonly writeOnly?: boolean
  readonly 'x-noun'?: string
  readonly 'x-ignoreCase'?: boolean
  readonly 'x-lenient'?: boolean
  readonly 'x-noEffect'?: string
  readonly 'x-restricts'?: readonly string[]
  readonly 'x-open'?: boolean
  readonly 'x-keywords'?: readonly string[]
  readonly 'x-rule'?: string
}

export type Definitions = Readonly<Record<string, JsonSchema>>

/** The schema that a reference points to; members next to `$ref` (a description) win. */
export function resolveReference(schema: JsonSchema, definitions: Definitions): JsonSchema {
  if (schema.$ref === undefined) return schema
  const { $ref, ...ownMembers } = schema
  const target = definitions[$ref.replace('#/$defs/', '')]
  return target === undefined ? ownMembers : { ...resolveReference(target, definitions), ...ownMembers }
}

export function typesOf(schema: JsonSchema): readonly string[] {
  if (schema.type !== undefined) return typeof schema.type === 'string' ? [schema.type] : schema.type
  return schema.const === undefined ? [] : [typeOf(schema.const)]
}

export function hasType(value: Json, type: string): boolean {
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value)
  return typeOf(value) === type
}

export function typeOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return isJsonObject(value) ? 'object' : typeof value
}

const typeNouns: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  array: 'an array',
  object: 'an object',
  null: 'null',
}

/** What the schema wants, in words: `a query filter or a script object`. */
export function wanted(schema: JsonSchema, definitions: Definitions): string {
  const resolved = resolveReference(schema, definitions)
  if (resolved['x-noun'] !== undefined) return resolved['x-noun']
  if (resolved.anyOf)
    return [...new Set(resolved.anyOf.map((branch) => wanted(branch, definitions)))].join(' or ')
  const types = typesOf(resolved).map((type) => typeNouns[type] ?? type)
  return types.length === 0 ? 'any value' : types.join(' or ')
}
