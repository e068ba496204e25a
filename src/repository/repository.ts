import type { AuditEvents } from './audit.ts'
import type { Intents } from './intents.ts'
import type { Issues } from './issues.ts'
import type { Leases } from './leases.ts'
import type { Links } from './links.ts'
import type { Objects } from './objects.ts'
import type { Relationships } from './relationships.ts'
import type { Runs } from './runs.ts'
import type { Settings } from './settings.ts'
import type { SyncQueue } from './sync-queue.ts'

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

  /**
   * A repository of its own that begins with the state of this one as it is at one moment: objects, relationships, links, intents and
   * settings. What happened (audit, runs, issues) and what waits in the queue is not in it. Neither sees what is written in the
   * other. It keeps its files in `folder`, which the caller removes.
   */
  branch(folder: string): Promise<Repository>
}

/** What can be stored and read, inside or outside a transaction. */
export interface Store {
  readonly links: Links
  readonly intents: Intents
  readonly issues: Issues
  readonly objects: Objects
  readonly relationships: Relationships
  readonly runs: Runs
  readonly audit: AuditEvents
  readonly settings: Settings
  readonly syncQueue: SyncQueue
  readonly leases: Leases
}
