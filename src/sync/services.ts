import type { Log } from '../kit/log.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Locks } from '../repository/locks.ts'
import type { Repository } from '../repository/repository.ts'
import type { RunSets } from '../repository/run-sets.ts'
import type { Resources } from '../router/resources.ts'
import type { RunFlows } from './changes/run-flows.ts'
import type { ChangeWindows } from './changes/windows.ts'
import type { Rules } from './page/rules.ts'

/** What runs, changes and operations on single objects work with. */
export interface SyncServices {
  readonly repository: Repository
  readonly resources: () => Resources
  /** Shared by all that work on objects of this repository. */
  readonly locks: Locks
  readonly runSets: RunSets
  readonly activeOperations: ActiveOperations
  /** Counts what changes do; undefined where they have been counted already, as those of a liveSync. */
  readonly windows: ChangeWindows | undefined
  /** Told of what changes came to, for the runs that made them. */
  readonly flows: RunFlows
  /** In processing order. */
  readonly mappings: () => readonly Mapping[]
  /** Rules of a mapping by name; a Problem if there is no such mapping, or it has errors. */
  readonly rulesOf: (mapping: string) => Promise<Rules>
  /** Around all work: the configuration that it works with stays open until it ends. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>
  readonly log: Log
}

/**
 * Single operations of this process that are running, by the id under which they write intents: these are not left over
 * (recover.ts).
 */
export class ActiveOperations {
  readonly #ids = new Set<string>()

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  async during<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#ids.add(id)
    try {
      return await work()
    } finally {
      this.#ids.delete(id)
    }
  }
}
