import type { JsonObject } from '../model/json.ts'
import type { StorePage, StoreQuery } from './query.ts'

/** An object with identity and revision; `_id` and `_rev` are members of the content, as on the wire. */
export type StoredObject = JsonObject & { _id: string; _rev: string }

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
