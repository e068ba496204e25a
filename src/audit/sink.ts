import type { JsonObject } from '../model/json.ts'

/** An event on its way from the repository to a handler. */
export interface QueuedEvent {
  readonly seq: number
  readonly topic: string
  /** With `_id`. */
  readonly content: JsonObject
}

/** The last event that a handler has written, and the state that it needs to continue. Stored in the repository's settings. */
export interface Position extends JsonObject {
  seq: number
}

export type Save = (position: Position) => Promise<void>

/**
 * The destination of a handler. The repository's audit is its queue. After a failure, follower.ts writes again from the
 * last stored position.
 */
export interface Sink {
  /** Called before the first write: makes the written data match the stored position. */
  begin?(position: Position, save: Save): Promise<void>
  /**
   * Writes some of the events, at least the first, and returns how many. It may keep its state in `position`, which is
   * stored next.
   */
  write(events: readonly QueuedEvent[], position: Position, save: Save): Promise<number>
  /** Called after the position was stored. */
  afterSave?(): Promise<void>
  /** Begins new files, whatever the size of the current ones. */
  rotate?(position: Position, save: Save): Promise<void>
}
