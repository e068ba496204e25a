import { type GuardLimits, loosens, readGuard } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { readQuery } from '../../mapping/query.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { nearMiss } from '../../model/nearest.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { PlanFilters } from '../../plan/plan-line.ts'
import type { Rules } from '../page/rules.ts'
import type { PlanSource } from '../plans/plan-source.ts'

/** What a caller asks for: a mapping, one source object or all, and overrides for this run only (engine §7.1). */
export interface ReconciliationRequest {
  readonly mapping: string
  /** The mapping itself, of that name, instead of a configured one: for this run only. */
  readonly inline?: JsonObject | undefined
  /** `reconById`. */
  readonly sourceId?: string | undefined
  /** Assess and decide only. */
  readonly analyze?: boolean
  readonly persistAssociations?: boolean
  /** With `analyze`: let the hooks that shape a target do so, without writing. An analysis over REST does not. */
  readonly foreseeHooks?: boolean
  readonly overrides?: JsonObject
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

/** The mapping's settings with a run's overrides; BAD_REQUEST names the override that is wrong. */
export function settingsFor(
  { source, target, reconciliation }: Mapping,
  overrides: JsonObject = {},
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
  return {
    ...reconciliation,
    sourceQuery: queryOverride('sourceQuery', source),
    targetQuery: queryOverride('targetQuery', target),
    ...Object.fromEntries(given),
    guard: guardFor(reconciliation.guard, overrides),
  }
}

const overridden = [...flags, 'sourceQuery', 'targetQuery', 'guard', 'overrideGuard', 'reason'] as const

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
  if (!loosens(limits, result) || reasonIn(overrides) !== undefined) return result
  throw new Problem('BAD_REQUEST', 'to allow more than the guard does needs a reason', {
    hint: 'Say why: `--override-guard --reason "…"`, or "overrideGuard": true and "reason": "…" in the request. It is audited.',
  })
}

/** Why the guard is overridden, as it is audited; undefined where it is not. */
export function overrideOf(limits: GuardLimits, overrides: JsonObject): string | undefined {
  return loosens(limits, guardFor(limits, overrides)) ? reasonIn(overrides) : undefined
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
  sourceId: string | undefined,
  override: string | undefined,
): JsonObject {
  const targetQuery = settings.targetQuery.configured
  const released = override === undefined ? {} : { overrideGuard: true, reason: override }
  if (sourceId !== undefined) return { sourceIds: [sourceId], targetQuery, ...released }
  return { sourceQuery: settings.sourceQuery.configured, targetQuery, ...released }
}
