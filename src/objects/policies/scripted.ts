import type { Json, JsonObject } from '../../model/json.ts'
import { isTrueLike } from '../../model/true-like.ts'
import type { RequestContext } from '../../router/resources.ts'
import { spotsAt } from '../type/places.ts'
import type { TypeScripts } from '../type/scripts.ts'
import type { ManagedType } from '../type/type.ts'
import type { PolicyContext, PolicyRequirement } from './built-in.ts'
import {
  type Condition,
  type ConditionalProperty,
  conditionalProperties,
  countingFor,
  dependenciesAreThere,
  isConcerned,
  needsScripts,
} from './conditional.ts'
import { type FailedProperty, isSealed, mergeFailures } from './validator.ts'

/**
 * Policies for which scripts have to run (platform §6.3): those that the project defines itself, and those whose
 * condition is a script. A type without any costs nothing; one with some is written object by object, since scripts
 * may ask for what was written before.
 */
export interface ScriptedPolicies {
  check(object: JsonObject, about: Validation): Promise<readonly FailedProperty[]>
}

export interface Validation {
  /** `managed/user/jdoe`, or `managed/user/*` for an object that is not there yet. */
  readonly resourcePath: string
  /** As a patch names them. */
  readonly only?: ReadonlySet<string> | undefined
  readonly request: RequestContext
}

/** The policies that the project defines itself; `objects` knows no sandbox. */
export interface OwnPolicies {
  readonly known: ReadonlyMap<string, OwnPolicy>
  /** What each of the functions finds wrong. SCRIPT_FAILED if one throws. */
  run(
    calls: readonly OwnPolicyCall[],
    about: { readonly fullObject: JsonObject; readonly resourcePath: string },
    request: RequestContext,
  ): Promise<readonly (readonly PolicyRequirement[])[]>
}

/** What a policy file says with `addPolicy`. */
export interface OwnPolicy {
  readonly policyId: string
  readonly policyRequirements: readonly string[]
  readonly validateOnlyIfPresent: boolean
  /** The text of its function, where clients may run it themselves (`clientValidation`). */
  readonly policyFunction?: string | undefined
}

export interface OwnPolicyCall {
  readonly policyId: string
  /** Absent: there is no value. */
  readonly value?: Json | undefined
  readonly params: JsonObject
  readonly property: string
}

export const noOwnPolicies: OwnPolicies = { known: new Map(), run: async () => [] }

/** Undefined for a type whose policies need no script. */
export function scriptedPolicies(
  type: ManagedType,
  scripts: TypeScripts,
  own: OwnPolicies,
  context: PolicyContext,
): ScriptedPolicies | undefined {
  const properties = conditionalProperties(type, context).filter(needsScripts)
  if (properties.length === 0) return undefined
  return {
    async check(object, about) {
      const { only, resourcePath, request } = about
      const failures: FailedProperty[] = []
      const calls: OwnPolicyCall[] = []
      for (const property of properties) {
        if (!isConcerned(property, only)) continue
        const holding = await holdingConditions(property, object, scripts, about)
        const counting = countingFor(property, (condition) => holding.has(condition), object)
        for (const { pointer, value } of spotsAt(object, property.place.path)) {
          if (isSealed(property.place.property, value)) continue
          const name = pointer.join('/')
          counting.validate(name, value, object, failures)
          for (const { policyId, params = {} } of [...property.own, ...counting.own]) {
            if (value === undefined && own.known.get(policyId)?.validateOnlyIfPresent) continue
            calls.push({ policyId, value, params, property: name })
          }
        }
      }
      if (calls.length === 0) return mergeFailures(failures)
      const found = await own.run(calls, { fullObject: object, resourcePath }, request)
      found.forEach((policyRequirements, index) => {
        const { property = '' } = calls[index] ?? {}
        if (policyRequirements.length > 0)
          failures.push({ property, policyRequirements: [...policyRequirements] })
      })
      return mergeFailures(failures)
    },
  }
}

/** A script's condition holds by any value that is true-like. */
async function holdingConditions(
  { conditional }: ConditionalProperty,
  object: JsonObject,
  scripts: TypeScripts,
  { resourcePath, request }: Validation,
): Promise<ReadonlySet<Condition>> {
  const holding = new Set<Condition>()
  const variables = { fullObject: object, object, resourceName: resourcePath }
  for (const { condition } of conditional) {
    const { judge } = condition
    if (!dependenciesAreThere(condition, object)) continue
    const holds =
      typeof judge === 'string'
        ? isTrueLike((await scripts.run(judge, variables, request)).value)
        : (judge?.(object) ?? true)
    if (holds) holding.add(condition)
  }
  return holding
}
