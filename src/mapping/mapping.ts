import type { Filter } from '../model/filter/filter.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { Pointer } from '../model/pointer.ts'
import type { ScriptName } from './call.ts'
import type { ChangeSettings } from './changes.ts'
import type { Grace } from './grace.ts'
import type { GuardLimits } from './guard.ts'
import type { Action, Situation } from './situation.ts'

/**
 * A compiled mapping: plain data with everything resolved (pointers parsed, filters parsed, names normalized, link
 * set known). It is passed to the sandbox unchanged. It refers to scripts by their names in the mapping's program.
 */
export interface Mapping {
  readonly name: string
  readonly source: string
  readonly target: string
  readonly links: LinkUse
  readonly qualifiers: Qualifiers
  /** True: only source objects whose `consentedMappings` names the mapping qualify. The consent service is on. */
  readonly consentRequired: boolean
  readonly validSource: ScriptName | undefined
  readonly validTarget: ScriptName | undefined
  readonly sourceCondition: Condition | undefined
  readonly correlation: Correlation
  readonly correlateEmptyTargetSet: boolean
  readonly properties: readonly PropertyMapping[]
  readonly policies: readonly Policy[]
  readonly hooks: Readonly<Partial<Record<Hook, ScriptName>>>
  readonly reconciliation: ReconciliationSettings
  readonly changes: ChangeSettings
  /** Undefined: a DELETE deletes at once. */
  readonly grace: Grace | undefined
  /** By which attributes people call its objects; empty: by the common ones. */
  readonly displayAttributes: readonly string[]
  /** The mapping as configured, for the script variable `mappingConfig`. */
  readonly configuration: JsonObject
}

export const hooks = [
  'onMapping',
  'onCreate',
  'onUpdate',
  'onDelete',
  'onLink',
  'onUnlink',
  'postMapping',
  'onError',
  'onRecon',
  'result',
] as const
export type Hook = (typeof hooks)[number]

/** How a mapping uses a link set (engine §5.2–§5.6). */
export interface LinkUse {
  readonly enabled: boolean
  readonly type: string
  /** True: the set belongs to a mapping in the opposite direction, so this mapping's sources are its `secondId`s. */
  readonly reversed: boolean
  readonly sourceIgnoresCase: boolean
  readonly targetIgnoresCase: boolean
}

export type Qualifiers =
  | { readonly kind: 'fixed'; readonly names: readonly string[] }
  | { readonly kind: 'script'; readonly script: ScriptName }

export type Condition =
  | { readonly kind: 'filter'; readonly filter: Filter }
  | { readonly kind: 'script'; readonly script: ScriptName }

export type Correlation =
  | { readonly kind: 'none' }
  | { readonly kind: 'queries'; readonly byQualifier: Readonly<Record<string, CorrelationQuery>> }
  | { readonly kind: 'script'; readonly script: ScriptName }

export type CorrelationQuery =
  | { readonly kind: 'script'; readonly script: ScriptName }
  | { readonly kind: 'tree'; readonly tree: ExpressionTree }

/** engine §6.3: names are target properties, or further trees. */
export interface ExpressionTree {
  readonly operator: 'any' | 'all'
  readonly operands: readonly (string | ExpressionTree)[]
}

export interface PropertyMapping {
  readonly target: Pointer
  /** Absent: the value starts as null. */
  readonly source: Pointer | undefined
  readonly condition: Condition | undefined
  readonly transform: ScriptName | undefined
  readonly default: Json | undefined
}

export interface Policy {
  readonly situation: Situation
  readonly action:
    | { readonly kind: 'action'; readonly action: Action }
    | { readonly kind: 'script'; readonly script: ScriptName }
  readonly condition: Condition | undefined
  readonly postAction: ScriptName | undefined
  /** ms that a target is kept disabled before this DELETE; absent: as the mapping says. */
  readonly deleteAfter?: number | undefined
}

/** A query as configured: what to read from which resource. */
export interface QuerySettings {
  readonly resourceName: string
  readonly filter: Filter
  /** Exactly as in the configuration or request, for the run object. */
  readonly configured: JsonObject
  readonly fields: readonly Pointer[] | undefined
  readonly parameters: Readonly<Record<string, string>>
}

export interface ReconciliationSettings {
  readonly sourceQuery: QuerySettings
  readonly targetQuery: QuerySettings
  readonly sourceQueryFullEntry: boolean | undefined
  readonly targetQueryFullEntry: boolean | undefined
  /** The fields to read of source objects if the query names no `_fields`; undefined: all. */
  readonly sourceFields: readonly Pointer[] | undefined
  /** The fields of target objects that scripts and properties see; undefined: all. */
  readonly targetFields: readonly Pointer[] | undefined
  readonly runTargetPhase: boolean | undefined
  readonly allowEmptySourceSet: boolean
  readonly guard: GuardLimits
  /** A run in which more objects fail is stopped; undefined: none is. */
  readonly maxFailures: number | undefined
  /** 0 or 1: objects are processed strictly one after the other. */
  readonly taskThreads: number
  /** Objects decided and written together. */
  readonly pageSize: number
  /** How many source objects, or target ids, one request reads. */
  readonly sourcePageSize: number
  readonly targetPageSize: number
  /** After the target phase, delete links whose two ends no longer exist. */
  readonly cleanUpLinks: boolean
  readonly storedRuns: { readonly analysis: number; readonly others: number }
}
