import type { JsonObject } from '../../model/json.ts'
import type { PlanFilters, PlanHeader, PlanLine } from '../../plan/plan-line.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { Run } from '../reconciliation/run.ts'
import { PlanCounts } from './plan-counts.ts'
import { planLine } from './plan-line.ts'
import type { PlanSink } from './plan-source.ts'

export interface PlanRequest {
  readonly mapping: string
  readonly sourceId?: string | undefined
  readonly overrides?: JsonObject
  readonly filters?: PlanFilters
}

export interface PlanObservers {
  readonly onLine?: (line: PlanLine) => void
  readonly onProgress?: (run: Run) => void
}

/** A dry run on its way into a plan. */
export interface StartedPlan {
  readonly run: Run
  /** Undefined if the run did not succeed: half a plan is none. */
  readonly header: Promise<PlanFacts | undefined>
}

/** A header before the lines have their checksum. */
export type PlanFacts = Omit<PlanHeader, 'checksum'>

/** A dry run whose operations go into a sink as lines of a plan, page by page, as they are decided. */
export async function startPlan(
  reconciliations: Reconciliations,
  { mapping, sourceId, overrides = {}, filters = {} }: PlanRequest,
  context: RequestContext,
  sink: (run: Run) => PlanSink,
  { onLine, onProgress }: PlanObservers = {},
): Promise<StartedPlan> {
  const counts = new PlanCounts(filters)
  let target: PlanSink | undefined
  const { run, done } = await reconciliations.start(
    { mapping, sourceId, analyze: true, foreseeHooks: true, overrides },
    context,
    {
      onEntry(entry, operation, sync) {
        const line = planLine(sync, operation, entry)
        if (operation.cleanUp) return onLine?.(line)
        if (!counts.take(line)) return
        target ??= sink(run)
        target.add(line)
        onLine?.(line)
      },
      onPage: async () => target?.flush(),
      onProgress: (current) => onProgress?.(current),
    },
  )
  const header = done.then(async (): Promise<PlanFacts | undefined> => {
    if (run.state !== 'SUCCESS') return undefined
    const { digest, settings, linked } = await reconciliations.facts(mapping, overrides)
    return {
      plan: 1,
      mapping,
      runId: run.id,
      configuration: digest,
      created: (run.ended ?? new Date()).toISOString(),
      createdBy: context.userId,
      request: { ...(sourceId === undefined ? {} : { sourceId }), overrides },
      targetPhase: settings.runTargetPhase ?? sourceId === undefined,
      filters,
      ...counts.summary(settings.guard, linked),
    }
  })
  return { run, header }
}
