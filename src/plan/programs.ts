import type { Call } from '../mapping/call.ts'
import type { Condition, Mapping, PropertyMapping } from '../mapping/mapping.ts'
import type { JsonObject } from '../model/json.ts'
import { decide, type Facts } from './decide.ts'
import { type Explained, type Explanation, explain } from './explain.ts'
import {
  type QualifiersInQuestion,
  type Question,
  qualifiers,
  question,
  type SourceInQuestion,
} from './question.ts'
import { type Shaped, type ShapeInput, shaped } from './shape.ts'

/**
 * What runs beside the scripts of a mapping: the decision's functions, each one object at a time, so that all scripts of
 * an object cross the boundary together. Where a mapping's scripts have no part in them they run in the host itself.
 */
const procedures = {
  qualifiers: (mapping: Mapping) => (asked: QualifiersInQuestion, call: Call) =>
    qualifiers(asked, mapping, call),
  question:
    (mapping: Mapping) =>
    (asked: SourceInQuestion, call: Call): Question =>
      question(asked, mapping, call),
  decide: (mapping: Mapping) => (facts: Facts, call: Call) => decide(facts, mapping, call),
  /** For targets that are shaped later than decided, or once more. */
  shape:
    (mapping: Mapping) =>
    (input: ShapeInput, call: Call): Shaped =>
      shaped(mapping, input, call),
  explain:
    (mapping: Mapping) =>
    (asked: Explanation, call: Call): Explained =>
      explain(asked, mapping, call),
  hook:
    ({ configuration: mappingConfig }: Mapping) =>
    /** The variable `target` after the script ran: only an `onLink` before an update may keep it. */
    ({ script, variables }: ScriptCall, call: Call): JsonObject | null => {
      call(script, { ...variables, mappingConfig })
      return variables.target ?? null
    },
  /** A `postAction` is no hook of the mapping and does not see its configuration. */
  postAction:
    () =>
    ({ script, variables }: ScriptCall, call: Call): null => {
      call(script, variables)
      return null
    },
}

/** Hooks get the mapping as it is configured; every value of the compiled one is copied before a script gets it. */
const seenByScripts = ({ configuration }: Mapping) => configuration

export const program = { address: import.meta.url, procedures, seenByScripts }

export interface ScriptCall {
  readonly script: string
  readonly variables: JsonObject & { readonly target?: JsonObject | null }
}

export type DecisionName = keyof typeof procedures
export type DecisionInput<N extends DecisionName> = Parameters<ReturnType<(typeof procedures)[N]>>[0]
export type DecisionOutput<N extends DecisionName> = ReturnType<ReturnType<(typeof procedures)[N]>>

/** The same, for the host itself. */
export function proceduresOf(mapping: Mapping): {
  readonly [N in DecisionName]: (input: DecisionInput<N>, call: Call) => DecisionOutput<N>
} {
  return {
    qualifiers: procedures.qualifiers(mapping),
    question: procedures.question(mapping),
    decide: procedures.decide(mapping),
    shape: procedures.shape(mapping),
    explain: procedures.explain(mapping),
    hook: procedures.hook(mapping),
    postAction: procedures.postAction(),
  }
}

type ShapedFrom = Partial<Pick<ShapeInput, 'source' | 'oldSource'>> | Pick<Facts, 'source' | 'oldSource'>

/** Of which source an input shapes a target; undefined if it does not. */
export const shapedFrom: {
  readonly [N in DecisionName]: (input: DecisionInput<N>) => ShapedFrom | undefined
} = {
  qualifiers: () => undefined,
  question: () => undefined,
  decide: (facts) => (facts.wanted.until === 'shape' ? facts : undefined),
  shape: (input) => input,
  explain: ({ facts }) => facts,
  hook: () => undefined,
  postAction: () => undefined,
}

type ReachesScripts = { readonly [N in DecisionName]: (input: DecisionInput<N>) => boolean }

/** Which inputs reach a script of the mapping; the others may run without the sandbox. */
export function reachesScripts(mapping: Mapping): ReachesScripts {
  const { validSource, validTarget, properties, policies, hooks } = mapping
  const qualifies = validSource !== undefined || scripted(mapping.sourceCondition)
  const correlates = correlationIsScripted(mapping)
  const shapes =
    properties.some(propertyIsScripted) || Boolean(hooks.onMapping ?? hooks.onCreate ?? hooks.onUpdate)
  const chooses = policies.some(({ action, condition }) => action.kind === 'script' || scripted(condition))
  const decides = {
    source: chooses || shapes,
    deleted: chooses || validTarget !== undefined,
    target: chooses || shapes || qualifies || validTarget !== undefined,
  }
  return {
    qualifiers: () => mapping.qualifiers.kind === 'script',
    question: (asked) => qualifies || (correlates && asked.correlates),
    decide: ({ kind }) => decides[kind],
    shape: () => shapes,
    explain: () => chooses || shapes,
    hook: () => true,
    postAction: () => true,
  }
}

function correlationIsScripted({ correlation, properties }: Mapping): boolean {
  if (correlation.kind !== 'queries') return correlation.kind === 'script'
  const queries = Object.values(correlation.byQualifier)
  return queries.some(({ kind }) => kind === 'script') || properties.some(propertyIsScripted)
}

function propertyIsScripted({ condition, transform }: PropertyMapping): boolean {
  return transform !== undefined || scripted(condition)
}

function scripted(condition: Condition | undefined): boolean {
  return condition?.kind === 'script'
}
