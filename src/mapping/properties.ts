import { copy } from '../model/equality.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { getAt, printPointer, setAt } from '../model/pointer.ts'
import { messageOf } from '../model/problem.ts'
import type { Call, ScriptName } from './call.ts'
import { holds } from './condition.ts'
import type { PropertyMapping } from './mapping.ts'

/** The variables of property mappings (engine §4.2, rows property `condition` and `transform`). */
export interface PropertyScope {
  readonly source: JsonObject
  readonly linkQualifier: string
  /** The target before this synchronization; undefined on create. */
  readonly oldTarget?: JsonObject | undefined
  readonly oldSource?: JsonObject | undefined
}

/**
 * Applies property mappings in order, in place (engine §2.4): a condition sees what earlier entries
 * wrote, a later entry overwrites an earlier one, and a value that stays null takes the default.
 */
export function applyProperties(
  properties: readonly PropertyMapping[],
  target: JsonObject,
  scope: PropertyScope,
  call: Call,
  report: ReportProperty = () => {},
): void {
  const { source, oldTarget, oldSource, linkQualifier } = scope
  for (const [position, property] of properties.entries()) {
    const { condition } = property
    if (
      condition &&
      !holds(condition, { object: source, target, oldTarget, oldSource, linkQualifier }, call)
    ) {
      report(position, 'condition', undefined)
      continue
    }
    // Copied: if a target shared a nested value with its source, a hook that changes one would change both.
    const value = copy(mappedValue(property, scope, call, (origin) => report(position, origin, undefined)))
    setAt(target, property.target, value)
    report(position, undefined, value)
  }
}

/** Where the value of a property came from. `condition`: the condition was false, so the property was not changed. */
export type PropertyOrigin = 'condition' | 'source' | 'transform' | 'default' | 'nothing'

/** Called for each property: with the origin of its value, and then with the value. */
export type ReportProperty = (
  position: number,
  origin: PropertyOrigin | undefined,
  value: Json | undefined,
) => void

/** Steps 2 to 4: the source value, transformed, or the default. */
export function mappedValue(
  property: PropertyMapping,
  scope: PropertyScope,
  call: Call,
  report: (origin: PropertyOrigin) => void = () => {},
): Json {
  let value: Json | undefined = property.source ? getAt(scope.source, property.source) : null
  const { transform } = property
  if (transform !== undefined) value = transformed(property, transform, value ?? null, scope, call)
  const isMissing = value === null || value === undefined
  if (!isMissing) report(property.transform ? 'transform' : 'source')
  else report((property.default ?? null) === null ? 'nothing' : 'default')
  return value ?? property.default ?? null
}

function transformed(
  property: PropertyMapping,
  transform: ScriptName,
  value: Json,
  scope: PropertyScope,
  call: Call,
): Json | undefined {
  try {
    return call(transform, { source: copy(value), linkQualifier: scope.linkQualifier })
  } catch (error) {
    const attribute = printPointer(property.target).slice(1)
    throw named(error, `Transformation script error : ${messageOf(error)} for attribute '${attribute}'`)
  }
}

/** Adds the place to the message. The rest of the error (its code, its place in the script) stays. */
function named(error: unknown, message: string): unknown {
  if (typeof error !== 'object' || error === null) return new Error(message, { cause: error })
  try {
    return Object.assign(error, { message })
  } catch {
    return new Error(message, { cause: error })
  }
}
