import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { ObjectChange } from './changes.ts'

/**
 * What a change that was taken back has left in other systems, in words: from the results (engine §8.2) of undoing it and, as far
 * as they are known, of the change itself. Nothing where the target was restored, or the change never came to it.
 */
export function whatStays(
  change: ObjectChange,
  back: readonly Json[],
  forward: readonly Json[] = [],
): readonly string[] {
  return back.filter(isJsonObject).flatMap((result) => {
    const before = forward.filter(isJsonObject).find((one) => isSameMapping(one, result))
    if (before?.result === 'SKIPPED') return []
    const { targetObjectSet, mapping, action, cause } = result
    const id = result.targetId ?? before?.targetId ?? null
    const path = typeof id === 'string' ? `${targetObjectSet}/${joinPath(id)}` : String(targetObjectSet)
    if (hasFailed(result)) {
      const fact = before && hasFailed(before) ? 'may have the change' : 'could not be set back'
      return [`${path} (${mapping}) ${fact}: ${isJsonObject(cause) ? cause.message : 'failed'}`]
    }
    const wasMade = change.operation === 'create' && id !== null && (!before || wrote(before))
    return wasMade && action !== 'DELETE' ? [`${path} (${mapping}) stays: ${action}`] : []
  })
}

export function hasFailed(result: Json | undefined): boolean {
  return isJsonObject(result) && result.result === 'FAILED'
}

function wrote({ result, action }: JsonObject): boolean {
  return result === 'SUCCESSFUL' && (action === 'CREATE' || action === 'UPDATE')
}

function isSameMapping(one: JsonObject, other: JsonObject): boolean {
  return one.mapping === other.mapping && one.linkQualifier === other.linkQualifier
}
