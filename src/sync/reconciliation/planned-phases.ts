import { isDone, type PlanLine, stalenessOf } from '../../plan/plan-line.ts'
import type { Recorder } from '../page/apply/apply.ts'
import { decideSources } from '../page/decide-sources.ts'
import { decideTargets, joinTargetLinks } from '../page/decide-targets.ts'
import { goesOn, type Operation, sourceOperation, targetOperation } from '../page/operation.ts'
import { awaitsOnLink, shapePage } from '../page/shape-page.ts'
import { holdingSources, isOvertaken } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { planLine } from '../plans/plan-line.ts'
import type { PlanSource } from '../plans/plan-source.ts'
import { finish } from './phases.ts'
import type { Reconciliation } from './reconciliation.ts'
import type { PlanOutcome } from './run.ts'

/**
 * Performs a plan, page by page: each operation is read, joined, decided and shaped again with the same rules as in any
 * run, and performed only if it comes to what its line says. Nothing that is not in the plan is done.
 */
export async function plannedPhases(
  reconciliation: Reconciliation,
  sync: Synchronization,
  plan: PlanSource,
  recorder: Recorder,
  outcome: PlanOutcome,
): Promise<void> {
  const work: Work = { reconciliation, sync, looking: lookingOnly(sync), recorder, outcome }
  for await (const page of plan.lines('source')) {
    for (const part of partsOf(wanted(reconciliation, page), sync)) await workSources(work, part)
  }
  if (!reconciliation.run.signal.aborted) reconciliation.run.enter('ACTIVE_RECONCILING_TARGET')
  for await (const page of plan.lines('target')) {
    for (const part of partsOf(wanted(reconciliation, page), sync)) await workTargets(work, part)
  }
}

interface Work {
  readonly reconciliation: Reconciliation
  readonly sync: Synchronization
  /** Decides and shapes as the plan did: scripts cannot write, so that what is left out leaves no trace. */
  readonly looking: Synchronization
  readonly recorder: Recorder
  readonly outcome: PlanOutcome
}

function lookingOnly(sync: Synchronization): Synchronization {
  const request = { ...sync.scripts.request, readOnly: true }
  return { ...sync, hooks: 'foresee', scripts: { ...sync.scripts, request } }
}

function holding(work: Work, sync: Synchronization): Work {
  return { ...work, sync }
}

function wanted({ planFilter }: Reconciliation, page: readonly PlanLine[]): readonly PlanLine[] {
  return planFilter ? page.filter(planFilter) : page
}

function* partsOf(page: readonly PlanLine[], { rules }: Synchronization): Iterable<readonly PlanLine[]> {
  const size = rules.oneByOne ? 1 : Math.max(1, page.length)
  for (let start = 0; start < page.length; start += size) yield page.slice(start, start + size)
}

async function workSources(work: Work, lines: readonly PlanLine[]): Promise<void> {
  const { sync, reconciliation } = work
  if (reconciliation.run.signal.aborted) return
  const lineOf = new Map<string, PlanLine>()
  const operations = lines.map((line) => {
    const { sourceId, linkQualifier } = line
    lineOf.set(JSON.stringify([sourceId, linkQualifier]), line)
    return sourceOperation(sourceId as string, undefined, linkQualifier)
  })
  await holdingSources(sync, operations, (held) => workHeldSources(holding(work, held), operations, lineOf))
}

async function workHeldSources(
  work: Work,
  held: readonly Operation[],
  lineOf: ReadonlyMap<string, PlanLine>,
): Promise<void> {
  const { sync, looking } = work
  const ids = [...new Set(held.map(({ sourceId }) => sourceId as string))]
  const sources = await sync.sources.readMany(ids, sync.signal)
  for (const operation of held) {
    operation.source = sources.get(operation.sourceId as string)
    operation.overtaken = isOvertaken(sync, operation)
  }
  let waiting = held
  while (waiting.length > 0) {
    const { operations, heldBack } = await decideSources(looking, waiting)
    const planned = operations.map(
      ({ sourceId, linkQualifier }) => lineOf.get(JSON.stringify([sourceId, linkQualifier])) as PlanLine,
    )
    await perform(work, operations, planned)
    waiting = heldBack
  }
}

async function workTargets(work: Work, lines: readonly PlanLine[]): Promise<void> {
  const gone = new Set<string>()
  // What one qualifier does to a target is done before the next one looks at it.
  for (const round of Map.groupBy(lines, ({ linkQualifier }) => linkQualifier).values()) {
    if (work.reconciliation.run.signal.aborted) return
    const operations = round.map(({ targetId, linkQualifier }) =>
      targetOperation(targetId as string, linkQualifier),
    )
    await joinTargetLinks(work.sync, operations)
    await holdingSources(work.sync, operations, async (held) => {
      await decideTargets(work.looking, operations, gone)
      await perform(holding(work, held), operations, round)
    })
  }
}

/** Leaves out what does not hold any more, and performs the rest. */
async function perform(
  { reconciliation, sync, recorder, outcome }: Work,
  operations: readonly Operation[],
  lines: readonly PlanLine[],
): Promise<void> {
  operations.forEach((operation, position) => {
    const planned = lines[position] as PlanLine
    const now = planLine(sync, operation)
    const why = stalenessOf(planned, now)
    if (why === undefined) {
      outcome.performed++
      return
    }
    const done = isDone(planned, now)
    outcome[done ? 'done' : 'stale']++
    operation.stale = { why, done }
    operation.situation = planned.situation ?? operation.situation
    operation.action = planned.action ?? operation.action
    operation.refusal = done ? 'done already' : `left out: ${why}`
    operation.failure = undefined
    operation.shapingFailed = false
  })
  const standing = operations.filter(goesOn)
  await shapePage(
    sync,
    standing.filter((operation) => !awaitsOnLink(sync, operation)),
  )
  await finish(reconciliation, sync, operations, recorder)
}
