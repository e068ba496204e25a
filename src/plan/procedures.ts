import type { Call } from '../mapping/call.ts'
import { holds } from '../mapping/condition.ts'
import { treeFilter } from '../mapping/correlation.ts'
import type { Condition, Mapping, Policy, PropertyMapping } from '../mapping/mapping.ts'
import { readQuery } from '../mapping/query.ts'
import { isSituation } from '../mapping/situation.ts'
import type { Filter } from '../model/filter/filter.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { decide, matchingPolicy, type PolicyScope } from './decide.ts'
import { explainChoice, explainShape } from './explain.ts'
import { type ShapeInput, shape, shapeTellingHooked } from './shape.ts'

/**
 * The decision's steps as procedures: functions of one JSON input, made once for a compiled mapping. They run beside
 * the scripts in the sandbox, so that all scripts of one object cross the boundary together, or in the host
 * itself where a mapping's step uses no script. One copy of the rules serves both.
 */
type Procedure = (input: Json, call: Call) => Json | undefined
const mappingOf = (settings: Json) => settings as unknown as Mapping

/**
 * {source, linkQualifier} → {qualifies, reason}: `validSource` and then `sourceCondition` (engine §1, "qualifies"). Without the
 * consent that a mapping requires, no script sees the object.
 */
export function qualify(settings: Json): Procedure {
  const { name, consentRequired, validSource, sourceCondition } = mappingOf(settings)
  return (input, call) => {
    const { source, linkQualifier } = input as JsonObject
    if (consentRequired && !hasConsent(source, name)) return { qualifies: false, reason: 'consentRequired' }
    if (!isTrue('validSource', validSource, { source, linkQualifier }, call))
      return { qualifies: false, reason: 'validSource' }
    const qualifies = holds(sourceCondition, { source, linkQualifier }, call)
    return { qualifies, reason: qualifies ? null : 'sourceCondition' }
  }
}

/** Some versions of the user schema nest the list once more. */
function hasConsent(source: Json | undefined, mapping: string): boolean {
  const consented = isJsonObject(source) ? source.consentedMappings : undefined
  if (!Array.isArray(consented)) return false
  return consented.flat().some((entry) => isJsonObject(entry) && entry.mapping === mapping)
}

/** {source, linkQualifier} → boolean: `validSource` alone, as a source that was deleted is asked (engine §3.3). */
export function acceptSource(settings: Json): Procedure {
  const { validSource } = mappingOf(settings)
  return (input, call) => {
    const { source, linkQualifier } = input as JsonObject
    return isTrue('validSource', validSource, { source, linkQualifier }, call)
  }
}

/** {target, linkQualifier} → boolean: `validTarget`. */
export function acceptTarget(settings: Json): Procedure {
  const { validTarget } = mappingOf(settings)
  return (input, call) => {
    const { target, linkQualifier } = input as JsonObject
    return isTrue('validTarget', validTarget, { target, linkQualifier }, call)
  }
}

function isTrue(
  hook: string,
  script: string | undefined,
  variables: Record<string, unknown>,
  call: Call,
): boolean {
  if (script === undefined) return true
  const value = call(script, variables)
  if (typeof value === 'boolean') return value
  throw new Error(`Expecting boolean value from ${hook}, got ${value === null ? 'null' : typeof value}`)
}

/** {object, oldValue, returnAll} → string[]: the qualifiers of one source object, or all there are (engine §5.3). */
export function qualifiers(settings: Json): Procedure {
  const { qualifiers: configured, name } = mappingOf(settings)
  return (input, call) => {
    if (configured.kind === 'fixed') return [...configured.names]
    const { object, oldValue, returnAll } = input as JsonObject
    const names = call(configured.script, { mapping: name, object, oldValue, returnAll })
    if (Array.isArray(names) && names.every((one) => typeof one === 'string' && one !== ''))
      return [...new Set(names)]
    throw new Error('the linkQualifiers script must return an array of non-empty strings')
  }
}

/**
 * {source, linkQualifier} → {filter, resourceName} | {objects} | null (no correlation configured or possible): what
 * to ask the target, or what the script found itself (engine §6).
 */
export function correlate(settings: Json): Procedure {
  const mapping = mappingOf(settings)
  const { correlation, properties, target } = mapping
  return (input, call) => {
    const { source, linkQualifier } = input as { source: JsonObject; linkQualifier: string }
    if (correlation.kind === 'none') return null
    if (correlation.kind === 'script')
      return foundByScript(call(correlation.script, { source, linkQualifier }))
    const query = correlation.byQualifier[linkQualifier]
    if (!query) return null
    if (query.kind === 'tree') {
      return asQuestion(treeFilter(query.tree, properties, { source, linkQualifier }, call), target)
    }
    const stated = call(query.script, { source, linkQualifier })
    if (stated === null || stated === undefined) return null
    if (!isJsonObject(stated))
      throw new Error('the correlationQuery script must return a query object such as {_queryFilter: …}')
    return questionIn(stated, target)
  }
}

function questionIn(stated: JsonObject, target: string): Json {
  try {
    const { filter, resourceName } = readQuery(stated, target)
    return asQuestion(filter, resourceName)
  } catch (cause) {
    const asked = JSON.stringify(stated._queryFilter ?? stated.queryFilter ?? stated)
    throw new Error(`the correlationQuery script returned ${asked}: ${(cause as Error).message}`, { cause })
  }
}

function asQuestion(filter: Filter | undefined, resourceName: string): Json {
  return filter ? { filter: filter as unknown as Json, resourceName } : null
}

function foundByScript(result: unknown): Json {
  if (result === null || result === undefined) return { objects: [] }
  const objects = Array.isArray(result) ? result : (result as { result?: unknown }).result
  if (
    !Array.isArray(objects) ||
    !objects.every((object) => isJsonObject(object) && typeof object._id === 'string')
  ) {
    throw new Error('the correlationScript must return an array of objects with _id')
  }
  return { objects: objects.map(({ _id }) => ({ _id })) }
}

/** {situation, …PolicyScope} → {action, policy}. */
export function choose(settings: Json): Procedure {
  const mapping = mappingOf(settings)
  return (input, call) => {
    const { situation, ...scope } = input as JsonObject
    if (!isSituation(situation)) throw new Error(`${JSON.stringify(situation)} is not a situation`)
    return { ...decide(mapping, situation, scope as unknown as PolicyScope, call) }
  }
}

/** ShapeInput → {changes, desired?, hooked?}. */
export function shapeTarget(settings: Json): Procedure {
  const mapping = mappingOf(settings)
  return (input, call) => {
    const shapeInput = input as unknown as ShapeInput
    const shaped = (shapeInput.tellsHooked ? shapeTellingHooked : shape)(mapping, shapeInput, call)
    return shaped as unknown as Json
  }
}

/** {script, variables} → the variable `target` after the script ran: only an `onLink` before an update may keep it. */
export function runHook(settings: Json): Procedure {
  const mappingConfig = mappingOf(settings).configuration
  return (input, call) => {
    const { script, variables } = input as { script: string; variables: JsonObject }
    call(script, { ...variables, mappingConfig })
    return variables.target ?? null
  }
}

/** {script, variables} → null: a `postAction`, which is no hook of the mapping and does not see its configuration. */
export function runPostAction(): Procedure {
  return (input, call) => {
    const { script, variables } = input as { script: string; variables: JsonObject }
    call(script, variables)
    return null
  }
}

/** {situation, source, linkQualifier} → {policy}: which policy would decide, without asking its action (engine §8.6). */
export function matchPolicy(settings: Json): Procedure {
  const mapping = mappingOf(settings)
  return (input, call) => {
    const { situation, ...scope } = input as JsonObject
    if (!isSituation(situation)) throw new Error(`${JSON.stringify(situation)} is not a situation`)
    const policy = matchingPolicy(mapping, situation, scope as unknown as PolicyScope, call)
    return policy === undefined ? {} : { policy }
  }
}

/** {situation, source, linkQualifier, shape?: ShapeInput} → {policies, attributes}: why a decision came out as it did. */
export function explain(settings: Json): Procedure {
  const mapping = mappingOf(settings)
  return (input, call) => {
    const { situation, shape: shaped, ...scope } = input as JsonObject
    if (!isSituation(situation)) throw new Error(`${JSON.stringify(situation)} is not a situation`)
    const policies = explainChoice(mapping, situation, scope as unknown as PolicyScope, call)
    const attributes = shaped ? explainShape(mapping, shaped as unknown as ShapeInput, call) : []
    return { policies, attributes } as unknown as Json
  }
}

/** Every procedure by its name; made for a mapping, they answer one object at a time. */
export const procedures = {
  qualify,
  acceptSource,
  acceptTarget,
  qualifiers,
  correlate,
  choose,
  shapeTarget,
  runHook,
  runPostAction,
  matchPolicy,
  explain,
}
export type ProcedureName = keyof typeof procedures
export const program = { address: import.meta.url, procedures }

/** Which procedures of a mapping reach a script; the others may run without the sandbox. */
export function usesScripts(mapping: Mapping): Readonly<Record<ProcedureName, boolean>> {
  const { correlation, properties, policies, hooks } = mapping
  return {
    qualify: mapping.validSource !== undefined || scripted(mapping.sourceCondition),
    acceptSource: mapping.validSource !== undefined,
    acceptTarget: mapping.validTarget !== undefined,
    qualifiers: mapping.qualifiers.kind === 'script',
    correlate:
      correlation.kind === 'script' || (correlation.kind === 'queries' && correlationIsScripted(mapping)),
    choose: policies.some((policy: Policy) => policy.action.kind === 'script' || scripted(policy.condition)),
    shapeTarget:
      properties.some(propertyIsScripted) || Boolean(hooks.onMapping ?? hooks.onCreate ?? hooks.onUpdate),
    runHook: true,
    runPostAction: true,
    matchPolicy: policies.some((policy: Policy) => scripted(policy.condition)),
    explain: true,
  }
}

function correlationIsScripted({ correlation, properties }: Mapping): boolean {
  if (correlation.kind !== 'queries') return false
  const queries = Object.values(correlation.byQualifier)
  return queries.some(({ kind }) => kind === 'script') || properties.some(propertyIsScripted)
}

function propertyIsScripted({ condition, transform }: PropertyMapping): boolean {
  return transform !== undefined || scripted(condition)
}

function scripted(condition: Condition | undefined): boolean {
  return condition?.kind === 'script'
}
