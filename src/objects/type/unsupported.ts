import type { Finding, Place } from '../../model/finding.ts'
import { asObject, type Json } from '../../model/json.ts'
import { nearest } from '../../model/nearest.ts'
import { policies } from '../policies/built-in.ts'
import type { OwnPolicies } from '../policies/project-policies.ts'
import { list } from '../policies/resources-with-policies.ts'
import { decidedElsewhere } from '../policies/validator.ts'
import { placesOf } from './places.ts'
import { isRelationship, type ManagedType, type PolicyReference, type PropertySchema } from './type.ts'

/**
 * Features of a type that this server does not support. A type with such a feature is refused as a whole: to store a
 * password in clear because `encryption` was ignored would be worse than not to start. They are also reported, as far as
 * possible, for a type that its schema refuses.
 */
export function unsupportedFeatures(type: ManagedType, ownPolicies: OwnPolicies['known']): Finding[] {
  return placesOf(type).flatMap(({ property, pointer }) => [
    ...sealedTwice(property, pointer),
    ...nestedRelationship(property, pointer),
    ...pattern(property, pointer),
    ...policiesOf(property, pointer, { topLevel: pointer.length === 3, ownPolicies }),
  ])
}

interface Where {
  readonly topLevel: boolean
  readonly ownPolicies: OwnPolicies['known']
}

function asksForSomething(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

/** `schema/properties/x` or its `items`: further down none is expected. */
function nestedRelationship(property: PropertySchema, place: Place): Finding[] {
  const atItsPlace = place.length === 3 || (place.length === 4 && place[3] === 'items')
  const atTop = 'is supported on properties of the object itself only'
  return [
    ...(isRelationship(property) && !atItsPlace
      ? [{ place: [...place, 'type'], message: `a relationship ${atTop}` }]
      : []),
    ...(asksForSomething(property.queryConfig) && place.length > 3
      ? [{ place: [...place, 'queryConfig'], message: `"queryConfig" ${atTop}` }]
      : []),
  ]
}

function sealedTwice({ encryption, secureHash }: PropertySchema, place: Place): Finding[] {
  if (!asksForSomething(encryption) || secureHash === undefined || secureHash === null) return []
  const message = '"encryption" and "secureHash" exclude each other: say which one is meant'
  return [{ place: [...place, 'secureHash'], message }]
}

function pattern(property: PropertySchema, place: Place): Finding[] {
  try {
    new RegExp(property.pattern ?? '')
    return []
  } catch (error) {
    return [
      { place: [...place, 'pattern'], message: `not a regular expression: ${(error as Error).message}` },
    ]
  }
}

function policiesOf(property: PropertySchema, place: Place, where: Where): Finding[] {
  const { policies, conditionalPolicies, fallbackPolicies } = property
  const below = { ...where, topLevel: false }
  return [
    ...unusable(policies, [...place, 'policies'], where),
    ...unusable(fallbackPolicies, [...place, 'fallbackPolicies'], below),
    ...list(conditionalPolicies).flatMap((one, index) =>
      unusable(asObject(one).policies, [...place, 'conditionalPolicies', index, 'policies'], below),
    ),
  ]
}

function unusable(references: Json | undefined, place: Place, where: Where): Finding[] {
  return list(references).flatMap((policy, index) => {
    const { policyId, params } = asObject(policy)
    if (typeof policyId !== 'string') return []
    const message = policyProblem({ policyId, params: asObject(params) }, where)
    return message === undefined ? [] : [{ place: [...place, index], message }]
  })
}

/** What asks for other objects, or for the caller, is asked once an object, not under conditions. */
const topLevelOnly: ReadonlySet<string> = new Set(['unique', 'no-internal-user-conflict'])

/** What is wrong with a reference to a policy, of a property or of `conf/policy.json`. */
export function policyProblem(
  { policyId, params }: PolicyReference,
  { topLevel, ownPolicies }: Where,
): string | undefined {
  if (topLevelOnly.has(policyId) && !topLevel)
    return `policy "${policyId}" is supported only on properties of the object itself, without a condition`
  if (decidedElsewhere.has(policyId) || ownPolicies.has(policyId)) return undefined
  const policy = Object.hasOwn(policies, policyId) ? policies[policyId] : undefined
  if (!policy) {
    const known = [...decidedElsewhere, ...Object.keys(policies), ...ownPolicies.keys()]
    const meant = nearest(policyId, known)
    const suggestion = meant === undefined ? '' : `did you mean ${meant}? `
    return `policy "${policyId}" is not known; ${suggestion}known are ${known.join(', ')}`
  }
  try {
    policy(params ?? {})
    return undefined
  } catch (error) {
    return `policy "${policyId}": ${(error as Error).message}`
  }
}
