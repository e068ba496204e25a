import { chunks } from '../../kit/chunks.ts'
import { firstConflict, idsOf } from './conflicts.ts'
import { decidePage } from './decide.ts'
import { joinSources } from './join.ts'
import type { Decided, ReadSource } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Joins, decides and performs source operations in order, as many together as do not depend on each other. Those behind the
 * first one that does are joined and decided again after it. Then fewer are taken the next time, so that a page full of
 * conflicts is not decided anew for each of them. `decidedAhead`: what `lookAhead` has decided already, from the first on.
 */
export async function synchronize(
  sync: Synchronization,
  page: readonly ReadSource[],
  perform: (decided: readonly Decided[]) => Promise<unknown>,
  decidedAhead: readonly Decided[] = [],
): Promise<void> {
  if (decidedAhead.length > 0) await perform(decidedAhead)
  let waiting = page.slice(decidedAhead.length)
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

/** A page that was joined before the page in front of it was performed. */
export interface LookedAhead {
  readonly reads: readonly ReadSource[]
  /** While it is decided in the sandbox, the page in front of it can be performed here. */
  readonly decided: Promise<readonly Decided[]>
}

/** Joins a page and begins to decide it. Only reads. */
export async function lookAhead(sync: Synchronization, reads: readonly ReadSource[]): Promise<LookedAhead> {
  const decided = Promise.all(await beginToDecide(sync, reads)).then((parts) => parts.flat())
  // Whoever takes the page hears of it.
  decided.catch(() => {})
  return { reads, decided }
}

/** As many from the first on as depend neither on each other nor on what was performed meanwhile. */
export async function independent(
  sync: Synchronization,
  { decided }: LookedAhead,
  performed: readonly Decided[],
): Promise<readonly Decided[]> {
  const page = await decided
  return page.slice(0, firstConflict(page, idsOf(sync), performed))
}

/** As many as the sandbox takes in one crossing. */
const portion = 250

async function joinAndDecide(
  sync: Synchronization,
  page: readonly ReadSource[],
): Promise<readonly Decided[]> {
  return (await Promise.all(await beginToDecide(sync, page))).flat()
}

/** A portion is joined here while the sandbox decides the one before it. */
async function beginToDecide(
  sync: Synchronization,
  page: readonly ReadSource[],
): Promise<readonly Promise<readonly Decided[]>[]> {
  const deciding: Promise<readonly Decided[]>[] = []
  for (const part of chunks(page, portion)) {
    const decided = decidePage(sync, await joinSources(sync, part))
    // Until all are joined nobody waits for it.
    decided.catch(() => {})
    deciding.push(decided)
  }
  return deciding
}
