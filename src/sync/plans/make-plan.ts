import type { GuardLimits } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { isToldOf } from '../../plan/flows-on.ts'
import { exceeded, excessInWords } from '../../plan/guard.ts'
import { LineCounts } from '../../plan/line-counts.ts'
import { notForeseen } from '../../plan/not-foreseen.ts'
import { type PlanFilters, type PlanHeader, type PlanLine, planFilter } from '../../plan/plan-line.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { RunObservers } from '../reconciliation/reconciliation.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { ReconciliationRequest } from '../reconciliation/request.ts'
import type { Run } from '../reconciliation/run.ts'
import { lineOf } from './line-of.ts'
import type { PlanSink } from './plan-source.ts'

export interface PlanRequest
  extends Pick<ReconciliationRequest, 'mapping' | 'sourceId' | 'overrides' | 'undoes'> {
  readonly filters?: PlanFilters
}

interface PlanObservers extends Pick<RunObservers, 'onProgress'> {
  readonly onLine?: (line: PlanLine) => void
}

/** A dry run on its way into a plan. */
interface StartedPlan {
  readonly run: Run
  /** Undefined if the run did not succeed: half a plan is none. */
  readonly header: Promise<PlanFacts | undefined>
}

/** A header before the lines have their checksum. */
export type PlanFacts = Omit<PlanHeader, 'checksum'>

/** A dry run whose operations go into a sink as lines of a plan, page by page, as they are decided. */
export async function startPlan(
  reconciliations: Reconciliations,
  { mapping, sourceId, undoes, overrides = {}, filters = {} }: PlanRequest,
  context: RequestContext,
  sink: (run: Run) => PlanSink,
  { onLine, onProgress }: PlanObservers = {},
): Promise<StartedPlan> {
  const { settings, linked, behind, ...known } = await reconciliations.facts(mapping, overrides)
  const counts = new PlanCounts(filters, settings.guard, behind)
  let target: PlanSink | undefined
  const { run, done } = await reconciliations.start(
    { mapping, sourceId, undoes, analyze: true, foreseeHooks: true, overrides },
    context,
    {
      onEntry(entry, operation, sync) {
        const line = lineOf(sync, operation, entry)
        if (operation.cleanUp) return onLine?.(line)
        if (!counts.take(line)) return
        target ??= sink(run)
        target.add(line)
        onLine?.(line)
      },
      onPage: async () => target?.flush(),
      ...(onProgress && { onProgress }),
    },
  )
  const header = done.then(async (): Promise<PlanFacts | undefined> => {
    if (run.state !== 'SUCCESS') return undefined
    const { digest } = await reconciliations.facts(mapping, overrides)
    const summary = counts.summary(linked)
    const unseen = notForeseen(known.mapping, known.scriptsAfterWrites, summary.writes)
    return {
      plan: 1,
      mapping,
      runId: run.id,
      configuration: digest,
      created: (run.ended ?? new Date()).toISOString(),
      createdBy: context.userId,
      request: { ...(sourceId === undefined ? {} : { sourceId }), overrides },
      targetPhase: undoes === undefined && (settings.runTargetPhase ?? sourceId === undefined),
      ...(undoes !== undefined && { undoes }),
      filters,
      ...summary,
      ...(unseen.length > 0 && { notForeseen: unseen }),
    }
  })
  return { run, header }
}

/** Counts the lines of a plan while it is made. */
class PlanCounts {
  readonly #wanted: (line: PlanLine) => boolean
  readonly #lines: LineCounts
  readonly #limits: GuardLimits
  readonly #behind: ReadonlyMap<Mapping, { changes: number }>

  constructor(filters: PlanFilters, limits: GuardLimits, behind: readonly Mapping[]) {
    this.#behind = new Map(behind.map((mapping) => [mapping, { changes: 0 }]))
    this.#wanted = planFilter(filters)
    this.#limits = limits
    this.#lines = new LineCounts(limits)
  }

  /** True if the plan wants the line. */
  take(line: PlanLine): boolean {
    if (!this.#wanted(line)) return false
    this.#lines.add(line)
    for (const [mapping, told] of this.#behind) if (isToldOf(mapping, line)) told.changes++
    return true
  }

  /** What the header of the plan says about its lines. */
  summary(
    linked: number,
  ): Pick<PlanHeader, 'entries' | 'counts' | 'writes' | 'counted' | 'guard' | 'flowsOn'> {
    const { entries, counts, writes, counted } = this.#lines
    // The lines name all objects; the verdict need not.
    const excess = exceeded(this.#limits, { counts: { ...writes, ...counted }, linked, samples: {} })
    const guard = { passes: excess.length === 0, exceeded: excess.map(excessInWords) }
    const more = Object.keys(counted).length === 0 ? {} : { counted }
    const flowsOn = [...this.#behind].flatMap(
      ([
        {
          name,
          target,
          changes: { queue },
        },
        { changes },
      ]) => (changes > 0 ? [{ mapping: name, target, changes, ...(queue && { queued: true }) }] : []),
    )
    const flowing = flowsOn.length === 0 ? {} : { flowsOn }
    return { entries, counts, writes, ...more, ...flowing, guard }
  }
}
