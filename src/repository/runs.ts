import type { JsonObject } from '../model/json.ts'
import type { StorePage, StoreQuery } from './query.ts'

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
  /** One entry; the nearer to the end it was written, the faster. */
  readEntry(runId: string, id: string): Promise<JsonObject | undefined>
  /** Entries of a run, in the order of writing unless sorted; filters and sort keys see `content`. */
  queryEntries(runId: string, query: StoreQuery): Promise<StorePage<JsonObject>>
}
