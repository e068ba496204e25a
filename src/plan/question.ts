import type { Call } from '../mapping/call.ts'
import { holds } from '../mapping/condition.ts'
import { treeFilter } from '../mapping/correlation.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { readQuery } from '../mapping/query.ts'
import { copy } from '../model/equality.ts'
import type { Filter } from '../model/filter/filter.ts'
import { isJsonObject, type JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'

/** A source object under one link qualifier, before anything is read of the target. */
export interface SourceInQuestion {
  /** Null for one that is gone. */
  readonly source: JsonObject | null
  /** As it was before the change that is synchronized; of a source that is gone, all that there is to ask about. */
  readonly oldSource?: JsonObject | undefined
  readonly linkQualifier: string
  /** False where a link, or the caller, has named the target already. */
  readonly correlates: boolean
}

export interface Question {
  /** Of a source that is gone: `validSource` accepted it as it was (engine §3.3). */
  readonly qualifies: boolean
  /** Which rule said no. */
  readonly disqualifiedBy?: string | undefined
  /** What to ask the target; null if correlation is not needed, not configured, or not possible. */
  readonly correlation: CorrelationQuestion | null
}

export type CorrelationQuestion =
  | { readonly kind: 'filter'; readonly filter: Filter; readonly resourceName: string }
  /** A script has looked itself. */
  | { readonly kind: 'found'; readonly ids: readonly string[] }

/** Does the object qualify, and what is the target to be asked about it? Pure given the scripts. */
export function question(asked: SourceInQuestion, mapping: Mapping, call: Call): Question {
  const { source, oldSource, linkQualifier, correlates } = asked
  const object = source ?? oldSource
  if (!object) return { qualifies: true, correlation: null }
  // What one script makes of its variables is not for the next.
  const scripted = mapping.validSource !== undefined || mapping.sourceCondition?.kind === 'script'
  const scope = { source: scripted && correlates ? copy(object) : object, linkQualifier }
  const verdict = source ? qualify(mapping, scope, call) : acceptsSource(mapping, scope, call)
  const correlation = correlates ? correlationOf(mapping, { source: object, linkQualifier }, call) : null
  return { ...verdict, correlation }
}

interface Scope {
  readonly source: JsonObject
  readonly linkQualifier: string
}

export type Verdict = Pick<Question, 'qualifies' | 'disqualifiedBy'>

/**
 * `validSource` and then `sourceCondition` (engine §1, "qualifies"). Without the consent that a mapping requires, no script sees the
 * object.
 */
export function qualify(
  mapping: Pick<Mapping, 'name' | 'consentRequired' | 'validSource' | 'sourceCondition'>,
  { source, linkQualifier }: Scope,
  call: Call,
): Verdict {
  if (mapping.consentRequired && !hasConsent(source, mapping.name)) return refusedBy('consentRequired')
  if (!isTrue('validSource', mapping.validSource, { source, linkQualifier }, call))
    return refusedBy('validSource')
  return holds(mapping.sourceCondition, { source, linkQualifier }, call)
    ? { qualifies: true }
    : refusedBy('sourceCondition')
}

function refusedBy(rule: string): Verdict {
  return { qualifies: false, disqualifiedBy: rule }
}

/** A source that was deleted is asked for `validSource` alone (engine §3.3). */
function acceptsSource({ validSource }: Mapping, { source, linkQualifier }: Scope, call: Call): Verdict {
  return { qualifies: isTrue('validSource', validSource, { source, linkQualifier }, call) }
}

export function acceptsTarget(
  { validTarget }: Pick<Mapping, 'validTarget'>,
  target: JsonObject,
  linkQualifier: string,
  call: Call,
): boolean {
  return isTrue('validTarget', validTarget, { target, linkQualifier }, call)
}

/** Some versions of the user schema nest the list once more. */
function hasConsent({ consentedMappings }: JsonObject, mapping: string): boolean {
  if (!Array.isArray(consentedMappings)) return false
  return consentedMappings.flat().some((entry) => isJsonObject(entry) && entry.mapping === mapping)
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
  const found = value === null ? 'null' : typeof value
  throw new Problem('SCRIPT_FAILED', `Expecting boolean value from ${hook}, got ${found}`)
}

/** Which object the qualifiers are asked for; `returnAll`: all there are (engine §5.3). */
export interface QualifiersInQuestion {
  readonly object: JsonObject | null
  readonly oldValue: JsonObject | null
  readonly returnAll: boolean
}

export function qualifiers(
  { object, oldValue, returnAll }: QualifiersInQuestion,
  { qualifiers: configured, name }: Pick<Mapping, 'qualifiers' | 'name'>,
  call: Call,
): readonly string[] {
  if (configured.kind === 'fixed') return configured.names
  const names = call(configured.script, { mapping: name, object, oldValue, returnAll })
  const found = Array.isArray(names) ? names.filter((one) => typeof one === 'string') : []
  if (Array.isArray(names) && names.length === found.length && !found.includes('')) return [...new Set(found)]
  throw new Problem('SCRIPT_FAILED', 'the linkQualifiers script must return an array of non-empty strings')
}

/** What to ask the target, or what the script found itself (engine §6). */
function correlationOf(
  { correlation, properties, target }: Mapping,
  scope: Scope,
  call: Call,
): CorrelationQuestion | null {
  if (correlation.kind === 'none') return null
  if (correlation.kind === 'script') return foundByScript(call(correlation.script, { ...scope }))
  const query = correlation.byQualifier[scope.linkQualifier]
  if (!query) return null
  if (query.kind === 'tree') {
    const filter = treeFilter(query.tree, properties, scope, call)
    return filter ? { kind: 'filter', filter, resourceName: target } : null
  }
  const answer = call(query.script, { ...scope })
  if (answer === null) return null
  if (isJsonObject(answer)) return queryIn(answer, target)
  const wanted = 'the correlationQuery script must return a query object such as {_queryFilter: …}'
  throw new Problem('SCRIPT_FAILED', answer === undefined ? `${wanted}; ${withoutValue}` : wanted)
}

/** Not the same as null: such a script has usually lost its result, and every source would be taken for new. */
const withoutValue = 'it ended without a value (null means: nothing to ask)'

function queryIn(answer: JsonObject, target: string): CorrelationQuestion {
  try {
    const { filter, resourceName } = readQuery(answer, target)
    return { kind: 'filter', filter, resourceName }
  } catch (cause) {
    const asked = JSON.stringify(answer._queryFilter ?? answer.queryFilter ?? answer)
    const why = cause instanceof Error ? cause.message : cause
    throw new Problem('SCRIPT_FAILED', `the correlationQuery script returned ${asked}: ${why}`)
  }
}

function foundByScript(result: unknown): CorrelationQuestion {
  if (result === null) return { kind: 'found', ids: [] }
  const objects = isJsonObject(result) ? result.result : result
  if (Array.isArray(objects)) {
    const ids = objects.flatMap((object: unknown) =>
      isJsonObject(object) && typeof object._id === 'string' ? [object._id] : [],
    )
    if (ids.length === objects.length) return { kind: 'found', ids }
  }
  const wanted = 'the correlationScript must return an array of objects with _id'
  throw new Problem('SCRIPT_FAILED', result === undefined ? `${wanted}; ${withoutValue}` : wanted)
}
