import { type GuardLimits, loosens, readGuard } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { readQuery } from '../../mapping/query.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { nearMiss } from '../../model/nearest.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { PlanFilters } from '../../plan/plan-line.ts'
import type { Rules } from '../page/rules.ts'
import type { PlanSource } from '../plans/plan-source.ts'
import type { Retry } from './retry.ts'

/** What a caller asks for: a mapping, one source object or all, and overrides for this run only (engine §7.1). */
export interface ReconciliationRequest {
  readonly mapping: string
  /** The mapping itself, of that name, instead of a configured one: for this run only. */
  readonly inline?: JsonObject | undefined
  /** `reconById`. */
  readonly sourceId?: string | undefined
  /** What failed in an earlier run, in place of what the queries find. */
  readonly retry?: Retry | undefined
  /** Assess and decide only. */
  readonly analyze?: boolean
  readonly persistAssociations?: boolean
  /** With `analyze`: let the hooks that shape a target do so, without writing. An analysis over REST does not. */
  readonly foreseeHooks?: boolean
  readonly overrides?: JsonObject
  /** With `analyze`: not what the queries find, but what undoes this run. */
  readonly undoes?: string | undefined
  /** A plan to perform, in place of what the queries find; its own overrides count, and `overrides` on top. */
  readonly plan?: PlanSource
  readonly planFilters?: PlanFilters
}

const flags = [
  'runTargetPhase',
  'allowEmptySourceSet',
  'sourceQueryFullEntry',
  'targetQueryFullEntry',
  'cleanUpLinks',
] as const

/** The mapping's settings with a run's overrides; BAD_REQUEST names the override that is wrong. `sourceId`: the run is of one object. */
export function settingsFor(
  { source, target, reconciliation }: Mapping,
  overrides: JsonObject = {},
  sourceId?: string,
): Mapping['reconciliation'] {
  const queryOverride = (name: 'sourceQuery' | 'targetQuery', resource: string) => {
    const override = overrides[name]
    if (override === undefined || override === null) return reconciliation[name]
    if (!isJsonObject(override)) throw new Problem('BAD_REQUEST', `${name} must be a query object`)
    return readQuery(override, resource)
  }
  requireKnownNames(overrides, overridden, 'an override of a run')
  const given = flags.flatMap((flag) =>
    overrides[flag] === undefined ? [] : [[flag, booleanIn(flag, overrides[flag])]],
  )
  if (sourceId === undefined && allowsEmptySource(reconciliation, overrides))
    requireReason(overrides, emptySource)
  return {
    ...reconciliation,
    sourceQuery: queryOverride('sourceQuery', source),
    targetQuery: queryOverride('targetQuery', target),
    ...Object.fromEntries(given),
    guard: guardFor(reconciliation.guard, overrides),
    maxFailures: maxFailuresIn(overrides) ?? reconciliation.maxFailures,
  }
}

const overridden = [
  ...flags,
  'sourceQuery',
  'targetQuery',
  'guard',
  'overrideGuard',
  'reason',
  'maxFailures',
] as const

function maxFailuresIn({ maxFailures }: JsonObject): number | undefined {
  if (maxFailures === undefined || maxFailures === null) return undefined
  const most =
    typeof maxFailures === 'string' && maxFailures.trim() !== '' ? Number(maxFailures) : maxFailures
  if (typeof most === 'number' && Number.isSafeInteger(most) && most >= 0) return most
  throw new Problem(
    'BAD_REQUEST',
    `maxFailures must be a whole number from 0, not ${JSON.stringify(maxFailures)}`,
  )
}

/** A misspelt restriction is an error, for without it more would be worked than is meant. Other names are ignored. */
export function requireKnownNames(given: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(given)) {
    const meant = known.includes(name) ? undefined : nearMiss(name, known)
    if (meant !== undefined && !Object.hasOwn(given, meant))
      throw new Problem('BAD_REQUEST', `${name} is not ${what}; did you mean ${meant}?`)
  }
}

/** `overrideGuard` is the same as `guard: false`. What allows more than the mapping does needs a reason, which is audited. */
function guardFor(limits: GuardLimits, overrides: JsonObject): GuardLimits {
  const { guard, overrideGuard = false } = overrides
  const off = booleanIn('overrideGuard', overrideGuard)
  const result = guardIn(off ? false : guard, limits)
  if (loosens(limits, result)) requireReason(overrides, guardReleased)
  return result
}

const guardReleased = {
  fact: 'to allow more than the guard does needs a reason',
  how: '`--override-guard --reason "…"`, or "overrideGuard": true and "reason": "…" in the request',
}
const emptySource = {
  fact: 'to take an empty source for a true one needs a reason, because the mapping does not allow it',
  how: '`--allow-empty-source --reason "…"`, or "allowEmptySourceSet": true and "reason": "…" in the request',
}

function requireReason(overrides: JsonObject, { fact, how }: { fact: string; how: string }): void {
  if (reasonIn(overrides) === undefined)
    throw new Problem('BAD_REQUEST', fact, { hint: `Say why: ${how}. It is audited.` })
}

function allowsEmptySource(
  { allowEmptySourceSet }: Mapping['reconciliation'],
  { allowEmptySourceSet: given }: JsonObject,
): boolean {
  return !allowEmptySourceSet && given !== undefined && booleanIn('allowEmptySourceSet', given)
}

/** What of the mapping's guards a run does not heed, and why, as it is recorded; empty where it heeds them all. */
export function releasesOf(settings: Mapping['reconciliation'], overrides: JsonObject): Releases {
  const reason = reasonIn(overrides)
  const overrideGuard = loosens(settings.guard, guardFor(settings.guard, overrides))
  const allowEmptySourceSet = allowsEmptySource(settings, overrides)
  if (reason === undefined || !(overrideGuard || allowEmptySourceSet)) return {}
  return {
    ...(overrideGuard && { overrideGuard }),
    ...(allowEmptySourceSet && { allowEmptySourceSet }),
    reason,
  }
}

type Releases = {
  readonly overrideGuard?: true
  readonly allowEmptySourceSet?: true
  readonly reason?: string
}

function reasonIn({ reason }: JsonObject): string | undefined {
  const text = typeof reason === 'string' ? reason.trim() : ''
  return text === '' ? undefined : text
}

/** `false` and `off` take all limits away; an object replaces those that it names. */
function guardIn(override: Json | undefined, limits: GuardLimits): GuardLimits {
  const off = typeof override === 'string' && ['off', 'false'].includes(override.toLowerCase())
  try {
    return readGuard(off ? false : override, limits)
  } catch (cause) {
    throw new Problem('BAD_REQUEST', asProblem(cause).message, { cause })
  }
}

/** A plan holds for the configuration that it was made with. */
export function requireSameConfiguration({ header }: PlanSource, { mapping, digest }: Rules): void {
  const { after = [] } = header
  if (after.length > 0)
    throw new Problem('BAD_REQUEST', `the plan holds only when ${after.join(', ')} had been performed`, {
      status: 409,
      hint: 'Perform the plans of these mappings first; then make a new plan of this one, and apply that.',
    })
  if (header.mapping === mapping.name && header.configuration === digest) return
  const fact =
    header.mapping === mapping.name
      ? `the plan was made with another configuration of the mapping ${mapping.name}`
      : `the plan is one of the mapping ${header.mapping}, not of ${mapping.name}`
  throw new Problem('BAD_REQUEST', fact, {
    status: 409,
    hint: 'Make a new plan, look at what it changes now, and apply that.',
  })
}

/** Booleans of a request body, or their text, in any case, as query parameters carry it. */
export function booleanIn(name: string, value: Json | undefined): boolean {
  const asked = typeof value === 'string' ? value.toLowerCase() : value
  if (asked === true || asked === 'true') return true
  if (asked === false || asked === 'false') return false
  throw new Problem('BAD_REQUEST', `${name} must be true or false, not ${JSON.stringify(value)}`)
}

/** The run object's `parameters`. */
export function parametersOf(
  settings: Mapping['reconciliation'],
  { sourceId, retry }: Pick<ReconciliationRequest, 'sourceId' | 'retry'>,
  releases: Releases,
): JsonObject {
  const targetQuery = settings.targetQuery.configured
  if (retry) return { retryOf: retry.runId, ...(retry.cause && { cause: retry.cause }), ...releases }
  if (sourceId !== undefined) return { sourceIds: [sourceId], targetQuery, ...releases }
  return { sourceQuery: settings.sourceQuery.configured, targetQuery, ...releases }
}
