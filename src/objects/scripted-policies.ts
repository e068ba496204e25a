import { compileFilter } from '../model/filter-evaluate.ts'
import { parseFilter } from '../model/filter-parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { getAt, parsePointer } from '../model/pointer.ts'
import { isTrueLike } from '../model/true-like.ts'
import type { RequestContext } from '../router/resources.ts'
import { type Place, placesOf, spotsAt } from './places.ts'
import type { PolicyRequirement, PolicySurroundings } from './policies.ts'
import type { ConditionalPolicies, ManagedType, PolicyReference, PropertySchema } from './type.ts'
import { conditionScript, type TypeScripts } from './type-scripts.ts'
import { compileProperty, type FailedProperty, isBuiltIn, isSealed, mergeFailures } from './validator.ts'

/**
 * Policies that need more than a function of the value (platform specification §6.3): those that the project defines in
 * scripts, and those that count only under a condition. A type without any costs nothing; one with some is written
 * object by object, since scripts may ask for what was written before.
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

/** Undefined for a type that has neither kind. */
export function scriptedPolicies(
  type: ManagedType,
  scripts: TypeScripts,
  own: OwnPolicies,
  surroundings: PolicySurroundings,
): ScriptedPolicies | undefined {
  const properties = placesOf(type).flatMap((place) => scriptedProperty(place, scripts, surroundings) ?? [])
  if (properties.length === 0) return undefined
  return {
    async check(object, about) {
      const { only, resourcePath, request } = about
      const failures: FailedProperty[] = []
      const calls: OwnPolicyCall[] = []
      for (const { place, own: always, conditional } of properties) {
        if (only && !only.has(String(place.path[0]))) continue
        const applied = await conditional(object, about)
        for (const { pointer, value } of spotsAt(object, place.path)) {
          if (isSealed(place.property, value)) continue
          const property = pointer.join('/')
          applied.validate(property, value, object, failures)
          for (const { policyId, params = {} } of [...always, ...applied.own]) {
            if (value === undefined && own.known.get(policyId)?.validateOnlyIfPresent) continue
            calls.push({ policyId, value, params, property })
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

interface ScriptedProperty {
  readonly place: Place
  readonly own: readonly PolicyReference[]
  /** What counts for this object besides: of all conditions that hold, or of none of them (`fallbackPolicies`). */
  readonly conditional: (object: JsonObject, about: Validation) => Promise<Applied>
}

interface Applied {
  readonly own: readonly PolicyReference[]
  validate(property: string, value: Json | undefined, object: JsonObject, failures: FailedProperty[]): void
}

function scriptedProperty(
  place: Place,
  scripts: TypeScripts,
  surroundings: PolicySurroundings,
): ScriptedProperty | undefined {
  const { policies = [], conditionalPolicies = [], fallbackPolicies = [] } = place.property
  const own = (policies ?? []).filter(isOwn)
  const conditions = conditionalPolicies ?? []
  const fallback = fallbackPolicies ?? []
  if (own.length + conditions.length + fallback.length === 0) return undefined
  const compiled = conditions.map((one, index) => ({
    holds: condition(place, one, index, scripts),
    applied: applied(one.policies ?? [], surroundings),
  }))
  const otherwise = applied(fallback, surroundings)
  return {
    place,
    own,
    async conditional(object, about) {
      const holding: Applied[] = []
      for (const { holds, applied } of compiled) if (await holds(object, about)) holding.push(applied)
      return together(holding.length > 0 ? holding : [otherwise])
    },
  }
}

function applied(references: readonly PolicyReference[], surroundings: PolicySurroundings): Applied {
  const property: PropertySchema = { policies: references.filter((one) => !isOwn(one)) }
  const validate = compileProperty(property, false, '', surroundings)
  return {
    own: references.filter(isOwn),
    validate(name, value, object, failures) {
      const found: FailedProperty[] = []
      validate(value, object, found)
      failures.push(...found.map(({ policyRequirements }) => ({ property: name, policyRequirements })))
    },
  }
}

function together(all: readonly Applied[]): Applied {
  return {
    own: all.flatMap(({ own }) => own),
    validate(...about) {
      for (const one of all) one.validate(...about)
    },
  }
}

function isOwn({ policyId }: PolicyReference): boolean {
  return !isBuiltIn(policyId)
}

/** A condition counts only where all that it depends on is there; a script's holds by any value that is true-like. */
function condition(
  place: Place,
  { condition: stated, dependencies = [] }: ConditionalPolicies,
  index: number,
  scripts: TypeScripts,
): (object: JsonObject, about: Validation) => Promise<boolean> {
  const needed = (dependencies ?? []).map(parsePointer)
  const judged = judgement(place, stated, index, scripts)
  return async (object, about) =>
    needed.every((pointer) => getAt(object, pointer) !== undefined) && (await judged(object, about))
}

function judgement(
  { path }: Place,
  stated: Json | undefined,
  index: number,
  scripts: TypeScripts,
): (object: JsonObject, about: Validation) => Promise<boolean> {
  if (typeof stated === 'string') {
    const matches = compileFilter(parseFilter(stated))
    return async (object) => matches(object)
  }
  if (!isJsonObject(stated)) return async () => true
  const script = conditionScript(path, index)
  return async (object, { resourcePath, request }) => {
    const variables = { fullObject: object, object, resourceName: resourcePath }
    const { value } = await scripts.run(script, variables, request)
    return isTrueLike(value)
  }
}
