import { type PlanLine, planFilter } from '../../plan/plan-line.ts'
import { withSourceLocks } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { PlanSource } from '../plans/plan-source.ts'
import { finish } from '../reconciliation/phases.ts'
import { leftOut } from '../reconciliation/planned-phases.ts'
import type { Reconciliation } from '../reconciliation/reconciliation.ts'
import { decideUndo } from './decide-undo.ts'
import { type RunRecord, recordsById, recordsOf } from './records.ts'

/** A dry run of what undoes a run: its last operation first. */
export async function undoingPhase(
  reconciliation: Reconciliation,
  sync: Synchronization,
  runId: string,
): Promise<void> {
  const { repository, run, rules } = reconciliation
  const undoing = { ...sync, lost: undefined }
  for await (const page of recordsOf(repository, runId, rules.mapping))
    for (const part of partsOf(page)) {
      if (run.signal.aborted) return
      await finish(reconciliation, undoing, await decideUndo(undoing, part))
    }
}

/** Performs a plan that undoes a run: each step is decided again, and done only if it is what its line says. */
export async function plannedUndo(
  reconciliation: Reconciliation,
  sync: Synchronization,
  plan: PlanSource,
): Promise<void> {
  const { repository, run, rules, planFilters } = reconciliation
  const outcome = { performed: 0, failed: 0, stale: 0, done: 0, unchanged: 0 }
  run.planned = outcome
  const wanted = planFilter(planFilters ?? {})
  for (const phase of ['source', 'target'] as const)
    for await (const page of plan.lines(phase)) {
      const lines = page.filter(wanted)
      const lineOf = new Map(lines.map((line) => [keyOfStep(line), line]))
      const ids = [...new Set(lines.flatMap(({ undoes }) => undoes ?? []))]
      const records = (await recordsById(repository, ids, rules.mapping)).filter((one) => one !== undefined)
      for (const part of partsOf(records)) {
        if (run.signal.aborted) return
        await withSourceLocks({ ...sync, lost: undefined }, part, async (held) => {
          const decided = (await decideUndo(held, part)).flatMap((operation) => {
            const line = lineOf.get(keyOfStep(operation))
            if (line && operation.stale) outcome.done++
            else if (line) return [leftOut(held, operation, operation, line, outcome)]
            return line ? [operation] : []
          })
          const done = await finish(reconciliation, held, decided)
          const failed = done.filter(({ failure }) => failure !== undefined).length
          outcome.performed -= failed
          outcome.failed += failed
        })
      }
    }
}

/** An update that has made a link is undone in two steps. */
function keyOfStep({
  undoes,
  action,
}: {
  readonly undoes?: string | undefined
  readonly action?: PlanLine['action'] | undefined
}): string {
  return `${undoes} ${action}`
}

/** In parts in which no target occurs twice. */
function* partsOf(page: readonly RunRecord[]): Generator<readonly RunRecord[]> {
  let part: RunRecord[] = []
  let seen = new Set<string>()
  for (const record of page) {
    const id = record.targetId ?? record.id
    if (seen.has(id)) {
      yield part
      part = []
      seen = new Set()
    }
    seen.add(id)
    part.push(record)
  }
  if (part.length > 0) yield part
}
