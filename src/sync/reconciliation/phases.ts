import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { applyPage, type Recorder } from '../page/apply/apply.ts'
import { decideTargets, joinTargetLinks, targetRounds } from '../page/decide-targets.ts'
import { goesOn, linksAnyway, type Operation, planEntry, sourceOperation } from '../page/operation.ts'
import { holdingSources, refreshed } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { TargetIds } from '../page/target-ids.ts'
import { workThrough } from '../page/work-through.ts'
import type { SourceRecord } from './read.ts'
import type { Reconciliation } from './reconciliation.ts'

/** Every source object, page by page; each page may depend on those before it. */
export async function sourcePhase(
  reconciliation: Reconciliation,
  sync: Synchronization,
  pages: AsyncIterable<readonly SourceRecord[]>,
  recorder: Recorder,
): Promise<void> {
  const { run, settings } = reconciliation
  for await (const page of pages) {
    for (const part of partsOf(page, sync.rules.oneByOne ? 1 : settings.pageSize)) {
      if (run.signal.aborted) return
      await run.durations.time('sourcePagePhase', async () => {
        const operations = await openOperations(sync, part)
        await holdingSources(sync, operations, async (held) =>
          workThrough(held, await refreshed(held, operations), (decided) =>
            finish(reconciliation, held, decided, recorder),
          ),
        )
      })
    }
  }
}

/** One operation an object and qualifier. */
async function openOperations(
  sync: Synchronization,
  page: readonly SourceRecord[],
): Promise<readonly Operation[]> {
  const { qualifiers } = sync.rules.mapping
  if (qualifiers.kind === 'fixed') {
    return page.flatMap(({ id, object }) => qualifiers.names.map((name) => sourceOperation(id, object, name)))
  }
  const inputs = page.map(({ object }) => ({ object: object ?? null, oldValue: null, returnAll: false }))
  const outcomes = await sync.rules.ask('qualifiers', inputs, sync.scripts)
  return page.flatMap(({ id, object }, position) =>
    namesIn(outcomes[position]).map((name) => sourceOperation(id, object, name)),
  )
}

/** A failing linkQualifiers script ends the run (engine §7.3). */
function namesIn(
  outcome: { ok: boolean; value?: Json | undefined; error?: Problem } | undefined,
): readonly string[] {
  if (!outcome?.ok) throw outcome?.error ?? new Problem('INTERNAL', 'no link qualifiers')
  return outcome.value as string[]
}

/** The targets that no source operation handled (engine §3.4). */
export async function targetPhase(
  reconciliation: Reconciliation,
  sync: Synchronization,
  recorder: Recorder,
): Promise<void> {
  const { run, settings } = reconciliation
  const names = await allQualifiers(sync)
  for (const page of sync.targetIds?.remaining(settings.pageSize) ?? []) {
    for (const part of partsOf(page, sync.rules.oneByOne ? 1 : page.length)) {
      if (run.signal.aborted) return
      const gone = new Set<string>()
      for (const round of await targetRounds(sync, part, names)) {
        await joinTargetLinks(sync, round)
        await holdingSources(sync, round, async (held) => {
          await decideTargets(held, round, gone)
          await finish(reconciliation, held, round, recorder)
        })
        for (const operation of round) {
          if (operation.action === 'DELETE' && goesOn(operation)) gone.add(operation.targetId as string)
        }
      }
    }
  }
}

async function allQualifiers(sync: Synchronization): Promise<readonly string[]> {
  const { qualifiers } = sync.rules.mapping
  if (qualifiers.kind === 'fixed') return qualifiers.names
  const [outcome] = await sync.rules.ask(
    'qualifiers',
    [{ object: null, oldValue: null, returnAll: true }],
    sync.scripts,
  )
  return namesIn(outcome)
}

/** Applies and records decided operations, whatever came of them. */
export async function finish(
  { onEntry, onPage, onProgress }: Reconciliation,
  sync: Synchronization,
  operations: readonly Operation[],
  recorder: Recorder,
): Promise<void> {
  if (operations.length === 0) return
  // Before applying: an update may rename the target, and the one that was bound is handled.
  for (const operation of operations) if (operation.phase === 'source') markHandled(sync.targetIds, operation)
  await applyPage(sync, operations, recorder)
  for (const operation of operations) {
    if (sync.dryRun) foresee(sync, operation)
    onEntry?.(planEntry(sync.rules.mapping, operation, sync.targets.isSecret), operation, sync)
  }
  await onPage?.()
  onProgress?.()
}

/** The bound target, or all ambiguous ones, whatever the action was and even if it failed (engine §7.3). */
function markHandled(targetIds: TargetIds | undefined, { targetId, candidates }: Operation): void {
  if (!targetIds) return
  if (targetId !== undefined) targetIds.handled(targetId)
  for (const { id } of candidates) targetIds.handled(id)
}

/** In a dry run later objects meet what earlier ones would have written, as far as correlation can tell. */
export function foresee(
  { correlator, runId, rules: { mapping } }: Synchronization,
  operation: Operation,
): void {
  const { action, desired, target, targetId, link, linkQualifier } = operation
  if (linksAnyway(operation, mapping) && targetId !== undefined)
    correlator.planned(linkQualifier, targetId, true)
  if (!goesOn(operation)) return
  if (action === 'CREATE' && desired) {
    const id = `(new target of ${operation.sourceId} in ${runId})`
    correlator.wrote(id, undefined, desired)
    correlator.planned(linkQualifier, id, true)
  } else if (action === 'UPDATE' || action === 'LINK') {
    if (targetId !== undefined) correlator.planned(linkQualifier, targetId, true)
    if (desired && target) correlator.wrote(target._id, target, desired)
  } else if (action === 'DELETE' || action === 'UNLINK') {
    if (link && targetId !== undefined) correlator.planned(linkQualifier, targetId, false)
    if (action === 'DELETE' && target) correlator.wrote(target._id, target, undefined)
  }
}

function* partsOf<T>(page: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < page.length; start += size) yield page.slice(start, start + size)
}
