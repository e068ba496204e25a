import type { Hook } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { plannedUndo, undoingPhase } from '../undo/phases.ts'
import { pageGuard, requirePlanWithinGuard, requireWithinGuard } from './guard.ts'
import { lastRound } from './last-round.ts'
import { cleanUpLinks } from './link-cleanup.ts'
import { openRun, targetQuery } from './open-run.ts'
import { sourcePhase, targetPhase } from './phases.ts'
import { plannedPhases } from './planned-phases.ts'
import { type Reconciliation, scriptContext } from './reconciliation.ts'
import { recorder, recordFrame } from './record.ts'
import { recover } from './recover.ts'
import { failedIds } from './retry.ts'
import { EmptySource, openSources, requireDeclared } from './sources.ts'

/**
 * Carries out a run (engine §7.3): `onRecon` → start → source query → empty guard → target query →
 * source phase → target phase → link clean-up → `result` → summary. A dry run takes the same way without the writers. Never
 * throws: what ends a run is in the run.
 */
export async function reconcile(asked: Omit<Reconciliation, 'recorder'>): Promise<void> {
  const reconciliation = { ...asked, recorder: recorder(asked) }
  const { run, repository } = reconciliation
  const fail = (error: unknown) => run.fail(error)
  await phases(reconciliation).catch((error) => {
    // What a cancelled read or write throws is the cancelling itself.
    if (!run.signal.aborted) fail(error)
  })
  await conclude(reconciliation).catch(fail)
  await repository.transaction((store) => recordFrame(reconciliation, 'summary', store)).catch(fail)
  run.close()
}

async function phases(asked: Reconciliation): Promise<void> {
  const reconciliation = { ...asked, brake: await pageGuard(asked) }
  const { run, repository, settings, sourceId, plan, undoes, retry, locks } = reconciliation
  using watch = locks.watch()
  await using opened = new AsyncDisposableStack()
  await runWholeRunHook(reconciliation, 'onRecon', {})
  await repository.transaction((store) => recordFrame(reconciliation, 'start', store))
  await recoverLeftovers(reconciliation)
  run.enter('ACTIVE_QUERY_ENTRIES')
  const withTargets =
    !retry &&
    undoes === undefined &&
    (plan?.header.targetPhase ?? settings.runTargetPhase ?? sourceId === undefined)
  const queryTargets = withTargets ? targetQuery(reconciliation, opened) : undefined
  if (plan) {
    if (plan.header.undoes === undefined) await requireDeclared(reconciliation)
    await requirePlanWithinGuard(reconciliation, plan.header)
    const sync = await openRun(reconciliation, { listed: await queryTargets?.(), watch })
    run.enter('ACTIVE_RECONCILING_SOURCE')
    if (plan.header.undoes === undefined) await plannedPhases(reconciliation, sync, plan)
    else await plannedUndo(reconciliation, sync, plan)
    run.statistics.totals.source = run.statistics.processed.source
    return
  }
  if (undoes !== undefined) {
    const sync = await openRun(reconciliation, { watch })
    run.enter('ACTIVE_RECONCILING_SOURCE')
    return undoingPhase(reconciliation, sync, undoes)
  }
  await requireWithinGuard(reconciliation, queryTargets)
  const sources = await openSources(reconciliation)
  const sync = await openRun(reconciliation, { listed: await queryTargets?.(), watch })
  run.enter('ACTIVE_RECONCILING_SOURCE')
  const listings = await run.durations.time('sourcePhase', () => sourcePhase(reconciliation, sync, sources))
  run.heed('source', listings.source)
  const informed = { ...sync, listings }
  const looksAtTargets = withTargets && !run.signal.aborted
  if (looksAtTargets) {
    run.enter('ACTIVE_RECONCILING_TARGET')
    await run.durations.time('targetPhase', () => targetPhase(reconciliation, informed))
  }
  if (retry && !run.signal.aborted) {
    run.enter('ACTIVE_RECONCILING_TARGET')
    const targets = failedIds(repository.audit, retry, 'target', reconciliation.rules.mapping.target)
    await targetPhase(reconciliation, informed, targets)
  }
  await lastRound(reconciliation, informed)
  run.statistics.totals.source ??= run.statistics.processed.source
  if (looksAtTargets) await cleanUpLinks(reconciliation, informed)
}

/** What an earlier run left undone is resolved before anything is decided; a dry run can only say that it is there. */
async function recoverLeftovers(reconciliation: Reconciliation): Promise<void> {
  const { run, rules, repository, log } = reconciliation
  const { type } = rules.mapping.links
  if (!run.analysis) return recover(reconciliation, type)
  const [leftover] = await repository.intents.list(type, 1)
  if (leftover)
    log('warn', `${type}: run ${leftover.runId} broke off while it wrote; the next run resolves what it left`)
}

async function conclude(reconciliation: Reconciliation): Promise<void> {
  const { run } = reconciliation
  if (!(run.problem instanceof EmptySource)) await runResult(reconciliation)
  run.enter(run.signal.aborted ? 'COMPLETED_CANCELED' : 'COMPLETED_SUCCESS')
}

/** Runs on success, failure and cancel alike (engine §7.8). */
async function runResult(reconciliation: Reconciliation): Promise<void> {
  const { run } = reconciliation
  run.enter('ACTIVE_PROCESSING_RESULTS')
  const end = new Date()
  const times = {
    startTime: run.started.toISOString(),
    endTime: end.toISOString(),
    duration: run.duration,
  }
  const { source, target } = reconciliation.rules.mapping
  const phase = (name: 'source' | 'target', set: string) => ({
    ...{ name: set, ...times, entryListDuration: 0, ...run.statistics.phase(name) },
  })
  await runWholeRunHook(reconciliation, 'result', {
    source: phase('source', source),
    target: phase('target', target),
    global: { ...times, reconId: run.id, mappingName: run.mapping },
    reconState: run.toJSON(),
  })
}

/** `onRecon` and `result`: once a run, never in a dry run; a failure ends the run. */
async function runWholeRunHook(
  reconciliation: Reconciliation,
  hook: Hook,
  variables: JsonObject,
): Promise<void> {
  const { rules, run } = reconciliation
  const script = rules.mapping.hooks[hook]
  if (script === undefined || run.analysis) return
  const ask = () => rules.ask('hook', [{ script, variables }], scriptContext(reconciliation))
  const [outcome] = await run.durations.time(`${hook}Script`, ask)
  if (!outcome?.ok) throw outcome?.error ?? new Problem('INTERNAL', `${hook} did not run`)
}
