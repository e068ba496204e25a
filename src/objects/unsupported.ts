import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { policies } from './policies.ts'
import { type ManagedType, type PolicyReference, type PropertySchema, propertiesOf } from './type.ts'
import { decidedElsewhere } from './validator.ts'

/**
 * What a type asks for that this server does not do. A type with such a feature is refused as a whole: storing a
 * password in clear because `encryption` was overlooked would be worse than not starting. Also told of a type that its
 * schema refuses, as far as it can be made out.
 */
export interface UnsupportedFeature {
  /** Within the type, for `ConfigurationDocument.locate`. */
  readonly pointer: (string | number)[]
  readonly message: string
}

export function unsupportedFeatures(type: ManagedType): UnsupportedFeature[] {
  return [
    ...propertiesOf(type.schema).flatMap(([name, property]) =>
      ofProperty(property, ['schema', 'properties', name], true),
    ),
  ]
}

const virtual = 'virtual properties by query are not supported: compute the value with onRetrieve'
const propertyFeatures: Readonly<Record<string, string>> = {
  queryConfig: virtual,
  isProtected: 'protected properties are not supported: changes would not ask for the password again',
  conditionalPolicies: 'conditional policies are not supported: write plain "policies"',
  fallbackPolicies: 'fallback policies are not supported: write plain "policies"',
  notify: 'notification along relationships is not supported: remove "notify"',
  notifySelf: 'notification along relationships is not supported: remove "notifySelf"',
  notifyRelationships: 'notification along relationships is not supported: remove "notifyRelationships"',
}

const atTop = 'is supported on properties of the object itself only'
const topLevelOnly: Readonly<Record<string, string>> = {
  onRetrieve: atTop,
  onStore: atTop,
  onValidate: atTop,
  isVirtual: atTop,
  encryption: `${atTop}: the value would be stored in clear`,
  secureHash: `${atTop}: the value would be stored in clear`,
}

type Place = readonly (string | number)[]

/** Members that say nothing (false, null, an empty list or object) ask for nothing. */
function membersAmong(
  object: JsonObject,
  features: Readonly<Record<string, string>>,
  place: Place,
): UnsupportedFeature[] {
  return Object.entries(features)
    .filter(([name]) => asksForSomething(object[name]))
    .map(([name, message]) => ({ pointer: [...place, name], message: `"${name}": ${message}` }))
}

function asksForSomething(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

function ofProperty(property: PropertySchema, place: Place, topLevel: boolean): UnsupportedFeature[] {
  if (!isJsonObject(property)) return []
  return [
    ...membersAmong(property, topLevel ? propertyFeatures : { ...propertyFeatures, ...topLevelOnly }, place),
    ...sealedTwice(property, place),
    ...privateBelow(property, place, topLevel),
    ...relationship(property, place),
    ...pattern(property, place),
    ...unknownPolicies(property, place, topLevel),
    ...propertiesOf(property).flatMap(([name, below]) =>
      ofProperty(below, [...place, 'properties', name], false),
    ),
    ...(property.items ? ofProperty(property.items, [...place, 'items'], false) : []),
  ]
}

function relationship({ type }: PropertySchema, place: Place): UnsupportedFeature[] {
  if (type !== 'relationship' && !(Array.isArray(type) && type.includes('relationship'))) return []
  return [{ pointer: [...place, 'type'], message: 'relationships are not supported: remove the property' }]
}

function sealedTwice({ encryption, secureHash }: PropertySchema, place: Place): UnsupportedFeature[] {
  if (!asksForSomething(encryption) || secureHash === undefined || secureHash === null) return []
  const message = '"encryption" and "secureHash" exclude each other: say which one is meant'
  return [{ pointer: [...place, 'secureHash'], message }]
}

function privateBelow({ scope }: PropertySchema, place: Place, topLevel: boolean): UnsupportedFeature[] {
  if (scope !== 'private' || topLevel) return []
  return [{ pointer: [...place, 'scope'], message: `"scope": "private" ${atTop}` }]
}

function pattern(property: PropertySchema, place: Place): UnsupportedFeature[] {
  try {
    new RegExp(property.pattern ?? '')
    return []
  } catch (error) {
    return [
      { pointer: [...place, 'pattern'], message: `not a regular expression: ${(error as Error).message}` },
    ]
  }
}

function unknownPolicies(property: PropertySchema, place: Place, topLevel: boolean): UnsupportedFeature[] {
  const stated: readonly unknown[] = Array.isArray(property.policies) ? property.policies : []
  return stated.flatMap((policy, index) => {
    if (!isPolicyReference(policy)) return []
    const message = policyProblem(policy.policyId, policy.params ?? {}, topLevel)
    return message === undefined ? [] : [{ pointer: [...place, 'policies', index], message }]
  })
}

function isPolicyReference(stated: unknown): stated is PolicyReference {
  return isJsonObject(stated as Json) && typeof (stated as JsonObject).policyId === 'string'
}

function policyProblem(policyId: string, params: JsonObject, topLevel: boolean): string | undefined {
  if (policyId === 'unique' && !topLevel)
    return 'policy "unique" is supported only on properties of the object itself'
  if (decidedElsewhere.has(policyId)) return undefined
  const policy = Object.hasOwn(policies, policyId) ? policies[policyId] : undefined
  const known = [...decidedElsewhere, ...Object.keys(policies)].join(', ')
  if (!policy) return `policy "${policyId}" is not supported; supported are ${known}`
  try {
    policy(params)
    return undefined
  } catch (error) {
    return `policy "${policyId}": ${(error as Error).message}`
  }
}
