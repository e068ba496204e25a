import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import type { ScriptName } from './call.ts'

/** What a mapping does when single objects of its source change (engine §2.2, §8). */
export interface ChangeSettings {
  /** `enableSync`. */
  readonly enabled: boolean
  /** An update is synchronized only if one of these changed; undefined: every update is. */
  readonly properties: readonly Pointer[] | undefined
  /** Changes go through a queue; undefined: they are synchronized at once. */
  readonly queue: QueueSettings | undefined
}

/** engine §8.5; times in milliseconds. */
export interface QueueSettings {
  /** How many events are read from the store at once. */
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

/** Registers a script object and returns its name. */
type Register = (place: readonly string[], value: Json) => ScriptName | undefined

/** The schema has checked the types. */
export function readChangeSettings(
  { enableSync, triggerSyncProperties, queuedSync }: JsonObject,
  register: Register,
): ChangeSettings {
  const pointers = Array.isArray(triggerSyncProperties) ? triggerSyncProperties : []
  return {
    enabled: enableSync !== false,
    properties: pointers.length > 0 ? pointers.map((pointer) => parsePointer(String(pointer))) : undefined,
    queue:
      isJsonObject(queuedSync) && queuedSync.enabled === true
        ? queueSettings(queuedSync, register)
        : undefined,
  }
}

function queueSettings(configured: JsonObject, register: Register): QueueSettings {
  const { pageSize, pollingInterval, maxQueueSize, maxRetries, retryDelay, postRetryAction } = configured
  const most = clamped(maxQueueSize, 1000, 100, 1000)
  return {
    pageSize: clamped(pageSize, 100, 10, Math.max(10, Math.floor(most / 10))),
    pollingInterval: clamped(pollingInterval, 1000, 1, Number.MAX_SAFE_INTEGER),
    maxRetries: typeof maxRetries === 'number' && maxRetries >= 0 ? maxRetries : undefined,
    retryDelay: clamped(retryDelay, 1000, 1, Number.MAX_SAFE_INTEGER),
    postRetryAction: afterRetries(postRetryAction, register),
  }
}

function afterRetries(configured: Json | undefined, register: Register): PostRetryAction {
  if (configured === 'dead-letter-queue') return { kind: 'dead-letter-queue' }
  const name =
    isJsonObject(configured) && configured.script !== undefined
      ? register(['queuedSync', 'postRetryAction', 'script'], configured.script)
      : undefined
  return name === undefined ? { kind: 'logged-ignore' } : { kind: 'script', script: name }
}

function clamped(value: Json | undefined, standard: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, typeof value === 'number' ? value : standard))
}
