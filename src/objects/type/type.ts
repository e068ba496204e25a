import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'

/**
 * Object types as `conf/managed.json` declares them (platform §6.1). Members that this file does not
 * name are hooks and the like; unsupported.ts judges them.
 */
export interface ManagedType extends JsonObject {
  name: string
  schema?: ObjectSchema
}

export interface ObjectSchema extends JsonObject {
  properties?: { [name: string]: PropertySchema }
  required?: string[]
}

export interface PropertySchema extends ObjectSchema {
  type?: string | string[]
  default?: Json
  searchable?: boolean
  minLength?: number
  pattern?: string
  policies?: PolicyReference[]
  conditionalPolicies?: ConditionalPolicies[]
  fallbackPolicies?: PolicyReference[]
  items?: PropertySchema
}

/** Policies that count while the condition holds, a filter over the object or a script that sees `fullObject`. */
export interface ConditionalPolicies extends JsonObject {
  condition?: Json
  dependencies?: string[]
  policies?: PolicyReference[]
}

export interface PolicyReference extends JsonObject {
  policyId: string
  params?: JsonObject
}

/**
 * The types of a `config/managed` document. CONFIGURATION for what is not a type or appears twice: the shape of the
 * schemas below was checked when the project was read.
 */
export function managedTypes(document: JsonObject): readonly ManagedType[] {
  const types = Array.isArray(document.objects) ? document.objects : []
  const names = new Set<string>()
  return types.map((type, index) => {
    if (!isManagedType(type))
      throw new Problem('CONFIGURATION', `conf/managed.json: objects/${index} needs a "name"`)
    if (names.has(type.name))
      throw new Problem('CONFIGURATION', `conf/managed.json: "${type.name}" appears twice`)
    names.add(type.name)
    return type
  })
}

function isManagedType(value: Json): value is ManagedType {
  return isJsonObject(value) && typeof value.name === 'string' && /^[^/\s]+$/.test(value.name)
}

/** The repository collection, which is also the path of the object set. */
export function collectionOf(type: ManagedType): string {
  return `managed/${type.name}`
}

export function propertiesOf(schema: ObjectSchema | undefined): [name: string, property: PropertySchema][] {
  return Object.entries(schema?.properties ?? {})
}
