import { copy } from '../model/equality.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { getAt, printPointer, setAt } from '../model/pointer.ts'
import { messageOf } from '../model/problem.ts'
import type { Call, ScriptName } from './call.ts'
import { holds } from './condition.ts'
import type { PropertyMapping } from './mapping.ts'

/** What property mappings may know (engine §4.2, rows property `condition` and `transform`). */
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
  tell: TellProperty = () => {},
): void {
  for (const [position, property] of properties.entries()) {
    if (!conditionHolds(property, target, scope, call)) {
      tell(position, 'condition', undefined)
      continue
    }
    // Copied: a target must never share a nested value with its source, or a hook that changes one changes both.
    const value = copy(mappedValue(property, scope, call, (origin) => tell(position, origin, undefined)))
    setAt(target, property.target, value)
    tell(position, undefined, value)
  }
}

/** Where the value of a property came from; `condition`: it was left as it was, because its condition did not hold. */
export type PropertyOrigin = 'condition' | 'source' | 'transform' | 'default' | 'nothing'

/** Hears, for each property, the origin of its value, and then the value. */
export type TellProperty = (
  position: number,
  origin: PropertyOrigin | undefined,
  value: Json | undefined,
) => void

function conditionHolds(
  property: PropertyMapping,
  target: JsonObject,
  scope: PropertyScope,
  call: Call,
): boolean {
  if (!property.condition) return true
  const { source, oldTarget, oldSource, linkQualifier } = scope
  return holds(property.condition, { object: source, target, oldTarget, oldSource, linkQualifier }, call)
}

/** Steps 2 to 4: the source value, transformed, or the default. */
export function mappedValue(
  property: PropertyMapping,
  scope: PropertyScope,
  call: Call,
  tell: (origin: PropertyOrigin) => void = () => {},
): Json {
  let value: Json | undefined = property.source ? getAt(scope.source, property.source) : null
  const { transform } = property
  if (transform !== undefined) value = transformed(property, transform, value ?? null, scope, call)
  const isMissing = value === null || value === undefined
  if (!isMissing) tell(property.transform ? 'transform' : 'source')
  else tell((property.default ?? null) === null ? 'nothing' : 'default')
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
    throw named(
      error,
      `Transformation script error : ${messageOf(error)} for attribute '${attributeOf(property)}'`,
    )
  }
}

function attributeOf(property: PropertyMapping): string {
  return printPointer(property.target).slice(1)
}

/** Says where it happened and leaves everything else about the error (its code, its place in the script) alone. */
function named(error: unknown, message: string): unknown {
  if (typeof error !== 'object' || error === null) return new Error(message, { cause: error })
  try {
    return Object.assign(error, { message })
  } catch {
    return new Error(message, { cause: error })
  }
}
