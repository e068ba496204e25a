import type { Mapping } from '../../mapping/mapping.ts'
import type { Problem } from '../../model/problem.ts'
import type { Resource } from '../../router/resources.ts'
import { type Applied, nothingApplied, nothingDecided } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'

/** What changes came to under a mapping behind the target of a run. */
export interface Flowed {
  readonly mapping: Mapping
  readonly done: readonly Applied[]
  /** How many changes wait in its queue now, instead. */
  readonly queued?: number
  /** By source id: the targets as they were before. */
  readonly targets?: ReadonlyMap<string | undefined, Resource | undefined>
  /** Absent: the mapping failed before it could look at the changes. */
  readonly sync?: Synchronization
}

/** How many of these changes the guard of their mapping holds back: they wait until a person releases them. */
export function heldBackOf(done: readonly Applied[]): number {
  return done.filter(({ stale }) => stale && !stale.done).length
}

type Listener = (flowed: Flowed) => void

/**
 * Tells what becomes of changes in the mappings behind. A run is known by its transaction: all that it causes carries that,
 * however many mappings are in between.
 */
export class RunFlows {
  readonly #listeners = new Map<Listener, string | undefined>()

  /** Until it is disposed of. `transactionId` undefined: of all. */
  listen(listener: Listener, transactionId?: string): Disposable {
    this.#listeners.set(listener, transactionId)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  tell(transactionId: string, flowed: Flowed): void {
    for (const [listener, wanted] of this.#listeners)
      if (wanted === undefined || wanted === transactionId) listener(flowed)
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
