import type { JsonObject } from '../model/json.ts'
import type { StorePage, StoreQuery } from './query.ts'

export interface AuditEvent {
  readonly id: string
  readonly topic: string
  /** ISO 8601. */
  readonly timestamp: string
  /** The fields of platform §9 and engine §10, without `_id`. */
  readonly content: JsonObject
}

export interface AuditVerdict {
  readonly chained: number
  /** Events from before the chain was introduced. */
  readonly unchained: number
  /** Events that `remove` removed, as recorded. */
  readonly removed: number
  /** The hash of the last one. If it is stored elsewhere, it can later prove that nothing before it was changed. */
  readonly last: string
  /** The first wrong event; its names are empty if events are missing at the end. */
  readonly broken:
    | { readonly topic: string; readonly id: string; readonly timestamp: string; readonly why: string }
    | undefined
}

/** Events of one topic that may be removed. All given conditions must be true. */
export interface Removable {
  readonly topic: string
  /** Written before this time (ISO 8601): from the front, up to the first that is younger. */
  readonly before?: string | undefined
  /** All except this many of the newest. */
  readonly keep?: number | undefined
  /** Those of certain runs, by `reconId`. */
  readonly runs?: readonly string[] | undefined
  /** None after the event with this number: a handler must still write them. */
  readonly upTo?: number | undefined
}

/** The topic of the events that record removals by `remove`. Nothing else is written to it. */
export const removals = 'retention'

export interface RecordedRun {
  readonly reconId: string
  readonly mapping: string | null
  /** Of its last event. */
  readonly timestamp: string
}

export interface AuditEvents {
  /** All of them or, if one exists already (PRECONDITION_FAILED), none. */
  append(events: readonly AuditEvent[]): Promise<void>
  /**
   * Each event contains a hash of itself and the event before it. This checks all of them: if an event was changed, removed
   * or inserted by other means than this program, the chain is broken there.
   */
  verify(): Promise<AuditVerdict>
  /**
   * Removes the oldest of the removable events, at most `limit`, and records that in the chain, with the hashes at the ends
   * of all current gaps. `verify` accepts only these gaps. Returns how many were removed; if none, nothing is recorded.
   */
  remove(
    what: Removable,
    limit: number,
    by: Pick<AuditEvent, 'id' | 'timestamp' | 'content'>,
  ): Promise<number>
  /** The runs that have events in the topic `recon`, oldest first. */
  recordedRuns(): Promise<readonly RecordedRun[]>
  /** Events in the order of writing, after the one with that number; numbers grow. */
  since(
    seq: number,
    limit: number,
  ): Promise<readonly { readonly seq: number; readonly topic: string; readonly content: JsonObject }[]>
  /** The number of the last event; 0 if there is none. */
  lastSeq(): Promise<number>
  read(topic: string, id: string): Promise<JsonObject | undefined>
  /** Filters and sort keys see the content with `_id`. In the order of writing unless sorted. */
  query(topic: string, query: StoreQuery): Promise<StorePage<JsonObject>>
  /**
   * The events of all topics that name an object (`managed/user/42`) as `sourceObjectId`, `targetObjectId` or `objectId`,
   * newest first, at most `limit`.
   */
  ofObject(
    objectId: string,
    page: { readonly limit: number; readonly cookie?: string | null | undefined },
  ): Promise<StorePage<{ readonly topic: string; readonly content: JsonObject }>>
}
