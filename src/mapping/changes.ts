import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import type { ScriptName } from './call.ts'

/** How a mapping takes part when single objects of its source change (engine §2.2, §8). */
export interface ChangeSettings {
  /** `enableSync`. */
  readonly enabled: boolean
  /** Updates count only if one of these differs; undefined: every update does. */
  readonly properties: readonly Pointer[] | undefined
  /** Changes go through a queue; undefined: they are carried on at once. */
  readonly queue: QueueSettings | undefined
}

/** engine §8.5; times in milliseconds. */
export interface QueueSettings {
  /** Events that are taken from the store together. */
  readonly pageSize: number
  readonly pollingInterval: number
  /** Undefined: for ever. */
  readonly maxRetries: number | undefined
  readonly retryDelay: number
  readonly postRetryAction: PostRetryAction
}

export type PostRetryAction =
  | { readonly kind: 'logged-ignore' }
  | { readonly kind: 'dead-letter-queue' }
  | { readonly kind: 'script'; readonly script: ScriptName }

/** `script` registers a script object and answers its name. The schema has made sure of the types. */
export function readChangeSettings(
  { enableSync, triggerSyncProperties, queuedSync }: JsonObject,
  script: (place: readonly string[], value: Json) => ScriptName | undefined,
): ChangeSettings {
  const pointers = Array.isArray(triggerSyncProperties) ? triggerSyncProperties : []
  return {
    enabled: enableSync !== false,
    properties: pointers.length > 0 ? pointers.map((pointer) => parsePointer(String(pointer))) : undefined,
    queue:
      isJsonObject(queuedSync) && queuedSync.enabled === true ? queueSettings(queuedSync, script) : undefined,
  }
}

function queueSettings(
  stated: JsonObject,
  script: (place: readonly string[], value: Json) => ScriptName | undefined,
): QueueSettings {
  const { pageSize, pollingInterval, maxQueueSize, maxRetries, retryDelay, postRetryAction } = stated
  const most = clamped(maxQueueSize, 1000, 100, 1000)
  return {
    pageSize: clamped(pageSize, 100, 10, Math.max(10, Math.floor(most / 10))),
    pollingInterval: clamped(pollingInterval, 1000, 1, Number.MAX_SAFE_INTEGER),
    maxRetries: typeof maxRetries === 'number' && maxRetries >= 0 ? maxRetries : undefined,
    retryDelay: clamped(retryDelay, 1000, 1, Number.MAX_SAFE_INTEGER),
    postRetryAction: afterRetries(postRetryAction, script),
  }
}

function afterRetries(
  stated: Json | undefined,
  script: (place: readonly string[], value: Json) => ScriptName | undefined,
): PostRetryAction {
  if (stated === 'dead-letter-queue') return { kind: 'dead-letter-queue' }
  const name =
    isJsonObject(stated) && stated.script !== undefined
      ? script(['queuedSync', 'postRetryAction', 'script'], stated.script)
      : undefined
  return name === undefined ? { kind: 'logged-ignore' } : { kind: 'script', script: name }
}

function clamped(value: Json | undefined, standard: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, typeof value === 'number' ? value : standard))
}
