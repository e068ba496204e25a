import { compileFilter } from '../../model/filter/evaluate.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { getAt, type Pointer, parsePointer } from '../../model/pointer.ts'
import { isTrueLike } from '../../model/true-like.ts'
import type { RequestContext } from '../../router/resources.ts'
import { type Place, spotsAt } from '../type/places.ts'
import { conditionScript, type TypeScripts } from '../type/scripts.ts'
import type { PolicyReference, PropertySchema } from '../type/type.ts'
import type { MappingExists, Validated } from './built-in.ts'
import type { OwnPolicies, OwnPolicyCall } from './project-policies.ts'
import {
  compileValue,
  type FailedProperty,
  isBuiltIn,
  isSealed,
  type Validator,
  type ValueCheck,
} from './validator.ts'

/**
 * Policies that count only under a condition, and those that the project defines itself (platform §6.3). Properties whose
 * conditions are filters are judged with the other checks of a page. The others need scripts: a type with any of them is
 * written object by object, since scripts may ask for what was written before.
 */
interface PropertyPolicies {
  readonly place: Place
  /** Policies of the project itself that always count. */
  readonly own: readonly PolicyReference[]
  readonly conditional: readonly Conditional[]
  /** They count if no condition holds. */
  readonly fallback: Policies
}

/** A condition counts only where all that it depends on is there. */
interface Conditional {
  readonly dependencies: readonly Pointer[]
  /** The name of a script, or what a filter says; neither: always. */
  readonly judge: string | ((object: JsonObject) => boolean) | undefined
  readonly policies: Policies
}

interface Policies {
  readonly own: readonly PolicyReference[]
  /** By the built-in ones. */
  readonly check: ValueCheck
}

/** Of the properties for which no script has to run. */
export function conditionalValidator(places: readonly Place[], mappingExists: MappingExists): Validator {
  const properties = policiesOf(places).filter((one) => !needsScripts(one))
  return (object, only) =>
    properties.filter(isConcernedBy(only)).flatMap((one) => judged(one, { object, mappingExists }).failures)
}

/** Policies for which scripts have to run. */
export type ScriptedPolicies = (object: JsonObject, about: Validation) => Promise<readonly FailedProperty[]>

interface Validation {
  /** `managed/user/jdoe`, or `managed/user/*` for an object that is not there yet. */
  readonly resourcePath: string
  /** As a patch names them. */
  readonly only?: ReadonlySet<string> | undefined
  readonly request: RequestContext
}

/** Undefined for a type whose policies need no script. */
export function scriptedPolicies(
  places: readonly Place[],
  scripts: TypeScripts,
  own: OwnPolicies,
  mappingExists: MappingExists,
): ScriptedPolicies | undefined {
  const properties = policiesOf(places).filter(needsScripts)
  if (properties.length === 0) return undefined
  return async (object, about) => {
    const { only, resourcePath, request } = about
    const failures: FailedProperty[] = []
    const calls: OwnPolicyCall[] = []
    for (const property of properties.filter(isConcernedBy(only))) {
      const verdicts = await verdictsOf(property, object, scripts, about)
      const found = judged(property, { object, mappingExists }, verdicts)
      failures.push(...found.failures)
      calls.push(...found.calls)
    }
    return [...failures, ...(await own.run(calls, { fullObject: object, resourcePath }, request))]
  }
}

/** The scripts whose condition holds: by any value that is true-like. */
async function verdictsOf(
  { conditional }: PropertyPolicies,
  object: JsonObject,
  scripts: TypeScripts,
  { resourcePath, request }: Validation,
): Promise<ReadonlySet<string>> {
  const holding = new Set<string>()
  const variables = { fullObject: object, object, resourceName: resourcePath }
  for (const { dependencies, judge } of conditional)
    if (typeof judge === 'string' && areThere(dependencies, object))
      if (isTrueLike((await scripts.run(judge, variables, request)).value)) holding.add(judge)
  return holding
}

/** What built-in policies find wrong, and which of the project's are to be asked. */
function judged(
  { place, own, conditional, fallback }: PropertyPolicies,
  about: Validated,
  verdicts: ReadonlySet<string> = new Set(),
) {
  const holding = conditional.filter(
    ({ dependencies, judge }) =>
      areThere(dependencies, about.object) &&
      (typeof judge === 'string' ? verdicts.has(judge) : (judge?.(about.object) ?? true)),
  )
  const counting = holding.length > 0 ? holding.map(({ policies }) => policies) : [fallback]
  const asked = [...own, ...counting.flatMap((policies) => policies.own)]
  const failures: FailedProperty[] = []
  const calls: OwnPolicyCall[] = []
  for (const { pointer, value } of spotsAt(about.object, place.path)) {
    if (isSealed(place.property, value)) continue
    const property = pointer.join('/')
    for (const { check } of counting) {
      const policyRequirements = check(value, about)
      if (policyRequirements) failures.push({ property, policyRequirements })
    }
    for (const { policyId, params = {} } of asked) calls.push({ policyId, value, params, property })
  }
  return { failures, calls }
}

/** The properties that have conditional policies, or policies of the project. */
function policiesOf(places: readonly Place[]): readonly PropertyPolicies[] {
  return places.flatMap((place) => {
    const { policies, conditionalPolicies, fallbackPolicies } = place.property
    const own = (policies ?? []).filter(isOwn)
    const conditional = (conditionalPolicies ?? []).map((one, index) => ({
      dependencies: (one.dependencies ?? []).map(parsePointer),
      judge: judgeOf(place, one.condition, index),
      policies: compiled(one.policies),
    }))
    const nothing = own.length + conditional.length + (fallbackPolicies ?? []).length === 0
    return nothing ? [] : [{ place, own, conditional, fallback: compiled(fallbackPolicies) }]
  })
}

function compiled(references: PropertySchema['policies']): Policies {
  const all = references ?? []
  return { own: all.filter(isOwn), check: compileValue({ policies: all.filter((one) => !isOwn(one)) }) }
}

function judgeOf({ path }: Place, condition: Json | undefined, index: number): Conditional['judge'] {
  if (typeof condition === 'string') return compileFilter(parseFilter(condition))
  return isJsonObject(condition) ? conditionScript(path, index) : undefined
}

function needsScripts({ own, conditional, fallback }: PropertyPolicies): boolean {
  return (
    own.length + fallback.own.length > 0 ||
    conditional.some(({ judge, policies }) => typeof judge === 'string' || policies.own.length > 0)
  )
}

/** A patch names the properties of the object itself that it touches. */
function isConcernedBy(only: ReadonlySet<string> | undefined) {
  return ({ place }: PropertyPolicies) => only === undefined || only.has(String(place.path[0]))
}

function areThere(dependencies: readonly Pointer[], object: JsonObject): boolean {
  return dependencies.every((pointer) => getAt(object, pointer) !== undefined)
}

function isOwn({ policyId }: PolicyReference): boolean {
  return !isBuiltIn(policyId)
}
