import { applyAssignments } from '../mapping/assignments.ts'
import type { Call } from '../mapping/call.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { applyProperties, type ReportProperty } from '../mapping/properties.ts'
import type { Situation } from '../mapping/situation.ts'
import { type Change, diff } from '../model/diff.ts'
import { copy, equalIgnoringNull } from '../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { keepReferences } from '../model/kept-references.ts'
import { type PlainProblem, plainProblem } from '../model/plain-problem.ts'
import type { Pointer } from '../model/pointer.ts'

/** The input for the desired target. */
export interface ShapeInput {
  readonly source: JsonObject
  readonly sourceId: string | null
  /** The current target; null to create one. */
  readonly target: JsonObject | null
  readonly targetId: string | null
  /** The target after an `onLink` that runs before the mapping (engine §4.2): its changes persist. */
  readonly linkedTarget?: JsonObject | undefined
  readonly oldSource?: JsonObject | undefined
  readonly situation: Situation
  readonly linkQualifier: string
  readonly hooks: ShapingHooks
  /** True: report which attributes hooks changed. */
  readonly tellsHooked?: boolean
}

/**
 * What becomes of `onCreate` and `onUpdate`: a run runs them, an analysis skips them (engine §7.9), and
 * a plan foresees them: it lets them shape the target, but not write anything.
 */
export type ShapingHooks = 'run' | 'foresee' | 'skip'

/** What shaping came to: a shape, or why there is none. */
export interface Shaped {
  /** Absent for an action that writes no attributes, and where it is not known yet. */
  readonly shape?: Shape
  /** Why a plan could not evaluate `onCreate` or `onUpdate`: the run may change more than is foreseen. */
  readonly unforeseen?: string
  /** What the hook has thrown then. */
  readonly hookProblem?: PlainProblem
  readonly shapingProblem?: PlainProblem
}

/** A target whose hooks fail in a plan is shaped without them; what fails then fails in the run as well, and says so itself. */
export function shaped(mapping: Mapping, input: ShapeInput, call: Call): Shaped {
  const make = input.tellsHooked ? shapeNamingHooked : shape
  // A second attempt must not find what the first one has left.
  const mayRepeat = input.hooks === 'foresee' && (mapping.hooks.onCreate ?? mapping.hooks.onUpdate)
  const source = mayRepeat ? copy(input.source) : input.source
  try {
    return { shape: make(mapping, { ...input, source }, call) }
  } catch (thrown) {
    const shapingProblem = plainProblem(thrown, 'SYNC_FAILED')
    if (input.hooks !== 'foresee') return { shapingProblem }
    const without = shaped(mapping, { ...input, hooks: 'skip' }, call)
    if (!without.shape) return without
    return { ...without, unforeseen: shapingProblem.message, hookProblem: shapingProblem }
  }
}

export interface Shape {
  /** The whole object to write; undefined if an existing target needs no change. */
  readonly desired: JsonObject | undefined
  readonly changes: readonly Change[]
  /** The attributes that hooks changed, if requested. */
  readonly hooked?: readonly Pointer[]
}

/**
 * The desired target object and its changes: property mappings, then `onMapping` (or, without one, the assignments of the
 * source's roles), then `onCreate` or `onUpdate` (engine §4.3). Pure apart from the scripts. Null equals absent in the
 * comparison, and a null is sent only if there is a value to clear (engine §4.3, [D]). Otherwise a target that never
 * returns nulls would be written in every run.
 */
export function shape(
  mapping: Pick<Mapping, 'name' | 'properties' | 'hooks' | 'configuration' | 'links'>,
  input: ShapeInput,
  call: Call,
  tracer: ShapeTracer = silent,
): Shape {
  const { target: existing } = input
  const target = copy(input.linkedTarget ?? existing ?? {})
  applyProperties(
    mapping.properties,
    target,
    {
      source: input.source,
      linkQualifier: input.linkQualifier,
      oldTarget: existing ? copy(existing) : undefined,
      oldSource: input.oldSource,
    },
    call,
    tracer.property,
  )
  runShapingHooks(mapping, input, target, call, tracer)
  if (!existing) return { desired: target, changes: diff({}, target) }
  return comparedWith(existing, target, mapping.links.targetIgnoresCase)
}

/** The same, and which attributes hooks changed. */
export function shapeNamingHooked(mapping: Mapping, input: ShapeInput, call: Call): Shape {
  const hooked: Pointer[] = []
  const hook: ShapeTracer['hook'] = (_, before, after) =>
    void hooked.push(...diff(before, after).map(({ pointer }) => pointer))
  return { ...shape(mapping, input, call, { ...silent, hook, listens: true }), hooked }
}

/** What changes a target after its properties. */
export type ShapingHook = 'onMapping' | 'assignments' | 'onCreate' | 'onUpdate'

/** Receives the origins of values. */
export interface ShapeTracer {
  readonly property: ReportProperty
  /** Called with the target before and after a hook, or after assignments instead of `onMapping`. */
  readonly hook: (name: ShapingHook, before: JsonObject, after: JsonObject) => void
  /** False: nothing is reported, so nothing has to be copied. */
  readonly listens: boolean
}

const silent: ShapeTracer = { property: () => {}, hook: () => {}, listens: false }

function runShapingHooks(
  { name, hooks, configuration }: Pick<Mapping, 'name' | 'hooks' | 'configuration'>,
  input: ShapeInput,
  target: JsonObject,
  call: Call,
  tracer: ShapeTracer,
): void {
  const traced = (hook: ShapingHook, work: () => void) => {
    const before = tracer.listens ? copy(target) : target
    work()
    if (tracer.listens) tracer.hook(hook, before, copy(target))
  }
  const { source, oldSource = null, sourceId, targetId, situation, linkQualifier, target: existing } = input
  const { onMapping } = hooks
  if (onMapping !== undefined) {
    const existingTarget = existing ? copy(existing) : null
    const scope = { source, oldSource, target, existingTarget, config: configuration, linkQualifier }
    traced('onMapping', () => call(onMapping, scope))
  } else {
    traced('assignments', () =>
      applyAssignments(
        target,
        { mapping: name, linkQualifier, source, oldSource: input.oldSource, existingTarget: existing },
        call,
      ),
    )
  }
  const hook = existing ? hooks.onUpdate : hooks.onCreate
  if (hook === undefined || input.hooks === 'skip') return
  const scope = {
    source,
    sourceId,
    target,
    targetId,
    oldSource,
    situation,
    linkQualifier,
    mappingConfig: configuration,
  }
  traced(existing ? 'onUpdate' : 'onCreate', () =>
    call(hook, existing ? { ...scope, oldTarget: copy(existing) } : scope),
  )
}

function comparedWith(existing: JsonObject, shaped: JsonObject, ignoreCase: boolean): Shape {
  const referring = keepReferences(existing, shaped)
  if (equalIgnoringNull(existing, referring)) return { desired: undefined, changes: [] }
  const { _id } = referring
  if (!sameId(existing._id, _id, ignoreCase)) {
    throw new Error(`target '_id' has changed from ${JSON.stringify(existing._id)} to ${JSON.stringify(_id)}`)
  }
  // The same id in another form is no change.
  const target = _id === undefined || _id === existing._id ? referring : { ...referring, _id: existing._id }
  if (target !== referring && equalIgnoringNull(existing, target)) return { desired: undefined, changes: [] }
  const desired = withoutNewNulls(target, existing)
  return { desired, changes: diff(existing, desired) }
}

function sameId(a: Json | undefined, b: Json | undefined, ignoreCase: boolean): boolean {
  if (a === b || b === undefined) return true
  if (typeof a !== 'string' || (typeof b !== 'string' && typeof b !== 'number')) return false
  const id = String(b)
  return a === id || (ignoreCase && a.toLowerCase() === id.toLowerCase())
}

function withoutNewNulls(desired: JsonObject, existing: JsonObject): JsonObject {
  const result: JsonObject = {}
  for (const [key, value] of Object.entries(desired)) {
    const before = Object.hasOwn(existing, key) ? existing[key] : undefined
    if (value === null && before === undefined) continue
    result[key] = isJsonObject(value) && isJsonObject(before) ? withoutNewNulls(value, before) : value
  }
  return result
}
