import type { JsonObject } from '../model/json.ts'
import type { StorePage, StoreQuery } from './query.ts'

/** A change that waits to be synchronized by one mapping (engine §8.5). */
export interface QueuedEvent {
  /** Ordered by time. */
  readonly id: string
  readonly mapping: string
  /** The path of the object; events about one object never overtake one another. */
  readonly resource: string
  /** HELD: stored, but its change may still be undone. DEAD: given up; it does not block other events. */
  readonly state: 'HELD' | 'PENDING' | 'DEAD'
  /** Not to be processed before this time, in ms since 1970. */
  readonly due: number
  /** How often it has failed. */
  readonly attempts: number
  /** What queries see: the record of engine §8.5, state included. */
  readonly content: JsonObject
}

/** No event is put back for longer than this, in ms. */
export const longestWait = 6 * 60_000

export interface Claimant {
  /** The epoch of a lease that it holds. It gets events again that it has claimed and neither finished nor put back. */
  readonly epoch: number
  /** In ms since 1970. */
  readonly now: number
}

export interface SyncQueue {
  add(events: readonly QueuedEvent[]): Promise<void>
  /**
   * Claims the events of a mapping that are due and first for their object, oldest first. Other claimants do not get them,
   * nor later events of the same objects, as long as the lease is held and has not expired. What is due later than `longestWait` is due
   * now: it was put back before the clock was set back. `early`: events that come along although they are not due yet, if any other one
   * is.
   */
  claim(
    mapping: string,
    claimant: Claimant,
    limit: number,
    early?: readonly string[],
  ): Promise<readonly QueuedEvent[]>
  /** Done: removes the events that the claimant still holds. Returns how many. */
  finish(ids: readonly string[], epoch: number): Promise<number>
  /** Not done: updates the events that the claimant still holds, and frees them for all claimants. Returns how many. */
  putBack(events: readonly QueuedEvent[], epoch: number): Promise<number>
  /** When the next event of a mapping that no other event blocks may be processed; undefined if there is none. */
  nextDue(mapping: string): Promise<number | undefined>
  /** Replaces state, due, attempts and content. */
  update(events: readonly QueuedEvent[]): Promise<void>
  /** How many there were. */
  remove(ids: readonly string[]): Promise<number>
  read(id: string): Promise<QueuedEvent | undefined>
  /** In the order of storing unless sorted; filters see `content`. */
  query(query: StoreQuery): Promise<StorePage<JsonObject>>
  /** Makes held events of processes that have ended pending. */
  releaseHeld(): Promise<void>
}
