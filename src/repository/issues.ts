import type { JsonObject } from '../model/json.ts'
import type { StorePage, StoreQuery } from './query.ts'

/** A case that is left to people, in its newest state. `content` has `_id`, `state`, `firstSeen` and what the case is. */
export interface Issue {
  readonly id: string
  readonly mapping: string
  /** The run that found it last; empty if it was found by none. */
  readonly runId: string
  /** The same as long as the case is the same. */
  readonly sign: string
  readonly content: JsonObject
}

export interface Issues {
  /**
   * Stores cases, or their newest state. One that was ignored stays so, with its decision, while its sign is the same; `firstSeen`
   * stays.
   */
  report(issues: readonly Issue[]): Promise<void>
  /** Drops cases that are over; what a person has resolved is remembered. */
  clear(ids: readonly string[]): Promise<void>
  /** Drops the cases of a mapping, of these phases, that another run found, for this one has found them no more. */
  sweep(mapping: string, runId: string, phases: readonly string[]): Promise<void>
  /** Drops all cases of a mapping, whatever was decided about them; answers how many. */
  forget(mapping: string): Promise<number>
  /** Drops all cases of mappings other than these that nobody has found since then (ISO 8601). */
  expire(mappings: readonly string[], since: string): Promise<void>
  /** True if there may be something to clear. */
  any(mapping: string): Promise<boolean>
  read(id: string): Promise<Issue | undefined>
  /** Replaces a case, whatever was decided about it. */
  save(issue: Issue): Promise<void>
  /** In the order in which they were first seen unless sorted; filters and sort keys see `content`. */
  query(query: StoreQuery): Promise<StorePage<JsonObject>>
}
