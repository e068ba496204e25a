import { chunks } from '../../kit/chunks.ts'
import { firstConflict, idsOf } from './conflicts.ts'
import { decidePage } from './decide.ts'
import { joinSources } from './join.ts'
import type { Decided, ReadSource } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Joins, decides and performs source operations in order, as many together as do not depend on each other. Those behind the
 * first one that does are joined and decided again after it. Then fewer are taken the next time, so that a page full of
 * conflicts is not decided anew for each of them.
 */
export async function synchronize(
  sync: Synchronization,
  page: readonly ReadSource[],
  perform: (decided: readonly Decided[]) => Promise<unknown>,
): Promise<void> {
  let waiting = page
  let together = page.length
  while (waiting.length > 0) {
    const some = waiting.slice(0, together)
    const decided = await joinAndDecide(sync, some)
    const done = firstConflict(decided, idsOf(sync))
    await perform(decided.slice(0, done))
    waiting = waiting.slice(done)
    together = 2 * (done < some.length ? done : together)
  }
}

/** As many as the sandbox takes in one crossing. */
const portion = 250

/** A portion is joined here while the sandbox decides the one before it: joining only reads. */
async function joinAndDecide(
  sync: Synchronization,
  page: readonly ReadSource[],
): Promise<readonly Decided[]> {
  const decided: Decided[] = []
  let deciding: Promise<readonly Decided[]> = Promise.resolve([])
  for (const part of chunks(page, portion)) {
    const [joined, before] = await Promise.all([joinSources(sync, part), deciding])
    decided.push(...before)
    deciding = decidePage(sync, joined)
  }
  return decided.concat(await deciding)
}
