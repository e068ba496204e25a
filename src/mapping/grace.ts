import { durationOf } from '../model/duration.ts'
import type { Place } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'

/** A target is not deleted at once: it is disabled, and deleted when its time is over. */
export interface Grace {
  /** ms from the first DELETE on; undefined: only where a policy says so. */
  readonly after: number | undefined
  /** What disables a target. */
  readonly disable: readonly { readonly pointer: Pointer; readonly value: Json }[]
}

interface Reads {
  readonly configuration: JsonObject
  error(place: Place, message: string): undefined
}

/** `deleteAfter` and `disable` of a mapping. */
export function graceIn(
  reading: Reads,
  policies: readonly { deleteAfter?: number | undefined }[],
): Grace | undefined {
  const { deleteAfter, disable } = reading.configuration
  const after = deleteAfterIn(reading, deleteAfter, ['deleteAfter'])
  if (after === undefined && policies.every((policy) => policy.deleteAfter === undefined)) return undefined
  if (isJsonObject(disable) && Object.keys(disable).length > 0)
    return { after, disable: disablingIn(disable) }
  return reading.error(
    ['disable'],
    'deleteAfter needs disable: what disables a target, such as {"accountStatus": "inactive"}',
  )
}

/** `{"accountStatus": "inactive"}`, or `{"attribute": "accountStatus", "value": "inactive"}`. */
function disablingIn(configured: JsonObject): Grace['disable'] {
  const { attribute, value, ...others } = configured
  const entries: readonly [string, Json | undefined][] =
    typeof attribute === 'string' && value !== undefined && Object.keys(others).length === 0
      ? [[attribute, value]]
      : Object.entries(configured)
  return entries.map(([name, one]) => ({ pointer: parsePointer(name), value: one ?? null }))
}

/** A duration in ms. */
export function deleteAfterIn(reading: Reads, value: Json | undefined, place: Place): number | undefined {
  if (value === undefined || value === null) return undefined
  const duration = typeof value === 'string' ? durationOf(value) : undefined
  if (duration !== undefined) return duration
  return reading.error(place, `deleteAfter must be a duration such as "30d", not ${JSON.stringify(value)}`)
}
