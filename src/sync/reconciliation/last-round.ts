import { lostParts } from '../page/lost-operations.ts'
import { type Applied, planEntry, type ReadSource, readSource } from '../page/operation.ts'
import { withSourceLocks } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { synchronize } from '../page/synchronize.ts'
import { finish } from './phases.ts'
import type { Reconciliation } from './reconciliation.ts'

/**
 * What another object of the run stood in the way of, once more, when all others are done: a unique value, an id or a target may
 * be free now. So the order of the objects does not decide (engine §7.3, [D]). What fails again has failed.
 */
export async function lastRound(reconciliation: Reconciliation, sync: Synchronization): Promise<void> {
  const { run } = reconciliation
  for (const part of lostParts(sync)) {
    if (run.signal.aborted) await asTheyWere(reconciliation, sync, part)
    else await run.durations.time('sourcePagePhase', () => onceMore(reconciliation, sync, part))
  }
}

async function onceMore(
  reconciliation: Reconciliation,
  sync: Synchronization,
  part: readonly Applied[],
): Promise<void> {
  const turns = part.map(({ linkQualifier, sourceId = '' }) => ({ linkQualifier, sourceId }))
  await withSourceLocks(sync, turns, async (held) => {
    const ids = [...new Set(turns.map(({ sourceId }) => sourceId))]
    const sources = await held.sources.readMany(ids, held.signal)
    // What is gone meanwhile was worked when it went.
    const gone = part.filter(({ sourceId = '' }) => !sources.has(sourceId))
    const reads = turns.flatMap(({ linkQualifier, sourceId }): ReadSource[] => {
      const source = sources.get(sourceId)
      // Targets have been created and deleted since the run queried them.
      return source ? [{ ...readSource(sourceId, source, linkQualifier), overtaken: true }] : []
    })
    await synchronize(held, reads, (decided) => finish(withWhatWasDone(reconciliation, held), held, decided))
    await asTheyWere(reconciliation, held, gone)
  })
}

/** A link that was made before the write failed is this run's, and counts as such. */
function withWhatWasDone(reconciliation: Reconciliation, sync: Synchronization): Reconciliation {
  const { recorder, onEntry } = reconciliation
  const whole = (operation: Applied): Applied => {
    const before = sync.lost?.of(operation)
    if (!before?.linkCreated || !operation.link) return operation
    return { ...operation, situation: before.situation, linkCreated: true }
  }
  return {
    ...reconciliation,
    recorder: {
      record: (page, store) => recorder.record(page.map(whole), store),
      count: (page) => recorder.count?.(page.map(whole)),
    },
    ...(onEntry && {
      onEntry: (_entry, operation, of) => {
        const done = whole(operation)
        onEntry(planEntry(of.rules.mapping, done, of.targets.isSecret), done, of)
      },
    }),
  }
}

/** Recorded as they failed: there is no more to try. */
export async function asTheyWere(
  { repository, recorder, onEntry, onPage }: Reconciliation,
  sync: Synchronization,
  page: readonly Applied[],
): Promise<void> {
  if (page.length === 0) return
  await repository.transaction((store) => recorder.record(page, store))
  recorder.count?.(page)
  for (const operation of page)
    onEntry?.(planEntry(sync.rules.mapping, operation, sync.targets.isSecret), operation, sync)
  await onPage?.()
}
