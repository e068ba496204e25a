import type { Filter } from '../model/filter/filter.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { Pointer } from '../model/pointer.ts'
import type { ScriptName } from './call.ts'
import type { ChangeSettings } from './changes.ts'
import type { GuardLimits } from './guard.ts'
import type { Action, Situation } from './situation.ts'

/**
 * A compiled mapping: plain data with everything resolved (pointers parsed, filters parsed, names normalized, link
 * set known). It crosses into the sandbox as it is; scripts stand in it by the name under which the program
 * that goes with it holds them.
 */
export interface Mapping {
  readonly name: string
  readonly source: string
  readonly target: string
  readonly links: LinkUse
  readonly qualifiers: Qualifiers
  /** Only source objects whose `consentedMappings` names the mapping qualify: the consent service is on. */
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
  /** True: the set is another mapping's in the opposite direction, so this mapping's sources are its `secondId`s. */
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
}

/** A query as configuration states it: what to read of which resource. */
export interface QuerySettings {
  readonly resourceName: string
  readonly filter: Filter
  /** Exactly as in the configuration or request, for the run object. */
  readonly stated: JsonObject
  readonly fields: readonly Pointer[] | undefined
  readonly parameters: Readonly<Record<string, string>>
}

export interface ReconciliationSettings {
  readonly sourceQuery: QuerySettings
  readonly targetQuery: QuerySettings
  readonly sourceQueryFullEntry: boolean | undefined
  readonly targetQueryFullEntry: boolean | undefined
  /** What is read of source objects where the query names no `_fields`; undefined: everything. */
  readonly sourceFields: readonly Pointer[] | undefined
  /** What scripts and properties see of target objects; undefined: everything. */
  readonly targetFields: readonly Pointer[] | undefined
  readonly runTargetPhase: boolean | undefined
  readonly allowEmptySourceSet: boolean
  readonly guard: GuardLimits
  /** 0 or 1: objects are worked strictly one after the other. */
  readonly taskThreads: number
  /** Objects decided and written together. */
  readonly pageSize: number
  /** Objects that one request to the source, or for ids of the target, asks for. */
  readonly sourcePageSize: number
  readonly targetPageSize: number
  /** Delete links whose two ends are both gone, after the target phase. */
  readonly cleanUpLinks: boolean
  readonly storedRuns: { readonly analysis: number; readonly others: number }
}
