import type { JsonObject } from '../model/json.ts'

/**
 * An operation of a run on an object outside the store, recorded before it is done. If an intent is found whose run has
 * ended, the object must be read to learn whether the operation happened.
 */
export interface Intent {
  readonly id: string
  readonly linkType: string
  readonly runId: string
  /** The lease of the process that recorded it: as long as it is held, the process is still finishing the operation. */
  readonly worker: string
  readonly content: JsonObject
}

export interface Intents {
  add(intents: readonly Intent[]): Promise<void>
  /** Missing ones are not an error. */
  remove(ids: readonly string[]): Promise<void>
  /** The oldest of a link type. */
  list(linkType: string, limit: number): Promise<readonly Intent[]>
}
