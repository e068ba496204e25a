import { decideSources } from './decide-sources.ts'
import type { Operation } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Decides and performs source operations in order, as many together as do not depend on each other. Where one has to wait,
 * fewer are taken the next time, so that a page full of conflicts is not decided anew for each of them.
 */
export async function workThrough(
  sync: Synchronization,
  operations: readonly Operation[],
  perform: (decided: readonly Operation[]) => Promise<void>,
): Promise<void> {
  let waiting = operations
  let together = operations.length
  while (waiting.length > 0) {
    const decided = await decideSources(sync, waiting.slice(0, together))
    await perform(decided.operations)
    waiting = [...decided.heldBack, ...waiting.slice(together)]
    together = 2 * Math.max(1, decided.heldBack.length > 0 ? decided.operations.length : together)
  }
}
