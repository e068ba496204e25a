import { copy, equal } from '../model/equality.ts'
import { elementsOf, isJsonObject, type Json, type JsonObject, member, setMember } from '../model/json.ts'
import { type Call, noScripts } from './call.ts'

/**
 * What a mapping without its own `onMapping` does after its properties (engine §2.2). First, the assignments that the
 * source has lost since the last synchronization are removed from the target. Then the assignments that it has through
 * its roles are applied. A source that never had an assignment costs nothing.
 */
export interface AssignmentScope {
  readonly mapping: string
  readonly linkQualifier: string
  readonly source: JsonObject
  readonly oldSource?: JsonObject | undefined
  /** The current target, for scripts; null if it is being created. */
  readonly existingTarget?: JsonObject | null
}

/** One attribute of an assignment. */
interface Attribute {
  readonly name: string
  readonly value: Json
  readonly assignmentOperation: Json | undefined
  readonly unassignmentOperation: Json | undefined
}

interface Assignment {
  readonly key: string
  readonly content: JsonObject
  readonly attributes: readonly Attribute[]
}

/**
 * Changes `target` in place. The script of an assignment runs before its attributes, and may return another target.
 * The script of an operation returns `{value, attributesInfo?}` (platform §6.4). Throws for an unknown operation.
 */
export function applyAssignments(target: JsonObject, scope: AssignmentScope, call: Call = noScripts): void {
  const current = relevant(scope.source.effectiveAssignments, scope)
  const former = relevant(formerAssignments(scope), scope)
  if (current.length === 0 && former.length === 0) return
  const work = new Work(target, scope, call)
  const kept = new Set(current.map(({ key }) => key))
  for (const gone of former.filter(({ key }) => !kept.has(key))) work.runWhole(gone, 'onUnassignment')
  for (const attribute of lost(former, current))
    work.operate(attribute, attribute.unassignmentOperation ?? 'removeFromTarget', new Set())
  const replaced = new Set<string>()
  for (const assignment of current) {
    work.runWhole(assignment, 'onAssignment')
    for (const attribute of assignment.attributes)
      work.operate(attribute, attribute.assignmentOperation ?? 'replaceTarget', replaced)
  }
}

/** The name of an assignment's script among the mapping's scripts. The script itself is data. */
export function assignmentScript(definition: JsonObject): string {
  return `assignment ${JSON.stringify(definition)}`
}

/** The scripts that the assignments of a source may need. */
export function assignmentScripts(
  source: JsonObject,
  oldSource: JsonObject | undefined,
  mapping: string,
): readonly JsonObject[] {
  const scope = { source, oldSource, mapping }
  return [source.effectiveAssignments, formerAssignments(scope)].flatMap((assignments) =>
    Array.isArray(assignments)
      ? assignments.filter(isJsonObject).flatMap((one) => scriptsIn(one, mapping))
      : [],
  )
}

function scriptsIn(assignment: JsonObject, mapping: string): JsonObject[] {
  if (assignment.mapping !== mapping) return []
  return [
    ...[assignment.onAssignment, assignment.onUnassignment],
    ...attributesOf(assignment).flatMap((one) => [one.assignmentOperation, one.unassignmentOperation]),
  ].filter(isJsonObject)
}

class Work {
  readonly #target: JsonObject
  readonly #scope: AssignmentScope
  readonly #call: Call
  readonly #touched = new Set<string>()
  #attributesInfo: Json = {}

  constructor(target: JsonObject, scope: AssignmentScope, call: Call) {
    this.#target = target
    this.#scope = scope
    this.#call = call
  }

  runWhole({ content }: Assignment, hook: 'onAssignment' | 'onUnassignment'): void {
    const script = content[hook]
    if (!isJsonObject(script)) return
    const result = this.#run(script, { assignment: copy(content) })
    if (!isJsonObject(result)) return
    for (const name of Object.keys(this.#target)) delete this.#target[name]
    for (const [name, value] of Object.entries(result))
      if (value !== undefined) setMember(this.#target, name, value)
  }

  operate(attribute: Attribute, operation: Json, replaced: Set<string>): void {
    if (!isJsonObject(operation)) {
      if (operation === 'mergeWithTarget' || operation === 'removeFromTarget')
        this.#beginWithExisting(attribute)
      this.#touched.add(attribute.name)
      operate(this.#target, attribute, operation, replaced)
      return
    }
    const { name, value } = attribute
    const attributesInfo = this.#attributesInfo
    const result = this.#run(operation, { attributeName: name, attributeValue: copy(value), attributesInfo })
    if (!isJsonObject(result)) return
    if (result.attributesInfo !== undefined) this.#attributesInfo = result.attributesInfo
    if (result.value !== undefined) setMember(this.#target, name, copy(result.value))
  }

  /** Keeps the existing values of the attribute, even if the mapping's properties set others. */
  #beginWithExisting({ name }: Attribute): void {
    const { existingTarget } = this.#scope
    const existing = existingTarget ? member(existingTarget, name) : undefined
    if (existing !== undefined && existing !== null && !this.#touched.has(name))
      setMember(this.#target, name, copy(existing))
  }

  #run(script: JsonObject, more: JsonObject): Json | undefined {
    const { source, existingTarget = null, linkQualifier } = this.#scope
    const scope = {
      sourceObject: source,
      targetObject: this.#target,
      existingTargetObject: existingTarget === null ? null : copy(existingTarget),
      linkQualifier,
    }
    return this.#call(assignmentScript(script), { ...scope, ...more })
  }
}

/** The assignments in `lastSync` of this mapping; if there are none yet, those of the old source. */
function formerAssignments({
  source,
  oldSource,
  mapping,
}: Pick<AssignmentScope, 'source' | 'oldSource' | 'mapping'>): Json | undefined {
  return rememberedAssignments(source, mapping) ?? oldSource?.effectiveAssignments
}

/** `lastSync.<mapping>.effectiveAssignments`, which the built-in `postMapping` writes. */
export function rememberedAssignments(source: JsonObject, mapping: string): Json | undefined {
  const { lastSync } = source
  const own = isJsonObject(lastSync) ? member(lastSync, mapping) : undefined
  return isJsonObject(own) ? own.effectiveAssignments : undefined
}

/** True if the assignments in `lastSync` differ from those of the source now. If there never were any: false. */
export function assignmentsChanged(source: JsonObject, mapping: string): boolean {
  return !equal(source.effectiveAssignments ?? [], rememberedAssignments(source, mapping) ?? [])
}

function relevant(assignments: Json | undefined, scope: AssignmentScope): readonly Assignment[] {
  if (!Array.isArray(assignments)) return []
  return assignments.filter(isJsonObject).flatMap((one) => {
    const { _id, name, mapping, linkQualifiers } = one
    const qualified = !Array.isArray(linkQualifiers) || linkQualifiers.includes(scope.linkQualifier)
    if (mapping !== scope.mapping || !qualified) return []
    return [{ key: String(_id ?? name), content: one, attributes: attributesOf(one) }]
  })
}

function attributesOf({ attributes }: JsonObject): readonly Attribute[] {
  if (!Array.isArray(attributes)) return []
  return attributes.filter(isJsonObject).flatMap(({ name, value = null, ...operations }) => {
    const { assignmentOperation, unassignmentOperation } = operations
    return typeof name === 'string' ? [{ name, value, assignmentOperation, unassignmentOperation }] : []
  })
}

/** Attributes of assignments that were removed or changed. */
function lost(former: readonly Assignment[], current: readonly Assignment[]): readonly Attribute[] {
  return former.flatMap(({ key, attributes }) => {
    const now = current.find((assignment) => assignment.key === key)?.attributes ?? []
    return attributes.filter((attribute) => !now.some((other) => equal({ ...attribute }, { ...other })))
  })
}

/** `replaced`: attributes that an earlier assignment has already replaced; a second assignment adds to them. */
function operate(target: JsonObject, attribute: Attribute, operation: Json, replaced: Set<string>): void {
  const { name, value } = attribute
  const existing = member(target, name) ?? null
  switch (operation) {
    case 'replaceTarget':
      setMember(target, name, copy(replaced.has(name) ? merged(existing, value) : value))
      replaced.add(name)
      return
    case 'mergeWithTarget':
      setMember(target, name, copy(merged(existing, value)))
      return
    case 'removeFromTarget':
      if (existing !== null) setMember(target, name, copy(without(existing, value)))
      return
    case 'noOp':
      return
    default:
      throw new Error(
        `the assignment of ${name} names the operation ${JSON.stringify(operation)}; ` +
          'allowed: replaceTarget, mergeWithTarget, removeFromTarget, noOp, or a script',
      )
  }
}

function merged(existing: Json, value: Json): Json {
  if (Array.isArray(existing)) {
    const all = [...existing]
    for (const one of listOf(value)) if (!contains(all, one)) all.push(one)
    return all
  }
  if (isJsonObject(existing) && isJsonObject(value)) return { ...existing, ...value }
  return value
}

function without(existing: Json, value: Json): Json {
  if (Array.isArray(existing)) return existing.filter((one) => !contains(listOf(value), one))
  if (isJsonObject(existing) && isJsonObject(value)) {
    const kept = Object.entries(existing).filter(([key, held]) => !equal(held, member(value, key)))
    return Object.fromEntries(kept)
  }
  return equal(existing, value) ? null : existing
}

function listOf(value: Json): readonly Json[] {
  return value === null ? [] : elementsOf(value)
}

function contains(list: readonly Json[], value: Json): boolean {
  return list.some((one) => equal(one, value))
}
