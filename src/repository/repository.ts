import type { Filter } from '../model/filter/filter.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { SortKey } from '../model/sort.ts'
import type { Leases } from './leases.ts'

/**
 * The repository's port, in the field's language. Two adapters implement it (SQLite, PostgreSQL) and one
 * contract suite runs on both; no SQL leaves an adapter.
 *
 * Everything is asynchronous and works on pages: one call is one statement or one transaction, never one
 * round trip for each object.
 */
export interface Repository extends Store, AsyncDisposable {
  /**
   * Runs `work` in one write transaction: everything done through the given store is kept, or, if `work` throws,
   * nothing. Transactions wait for one another. Do not use the outer repository inside `work`.
   *
   * `work` may be called again after a conflict with another transaction: writes of the earlier call are not kept, and its
   * result or error is ignored. So `work` takes values and returns values. It changes nothing outside its store (no
   * counters, no marks on its input, no messages): the caller does that with the result.
   */
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>
}

/** What can be stored and read, inside or outside a transaction. */
export interface Store {
  readonly links: Links
  readonly intents: Intents
  readonly objects: Objects
  readonly relationships: Relationships
  readonly runs: Runs
  readonly audit: AuditEvents
  readonly settings: Settings
  readonly syncQueue: SyncQueue
  readonly leases: Leases
}

/** engine §5.1; ids are local ids, both never null. */
export interface Link {
  readonly _id: string
  readonly _rev: string
  readonly linkType: string
  readonly linkQualifier: string
  readonly firstId: string
  readonly secondId: string
  /** The first system's spelling of an id that is compared, and so stored, in lower case (engine §5.4, [D]). */
  readonly firstSpelling?: string | undefined
  readonly secondSpelling?: string | undefined
}

export interface LinkSet {
  readonly linkType: string
  readonly linkQualifier: string
}

export type LinkSide = 'firstId' | 'secondId'

export interface Links {
  /** The links of one page of ids on one side, keyed by that id: one query. */
  find(set: LinkSet, side: LinkSide, ids: readonly string[]): Promise<ReadonlyMap<string, Link>>
  /** All links of the set, in pages, ordered by firstId. */
  all(set: LinkSet, pageSize?: number): AsyncIterable<readonly Link[]>
  /** Which of these ids have a link of this type under any qualifier: id → qualifiers. */
  qualifiersOf(
    linkType: string,
    side: LinkSide,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>>
  count(linkType: string, linkQualifier?: string): Promise<number>
  /**
   * Inserts new links. A violated uniqueness ((type, qualifier, firstId) and (type, qualifier, secondId)) is
   * PRECONDITION_FAILED naming both ids, and none of the page is kept.
   */
  insert(links: readonly Omit<Link, '_rev'>[]): Promise<readonly Link[]>
  /** Replaces both ids, and their spellings, of stored links; each must still have the revision given, else PRECONDITION_FAILED. */
  update(links: readonly Link[]): Promise<readonly Link[]>
  /** Deletes by id and revision (undefined = any). Missing links are NOT_FOUND, changed ones PRECONDITION_FAILED. */
  delete(links: readonly { _id: string; _rev?: string | undefined }[]): Promise<void>
  /** Deletes all links of a type, whatever their qualifier; returns how many there were. */
  deleteType(linkType: string): Promise<number>
  read(id: string): Promise<Link | undefined>
  /** Filters and sort keys see the members of a link and nothing else, not their spellings either. */
  query(query: StoreQuery): Promise<StorePage<Link>>
}

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

/** An object with identity and revision; `_id` and `_rev` are members of the content, as on the wire. */
export type StoredObject = JsonObject & { _id: string; _rev: string }

/** A query over one collection. Sorting is by `sortKeys`, then `_id`; null sorts last, strings by code point. */
export interface StoreQuery {
  readonly filter: Filter
  readonly sortKeys?: readonly SortKey[]
  /** Absent: everything in one page. */
  readonly pageSize?: number
  /** Opaque, from the previous page; stays valid while objects are created and deleted. Excludes `offset`. */
  readonly cookie?: string | undefined
  readonly offset?: number
  /** Ask for the exact total; costs a count. */
  readonly total?: boolean
}

export interface StorePage<T> {
  readonly result: readonly T[]
  /** null: this was the last page. */
  readonly cookie: string | null
  readonly total?: number
}

/** The outcome of an object write. The failure of one never undoes the others of its page. */
export type ObjectWrite =
  | { readonly operation: 'create'; readonly id: string; readonly content: JsonObject }
  | {
      readonly operation: 'update'
      readonly id: string
      readonly content: JsonObject
      readonly rev?: string | undefined
    }
  | { readonly operation: 'delete'; readonly id: string; readonly rev?: string | undefined }

export type ObjectWriteOutcome =
  | { readonly ok: true; readonly object: StoredObject }
  | { readonly ok: false; readonly reason: 'exists' | 'missing' | 'changed' }

/** Objects of named collections, e.g. `managed/user`. */
export interface Objects {
  /** Declares (again) which pointers of a collection are searched often, and builds or drops indexes accordingly. */
  declare(collection: string, searchable: readonly string[]): Promise<void>
  /** The objects of one page of ids, keyed by id: one query. */
  read(collection: string, ids: readonly string[]): Promise<ReadonlyMap<string, StoredObject>>
  /** All ids, in pages ordered by id: cheaper than a query. */
  ids(collection: string, pageSize?: number): AsyncIterable<readonly string[]>
  /** Which of these ids there are. */
  existing(collection: string, ids: readonly string[]): Promise<ReadonlySet<string>>
  query(collection: string, query: StoreQuery): Promise<StorePage<StoredObject>>
  /** In order, in one transaction; outcomes stand at the place of their write. The new `_rev` is in the outcome. */
  write(collection: string, writes: readonly ObjectWrite[]): Promise<readonly ObjectWriteOutcome[]>
  count(collection: string): Promise<number>
  /** The names of all collections there are. */
  collections(): Promise<readonly string[]>
}

/** One end of a relationship (platform §6.1). */
export interface RelationshipEnd {
  readonly collection: string
  readonly id: string
  /** The property that shows the relationship at this end; empty if none does. */
  readonly property: string
}

/** A relationship is stored once, for both ends. */
export interface Relationship {
  readonly _id: string
  readonly first: RelationshipEnd
  readonly second: RelationshipEnd
  /** Of its own: `_refProperties` without `_id` and `_rev`. */
  readonly properties: JsonObject
}

/** A relationship as one of its ends sees it. */
export interface SeenRelationship {
  readonly _id: string
  readonly _rev: string
  readonly own: RelationshipEnd
  readonly other: RelationshipEnd
  readonly properties: JsonObject
}

/** The relationships of one property of a set: of one object, or, without an id, of all. */
export interface RelationshipScope {
  readonly collection: string
  readonly property: string
  readonly id?: string
  /** The collections of the other ends, if filters must see the fields of the objects there. */
  readonly others: readonly string[]
}

export interface Relationships {
  /**
   * The relationships of a page of objects, keyed by object: one statement. `properties` restricts them to those seen there;
   * `to` to those with these other ends. In the order of storing.
   */
  of(
    collection: string,
    ids: readonly string[],
    restriction?: {
      readonly properties?: readonly string[]
      readonly to?: { readonly collection: string; readonly ids: readonly string[] }
    },
  ): Promise<ReadonlyMap<string, readonly SeenRelationship[]>>
  /** Ids of the objects of `collection` whose `property` shows a relationship to one of these. */
  reaching(
    from: { readonly collection: string; readonly property: string },
    to: { readonly collection: string; readonly ids: readonly string[] },
  ): Promise<readonly string[]>
  /** PRECONDITION_FAILED, and none is kept, if there is one of the same id. */
  insert(relationships: readonly Relationship[]): Promise<void>
  /** Replaces their own properties; missing relationships are ignored. */
  update(relationships: readonly { readonly _id: string; readonly properties: JsonObject }[]): Promise<void>
  delete(ids: readonly string[]): Promise<void>
  /**
   * The relationships that one property of one object shows, as references with `_id` and `_rev`. Filters and sort keys see the
   * members of the reference and, where there is none of the name, of the object referred to.
   */
  query(
    scope: RelationshipScope & { readonly id: string },
    query: StoreQuery,
  ): Promise<StorePage<StoredObject>>
  /** Ids of the objects of which some relationship matches, as `query` would see it. */
  owners(scope: RelationshipScope, filter: Filter): Promise<readonly string[]>
}

/** A run's state, stored whole; `content` is the run object of engine §7.7. */
export interface RunRecord {
  readonly id: string
  readonly mapping: string
  readonly analysis: boolean
  readonly state: 'ACTIVE' | 'SUCCESS' | 'FAILED' | 'CANCELED'
  /** ISO 8601. */
  readonly started: string
  readonly content: JsonObject
}

/** One operation of a run (engine §7.9), kept when associations are asked for. */
export interface RunEntry {
  readonly id: string
  readonly runId: string
  readonly content: JsonObject
}

export interface Runs {
  /** Stores a run, or replaces the one of the same id. */
  save(run: RunRecord): Promise<void>
  read(id: string): Promise<RunRecord | undefined>
  /** Oldest first. */
  list(): Promise<readonly RunRecord[]>
  /** Deletes a run and its entries; false if there was none. */
  delete(id: string): Promise<boolean>
  /** Ids of the runs that have entries. */
  withEntries(): Promise<ReadonlySet<string>>
  /** Deletes the entries of a run and leaves the run itself. */
  deleteEntries(id: string): Promise<void>
  /** The run must have been saved, else NOT_FOUND. */
  appendEntries(entries: readonly RunEntry[]): Promise<void>
  /** Entries of a run, in the order of writing unless sorted; filters and sort keys see `content`. */
  queryEntries(runId: string, query: StoreQuery): Promise<StorePage<JsonObject>>
}

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

/** Small values of the server itself, e.g. the hashed administrator password. */
export interface Settings {
  read(key: string): Promise<Json | undefined>
  write(key: string, value: Json): Promise<void>
}

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
   * nor later events of the same objects, as long as the lease is held and has not expired.
   */
  claim(mapping: string, claimant: Claimant, limit: number): Promise<readonly QueuedEvent[]>
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
