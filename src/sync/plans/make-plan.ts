import type { GuardLimits } from '../../mapping/guard.ts'
import { exceeded, excessInWords } from '../../plan/guard.ts'
import { type PlanFilters, type PlanHeader, type PlanLine, planFilter } from '../../plan/plan-line.ts'
import type { RequestContext } from '../../router/resources.ts'
import { kindOfWrite } from '../reconciliation/guard.ts'
import type { RunObservers } from '../reconciliation/reconciliation.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { ReconciliationRequest } from '../reconciliation/request.ts'
import type { Run } from '../reconciliation/run.ts'
import { lineOf } from './line-of.ts'
import type { PlanSink } from './plan-source.ts'

interface PlanRequest extends Pick<ReconciliationRequest, 'mapping' | 'sourceId' | 'overrides'> {
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
type PlanFacts = Omit<PlanHeader, 'checksum'>

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

/** Counts the lines of a plan while it is made. */
class PlanCounts {
  readonly #wanted: (line: PlanLine) => boolean
  readonly #counts: Record<string, Record<string, number>> = {}
  readonly #writes = { creates: 0, updates: 0, deletes: 0, others: 0 }
  #entries = 0

  constructor(filters: PlanFilters) {
    this.#wanted = planFilter(filters)
  }

  /** True if the plan wants the line. */
  take(line: PlanLine): boolean {
    if (!this.#wanted(line)) return false
    this.#entries++
    const { situation, action } = line
    const actions = this.#counts[situation ?? 'FAILED'] ?? {}
    actions[action ?? 'NONE'] = (actions[action ?? 'NONE'] ?? 0) + 1
    this.#counts[situation ?? 'FAILED'] = actions
    if (line.writes) this.#writes[kindOfWrite(line, line.read.target !== null) ?? 'others']++
    return true
  }

  /** What the header of the plan says about its lines. */
  summary(limits: GuardLimits, linked: number): Pick<PlanHeader, 'entries' | 'counts' | 'writes' | 'guard'> {
    // The lines name all objects; the verdict need not.
    const samples = { creates: [], updates: [], deletes: [] }
    const excess = exceeded(limits, { counts: this.#writes, linked, samples })
    const guard = { passes: excess.length === 0, exceeded: excess.map(excessInWords) }
    return { entries: this.#entries, counts: this.#counts, writes: this.#writes, guard }
  }
}
