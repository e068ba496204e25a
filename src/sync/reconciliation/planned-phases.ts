import { isDone, type PlanLine, planFilter, stalenessOf } from '../../plan/plan-line.ts'
import { judged } from '../page/apply/judged.ts'
import { causeOf } from '../page/cause.ts'
import { decidePage, shapePage } from '../page/decide.ts'
import { joinTargets, linkedSources } from '../page/join.ts'
import { lostParts } from '../page/lost-operations.ts'
import { type Applied, type Decided, type ReadSource, readSource, readTarget } from '../page/operation.ts'
import { isOvertaken, withSourceLocks } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { synchronize } from '../page/synchronize.ts'
import { lineOf } from '../plans/line-of.ts'
import type { PlanSource } from '../plans/plan-source.ts'
import { asTheyWere } from './last-round.ts'
import { finish, partsOf, readOnly } from './phases.ts'
import type { Reconciliation } from './reconciliation.ts'
import type { PlanOutcome } from './run.ts'

/**
 * Performs a plan, page by page: each operation is decided again with the same rules, and performed only if it comes to what
 * its line says. Nothing that is not in the plan is done.
 */
export async function plannedPhases(
  reconciliation: Reconciliation,
  sync: Synchronization,
  plan: PlanSource,
): Promise<void> {
  const { run, planFilters } = reconciliation
  const wanted = planFilter(planFilters ?? {})
  const lines = async function* (phase: PlanLine['phase']) {
    for await (const page of plan.lines(phase)) yield page.filter(wanted)
  }
  const outcome = { performed: 0, failed: 0, stale: 0, done: 0, unchanged: 0 }
  run.planned = outcome
  const work: Work = { reconciliation, sync, looking: lookingOnly(sync), outcome, isLast: false }
  const again: PlanLine[] = []
  for await (const part of partsOf(reconciliation, sync, lines('source'))) {
    await workSources(work, part)
    again.push(...part.filter((line) => sync.lost?.of(line)))
  }
  run.enter('ACTIVE_RECONCILING_TARGET')
  for await (const part of partsOf(reconciliation, sync, lines('target'))) await workTargets(work, part)
  await lastOfPlan(work, again)
}

/** What another object stood in the way of, or what was not yet as its line says, once more (last-round.ts). */
async function lastOfPlan(work: Work, lines: readonly PlanLine[]): Promise<void> {
  const { reconciliation, sync, outcome } = work
  const parts = lostParts(sync)
  const lost = parts.flat()
  const { signal } = reconciliation.run
  const lineOf = new Map(lines.map((line) => [keyOf(line), line]))
  if (signal.aborted) {
    countFailed(outcome, lost, lineOf)
    return asTheyWere(reconciliation, sync, lost)
  }
  for (const one of lost) outcome[one.stale ? 'stale' : holding(lineOf.get(keyOf(one)))]--
  for (const part of parts) {
    const own = part.flatMap((operation) => lineOf.get(keyOf(operation)) ?? [])
    await workSources({ ...work, isLast: true }, own)
  }
}

interface Work {
  readonly reconciliation: Reconciliation
  readonly sync: Synchronization
  /** Decides and shapes as the plan did: scripts cannot write, so that what is left out leaves no trace. */
  readonly looking: Synchronization
  readonly outcome: PlanOutcome
  /** Targets have been created and deleted since the run queried them. */
  readonly isLast: boolean
}

function lookingOnly(sync: Synchronization): Synchronization {
  return { ...sync, hooks: 'foresee', scripts: readOnly(sync.scripts) }
}

async function workSources(work: Work, lines: readonly PlanLine[]): Promise<void> {
  const { sync } = work
  const turns = lines.flatMap(({ sourceId, linkQualifier }) =>
    sourceId === null ? [] : [{ sourceId, linkQualifier }],
  )
  const lineOf = new Map(lines.map((line) => [keyOf(line), line]))
  await withSourceLocks(sync, turns, async (held) => {
    const ids = [...new Set(turns.map(({ sourceId }) => sourceId))]
    const sources = await held.sources.readMany(ids, held.signal)
    const reads = turns.map((turn): ReadSource => {
      const read = readSource(turn.sourceId, sources.get(turn.sourceId), turn.linkQualifier)
      return { ...read, overtaken: work.isLast || isOvertaken(held, turn) }
    })
    await synchronize(work.looking, reads, (decided) => perform({ ...work, sync: held }, decided, lineOf))
  })
}

async function workTargets(work: Work, lines: readonly PlanLine[]): Promise<void> {
  const lineOf = new Map(lines.map((line) => [keyOf(line), line]))
  const reads = lines.flatMap(({ targetId, linkQualifier }) =>
    targetId === null ? [] : [readTarget(targetId, linkQualifier)],
  )
  // What one qualifier does to a target is done before the next one looks at it.
  for (const round of Map.groupBy(reads, ({ linkQualifier }) => linkQualifier).values()) {
    if (work.reconciliation.run.signal.aborted) return
    const turns = await linkedSources(work.sync, round)
    await withSourceLocks(work.sync, turns, async (held) => {
      const decided = await decidePage(work.looking, await joinTargets(work.looking, round, new Set()))
      await perform({ ...work, sync: held }, decided, lineOf)
    })
  }
}

/** By which an operation and its line belong together: the object that it is about, and the qualifier. */
function keyOf({ phase, sourceId, targetId, linkQualifier }: PlanLine | Decided | Applied): string {
  return JSON.stringify([phase, phase === 'source' ? sourceId : targetId, linkQualifier])
}

/** Leaves out what does not hold any more, and performs the rest. */
async function perform(
  { reconciliation, sync, looking, outcome }: Work,
  page: readonly Decided[],
  lineOf: ReadonlyMap<string, PlanLine>,
): Promise<void> {
  // What the target refused in the plan, it refuses now: then that is no news.
  const verdicts = await judged(looking, page)
  const due = page.map((operation, place) => {
    const planned = lineOf.get(keyOf(operation))
    return planned ? leftOut(sync, verdicts[place] ?? operation, operation, planned, outcome) : operation
  })
  countFailed(outcome, await finish(reconciliation, sync, await shapePage(sync, due)), lineOf)
}

/** Those that were tried and failed are not performed. */
function countFailed(
  outcome: PlanOutcome,
  done: readonly Applied[],
  lineOf: ReadonlyMap<string, PlanLine>,
): void {
  const failed = done.filter((operation) => causeOf(operation) !== undefined)
  for (const operation of failed) outcome[holding(lineOf.get(keyOf(operation)))]--
  outcome.failed += failed.length
}

/** As what a line counts that still holds. */
function holding(planned: PlanLine | undefined): 'performed' | 'unchanged' {
  return planned?.writes === false ? 'unchanged' : 'performed'
}

/** An operation that is not what its line says any more, as it stands in the records; any other as it is. */
export function leftOut(
  sync: Synchronization,
  verdict: Decided | Applied,
  operation: Decided,
  planned: PlanLine,
  outcome: PlanOutcome,
): Decided {
  const now = lineOf(sync, verdict)
  const why = stalenessOf(planned, now)
  if (why === undefined) {
    outcome[holding(planned)]++
    return operation
  }
  const done = isDone(planned, now)
  outcome[done ? 'done' : 'stale']++
  return {
    ...operation,
    stale: { why, done },
    heldBy: verdict.heldBy,
    situation: planned.situation ?? operation.situation,
    action: planned.action ?? operation.action,
    refusal: done ? 'done already' : `left out: ${why}`,
    failure: undefined,
    shapingFailed: false,
  }
}
