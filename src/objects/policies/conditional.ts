import { compileFilter } from '../../model/filter/evaluate.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { getAt, type Pointer, parsePointer } from '../../model/pointer.ts'
import { type Place, placesOf, spotsAt } from '../type/places.ts'
import { conditionScript } from '../type/scripts.ts'
import type { ManagedType, PolicyReference, PropertySchema } from '../type/type.ts'
import type { PolicyContext } from './built-in.ts'
import { compileProperty, type FailedProperty, isBuiltIn, type Validator } from './validator.ts'

/**
 * Policies that count only under a condition (platform §6.3). Conditions that are filters are judged here, with the
 * other checks of a page; those that are scripts, and policies of the project itself, are in scripted-policies.ts.
 */
export interface ConditionalProperty {
  readonly place: Place
  /** Policies of the project itself that always count. */
  readonly own: readonly PolicyReference[]
  readonly conditional: readonly { readonly condition: Condition; readonly applied: Applied }[]
  readonly fallback: Applied
}

/** A condition counts only where all that it depends on is there. */
export interface Condition {
  readonly dependencies: readonly Pointer[]
  /** The name of a script, or what a filter says; neither: always. */
  readonly judge: string | ((object: JsonObject) => boolean) | undefined
}

/** Policies that count for an object: built-in ones, and those of the project. */
export interface Applied {
  readonly own: readonly PolicyReference[]
  validate(property: string, value: Json | undefined, object: JsonObject, failures: FailedProperty[]): void
}

/** The properties that have conditional policies, or policies of the project. */
export function conditionalProperties(
  type: ManagedType,
  context: PolicyContext,
): readonly ConditionalProperty[] {
  return placesOf(type).flatMap((place) => {
    const { policies, conditionalPolicies, fallbackPolicies } = place.property
    const own = (policies ?? []).filter(isOwn)
    const conditional = (conditionalPolicies ?? []).map((one, index) => ({
      condition: {
        dependencies: (one.dependencies ?? []).map(parsePointer),
        judge: judgement(place, one.condition, index),
      },
      applied: applied(one.policies ?? [], context),
    }))
    const fallback = applied(fallbackPolicies ?? [], context)
    const nothing = own.length + conditional.length + (fallbackPolicies ?? []).length === 0
    return nothing ? [] : [{ place, own, conditional, fallback }]
  })
}

export function needsScripts({ own, conditional, fallback }: ConditionalProperty): boolean {
  return (
    own.length + fallback.own.length > 0 ||
    conditional.some(
      ({ condition, applied }) => typeof condition.judge === 'string' || applied.own.length > 0,
    )
  )
}

/** Of the properties for which no script has to run. */
export function conditionalValidator(type: ManagedType, context: PolicyContext): Validator {
  const properties = conditionalProperties(type, context).filter((one) => !needsScripts(one))
  return (object, only) => {
    const failures: FailedProperty[] = []
    for (const property of properties) {
      if (!isConcerned(property, only)) continue
      const counting = countingFor(
        property,
        ({ judge }) => typeof judge !== 'function' || judge(object),
        object,
      )
      for (const { pointer, value } of spotsAt(object, property.place.path))
        counting.validate(pointer.join('/'), value, object, failures)
    }
    return failures
  }
}

/** All whose condition holds; those of `fallbackPolicies` if none does. */
export function countingFor(
  { conditional, fallback }: ConditionalProperty,
  holds: (condition: Condition) => boolean,
  object: JsonObject,
): Applied {
  const holding = conditional.filter(
    ({ condition }) => dependenciesAreThere(condition, object) && holds(condition),
  )
  return holding.length > 0 ? together(holding.map(({ applied }) => applied)) : fallback
}

export function dependenciesAreThere({ dependencies }: Condition, object: JsonObject): boolean {
  return dependencies.every((pointer) => getAt(object, pointer) !== undefined)
}

/** A patch names the properties of the object itself that it touches. */
export function isConcerned({ place }: ConditionalProperty, only: ReadonlySet<string> | undefined): boolean {
  return only === undefined || only.has(String(place.path[0]))
}

function applied(references: readonly PolicyReference[], context: PolicyContext): Applied {
  const property: PropertySchema = { policies: references.filter((one) => !isOwn(one)) }
  const validate = compileProperty(property, false, '', context)
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

function judgement({ path }: Place, stated: Json | undefined, index: number): Condition['judge'] {
  if (typeof stated === 'string') return compileFilter(parseFilter(stated))
  return isJsonObject(stated) ? conditionScript(path, index) : undefined
}
