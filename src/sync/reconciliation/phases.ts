import { chunks } from '../../kit/chunks.ts'
import { heeding, type Listing } from '../../model/listing.ts'
import { Problem } from '../../model/problem.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { ScriptContext } from '../../scripts/engine.ts'
import { allComplete, type Listings } from '../page/absence.ts'
import { applyPage } from '../page/apply/apply.ts'
import { judged } from '../page/apply/judged.ts'
import { decidePage } from '../page/decide.ts'
import { joinTargets, linkedSources, targetRounds } from '../page/join.ts'
import {
  type Applied,
  type Decided,
  goesOn,
  planEntry,
  type ReadSource,
  readSource,
} from '../page/operation.ts'
import { refreshed, withSourceLocks } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { independent, type LookedAhead, lookAhead, synchronize } from '../page/synchronize.ts'
import { namesIn, qualifiersOf } from '../single/look.ts'
import type { Reconciliation } from './reconciliation.ts'
import type { SourceRecord } from './sources.ts'

/** What is worked together, until the run is cancelled. */
export async function* partsOf<T>(
  { run, settings }: Reconciliation,
  { rules }: Synchronization,
  pages: AsyncIterable<readonly T[]>,
): AsyncIterable<readonly T[]> {
  for await (const page of pages) {
    for (const part of chunks(page, rules.oneByOne ? 1 : settings.pageSize)) {
      if (run.signal.aborted) return
      yield part
    }
  }
}

/** Every source object, page by page; each page may depend on those before it. Returns what absence may be concluded from. */
export async function sourcePhase(
  reconciliation: Reconciliation,
  sync: Synchronization,
  pages: AsyncIterable<readonly SourceRecord[], Listing>,
): Promise<Listings> {
  let { source, unlinked, target } = sync.listings ?? allComplete
  const heeded = heeding(pages, (listing) => {
    source = listing
  })
  const finished = (done: readonly Applied[]) => {
    const stranger = done.find(isUnreadableStranger)
    if (stranger?.failure) unlinked = { state: 'suspect', reason: stranger.failure.message }
  }
  let before: readonly Decided[] = []
  for await (const page of lookedAhead(sync, partsOf(reconciliation, sync, heeded))) {
    if (reconciliation.run.signal.aborted) break
    await reconciliation.run.durations.time('sourcePagePhase', () =>
      withSourceLocks(sync, page.reads, async (held) => {
        const reads = await refreshed(held, page.reads)
        // What others have worked on meanwhile is looked at again.
        const ahead = reads === page.reads ? await independent(held, page, before) : []
        const performed: Decided[] = []
        const perform = async (decided: readonly Decided[]) => {
          performed.push(...decided)
          finished(await finish(reconciliation, held, decided))
        }
        await synchronize(held, reads, perform, ahead)
        before = performed
      }),
    )
  }
  return { source, unlinked, target }
}

/**
 * Each page is joined, and begins to be decided, before the one in front of it is performed; but not where objects are worked
 * one by one.
 */
async function* lookedAhead(
  sync: Synchronization,
  parts: AsyncIterable<readonly SourceRecord[]>,
): AsyncIterable<LookedAhead> {
  let waiting: LookedAhead | undefined
  try {
    for await (const part of parts) {
      const reads = await readOperations(sync, part)
      if (sync.rules.oneByOne) yield { reads, decided: nothing }
      else {
        const page = await lookAhead(sync, reads)
        if (waiting) yield waiting
        waiting = page
      }
    }
    if (waiting) yield waiting
  } finally {
    // Nothing is decided any more when the run has ended.
    await waiting?.decided.catch(() => {})
  }
}

const nothing = Promise.resolve([])

/** A source that cannot be read and has no link. */
function isUnreadableStranger({ failure, source, link }: Applied): boolean {
  return failure?.code === 'UNREADABLE' && source === undefined && link === undefined
}

/** One operation an object and qualifier. A failing linkQualifiers script ends the run (engine §7.3). */
async function readOperations(
  sync: Synchronization,
  page: readonly SourceRecord[],
): Promise<readonly ReadSource[]> {
  const { qualifiers } = sync.rules.mapping
  if (qualifiers.kind === 'fixed') {
    return page.flatMap(({ id, object }) => qualifiers.names.map((name) => readSource(id, object, name)))
  }
  // Of what cannot be read, every target that it may have is handled.
  const inputs = page.map(({ object }) =>
    isUnreadable(object)
      ? { object: null, oldValue: null, returnAll: true }
      : { object: object ?? null, oldValue: null, returnAll: false },
  )
  const outcomes = await sync.rules.ask('qualifiers', inputs, sync.scripts)
  return page.flatMap(({ id, object }, position) =>
    namesIn(outcomes[position]).map((name) => readSource(id, object, name)),
  )
}

/** The targets that no source operation handled (engine §3.4), or those that are named. */
export async function targetPhase(
  reconciliation: Reconciliation,
  sync: Synchronization,
  pages = sync.targetIds?.remaining(reconciliation.settings.pageSize),
): Promise<void> {
  if (!pages) return
  const names = await qualifiersOf(sync, undefined)
  for await (const part of partsOf(reconciliation, sync, pages)) {
    const gone = new Set<string>()
    for (const round of await targetRounds(sync, part, names)) {
      await withSourceLocks(sync, await linkedSources(sync, round), async (held) => {
        const decided = await decidePage(held, await joinTargets(held, round, gone))
        for (const operation of await finish(reconciliation, held, decided)) {
          if (operation.action === 'DELETE' && goesOn(operation) && operation.targetId !== undefined)
            gone.add(operation.targetId)
        }
      })
    }
  }
}

/** Scripts that cannot write. */
export function readOnly(scripts: ScriptContext): ScriptContext {
  return { ...scripts, request: { ...scripts.request, readOnly: true } }
}

/** Applies and records decided operations, whatever came of them. */
export async function finish(
  reconciliation: Reconciliation,
  sync: Synchronization,
  page: readonly Decided[],
): Promise<readonly Applied[]> {
  if (page.length === 0) return []
  const { run, recorder, brake, onEntry, onPage, onProgress } = reconciliation
  const foreseeing = { ...sync, hooks: 'foresee', scripts: readOnly(sync.scripts) } as const
  await brake?.takes(page, () => judged(foreseeing, page))
  // Before applying: an update may rename the target, and the one that was bound is handled.
  await sync.targetIds?.handle(page.flatMap(boundTargets))
  const done = await applyPage(sync, page, recorder)
  brake?.settle(page, done)
  for (const operation of done)
    onEntry?.(planEntry(sync.rules.mapping, operation, sync.targets.isSecret), operation, sync)
  await onPage?.()
  onProgress?.(run)
  requireFewFailures(reconciliation)
  return done
}

/** A plan foresees failures, and is none the worse for them. */
function requireFewFailures({ run, settings: { maxFailures } }: Reconciliation): void {
  const { failed } = run
  const { failures } = run.statistics
  if (run.analysis || maxFailures === undefined || failed <= maxFailures) return
  const [first] = failures
  const most = first ? `; most frequent: ${first.count} × ${first.code}: ${first.message}` : ''
  const limit = maxFailures === 0 ? 'none may' : `at most ${maxFailures} may`
  throw new Problem(
    'TOO_MANY_FAILURES',
    `${run.mapping}: stopped, because ${failed} objects failed and ${limit}${most}`,
  )
}

/** The bound target, or all ambiguous ones, whatever the action was and even if it failed (engine §7.3). */
function boundTargets({ phase, targetId, candidates }: Decided): readonly string[] {
  if (phase === 'target') return []
  const ids = candidates.map(({ id }) => id)
  return targetId === undefined ? ids : [targetId, ...ids]
}
