import type { JsonObject } from '../model/json.ts'

/** An event on its way from the repository to a handler. */
export interface QueuedEvent {
  readonly seq: number
  readonly topic: string
  /** With `_id`. */
  readonly content: JsonObject
}

/** How far a handler has come, and what it must know to go on from there. Stored with the repository's settings. */
export interface Position extends JsonObject {
  seq: number
}

export type Save = (position: Position) => Promise<void>

/**
 * What a handler writes to. The repository's audit is the queue in front of it (follower.ts), which asks again, from the last
 * stored position, for whatever failed.
 */
export interface Sink {
  /** Brings what was written to what the position says; asked before anything is written. */
  begin?(position: Position, save: Save): Promise<void>
  /**
   * Writes some of the events, the first of them at least, and answers how many. May note in `position` what it must know, which
   * is stored afterwards together with how far it came.
   */
  write(events: readonly QueuedEvent[], position: Position, save: Save): Promise<number>
  /** After the position was stored. */
  settle?(): Promise<void>
  /** Begins new files, whatever the size of the present ones. */
  rotate?(position: Position, save: Save): Promise<void>
}
