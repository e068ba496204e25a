import type { Mapping } from '../../mapping/mapping.ts'
import type { Problem } from '../../model/problem.ts'
import { type Applied, nothingApplied, nothingDecided } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'

/** What changes came to under a mapping behind the target of a run. */
export interface Flowed {
  readonly mapping: Mapping
  readonly done: readonly Applied[]
  /** Absent: the mapping failed before it could look at the changes. */
  readonly sync?: Synchronization
}

/**
 * The runs of this process that want to know what becomes of their writes in the mappings behind. A run is known by its
 * transaction: all that it causes carries that, however many mappings are in between.
 */
export class RunFlows {
  readonly #listeners = new Map<string, (flowed: Flowed) => void>()

  /** Until it is disposed of. */
  listen(transactionId: string, listener: (flowed: Flowed) => void): Disposable {
    this.#listeners.set(transactionId, listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(transactionId) }
  }

  tell(transactionId: string, flowed: Flowed): void {
    this.#listeners.get(transactionId)?.(flowed)
  }
}

/** A change that its mapping could not even look at. */
export function neverDecided(sourceId: string, failure: Problem): Applied {
  return {
    ...{ stage: 'applied', phase: 'source', sourceId, targetId: undefined, linkQualifier: 'default' },
    ...{ source: undefined, target: undefined, link: undefined, correlation: undefined, candidates: [] },
    ...{ qualifies: false, disqualifiedBy: undefined, ...nothingDecided, ...nothingApplied, failure },
  }
}
