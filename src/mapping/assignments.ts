import { copy, equal } from '../model/equality.ts'
import { isJsonObject, type Json, type JsonObject, member, setMember } from '../model/json.ts'

/**
 * What a mapping without an `onMapping` of its own does after its properties (engine specification §2.2): the
 * assignments that a source object holds through its roles are carried out on the target, after those that it has
 * lost since the last synchronization have been undone. Costs nothing where a source has never had an assignment.
 */
export interface AssignmentScope {
  readonly mapping: string
  readonly linkQualifier: string
  readonly source: JsonObject
  readonly oldSource?: JsonObject | undefined
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
  readonly attributes: readonly Attribute[]
}

/** Changes `target` in place. Throws for an operation that is none of the four. */
export function applyAssignments(target: JsonObject, scope: AssignmentScope): void {
  const current = relevant(scope.source.effectiveAssignments, scope)
  const former = relevant(formerAssignments(scope), scope)
  if (current.length === 0 && former.length === 0) return
  for (const attribute of lost(former, current)) {
    operate(target, attribute, attribute.unassignmentOperation ?? 'removeFromTarget', new Set())
  }
  const replaced = new Set<string>()
  for (const { attributes } of current) {
    for (const attribute of attributes)
      operate(target, attribute, attribute.assignmentOperation ?? 'replaceTarget', replaced)
  }
}

/** What `lastSync` remembers of this mapping; before it remembers anything, the source as it was. */
function formerAssignments({ source, oldSource, mapping }: AssignmentScope): Json | undefined {
  return rememberedAssignments(source, mapping) ?? oldSource?.effectiveAssignments
}

/** `lastSync.<mapping>.effectiveAssignments`, where the built-in `postMapping` puts them. */
export function rememberedAssignments(source: JsonObject, mapping: string): Json | undefined {
  const { lastSync } = source
  const own = isJsonObject(lastSync) ? member(lastSync, mapping) : undefined
  return isJsonObject(own) ? own.effectiveAssignments : undefined
}

/** True if what `lastSync` remembers is not what the source holds now. Never having had any is no change. */
export function assignmentsChanged(source: JsonObject, mapping: string): boolean {
  return !equal(source.effectiveAssignments ?? [], rememberedAssignments(source, mapping) ?? [])
}

function relevant(assignments: Json | undefined, scope: AssignmentScope): readonly Assignment[] {
  if (!Array.isArray(assignments)) return []
  return assignments.filter(isJsonObject).flatMap((one) => {
    const { mapping, linkQualifiers, attributes } = one
    const qualified = !Array.isArray(linkQualifiers) || linkQualifiers.includes(scope.linkQualifier)
    if (mapping !== scope.mapping || !qualified) return []
    refuseScripts(one)
    return [{ key: keyOf(one), attributes: Array.isArray(attributes) ? attributes.flatMap(attributeIn) : [] }]
  })
}

function keyOf({ _id, name }: JsonObject): string {
  return String(_id ?? name)
}

function refuseScripts(assignment: JsonObject): void {
  for (const hook of ['onAssignment', 'onUnassignment']) {
    if (isJsonObject(assignment[hook]))
      throw new Error(`the assignment ${keyOf(assignment)} has a script ${hook}, which is not run: remove it`)
  }
}

function attributeIn(value: Json): readonly Attribute[] {
  if (!isJsonObject(value) || typeof value.name !== 'string') return []
  const { name, value: assigned = null, assignmentOperation, unassignmentOperation } = value
  return [{ name, value: assigned, assignmentOperation, unassignmentOperation }]
}

/** Attributes of assignments that are gone, or that say something else now. */
function lost(former: readonly Assignment[], current: readonly Assignment[]): readonly Attribute[] {
  return former.flatMap(({ key, attributes }) => {
    const now = current.find((assignment) => assignment.key === key)?.attributes ?? []
    return attributes.filter((attribute) => !now.some((other) => equal({ ...attribute }, { ...other })))
  })
}

/** `replaced`: attributes that an earlier assignment has replaced already; a second one adds to them. */
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
          'allowed: replaceTarget, mergeWithTarget, removeFromTarget, noOp',
      )
  }
}

function merged(existing: Json, value: Json): Json {
  if (Array.isArray(existing)) {
    const added = listOf(value).filter((one, at, all) => !contains(existing, one) && isFirst(one, at, all))
    return [...existing, ...added]
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
  if (value === null) return []
  return Array.isArray(value) ? value : [value]
}

function contains(list: readonly Json[], value: Json): boolean {
  return list.some((one) => equal(one, value))
}

function isFirst(value: Json, at: number, all: readonly Json[]): boolean {
  return all.findIndex((one) => equal(one, value)) === at
}
