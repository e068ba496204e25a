import type { Json, JsonObject } from '../../model/json.ts'

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

/** The repository collection, which is also the path of the object set. */
export function collectionOf(type: ManagedType): string {
  return `managed/${type.name}`
}

export function propertiesOf(schema: ObjectSchema | undefined): [name: string, property: PropertySchema][] {
  return Object.entries(schema?.properties ?? {})
}

/** Properties of the object itself that have the policy without a condition. */
export function propertiesWith(type: ManagedType, policyId: string): readonly string[] {
  return propertiesOf(type.schema)
    .filter(([, { policies }]) => policies?.some((policy) => policy.policyId === policyId))
    .map(([name]) => name)
}

export function isRelationship({ type }: PropertySchema): boolean {
  return [type].flat().includes('relationship')
}
