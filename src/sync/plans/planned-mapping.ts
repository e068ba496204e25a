import { join } from 'node:path'
import type { PlanLine } from '../../plan/plan-line.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { Run } from '../reconciliation/run.ts'
import { type PlanFacts, type PlanRequest, startPlan } from './make-plan.ts'
import { readPlanFile, writePlanFile } from './plan-file.ts'
import type { PlanSink } from './plan-source.ts'
import { type Rehearsal, rehearse } from './rehearse.ts'

export type { PlanRequest }

interface Making {
  /** Where it is performed, to see what follows; absent: that is only counted. */
  readonly rehearsal?: Rehearsal | undefined
  /** Takes the lines, those of the mappings behind after those of the plan. */
  readonly sink?: ((run: Run) => PlanSink) | undefined
  /** The run that makes the plan has begun. */
  readonly onStart?: (run: Run) => void
  readonly onLine?: (line: PlanLine) => void
  readonly onProgress?: (run: Run) => void
  /** The mappings whose results, as the rehearsal left them, the plan is made on. */
  readonly after?: readonly string[] | undefined
}

export interface PlannedMapping {
  readonly run: Run
  /** Undefined if the plan could not be made; the run says why. */
  readonly facts: PlanFacts | undefined
  /** How many of its lines write something. */
  readonly writes: number
}

/** Makes a plan and, with a rehearsal, performs it there. The rehearsal then stands where the plan would lead. */
export async function makePlan(
  reconciliations: Reconciliations,
  request: PlanRequest,
  context: RequestContext,
  { rehearsal, sink: sinkOf, onStart = () => {}, onLine = () => {}, onProgress, after = [] }: Making,
): Promise<PlannedMapping> {
  let writes = 0
  let sink = nowhere
  const started = (run: Run) => {
    onStart(run)
    sink = sinkOf?.(run) ?? nowhere
    return sink
  }
  const seen = (line: PlanLine) => {
    writes += Number(line.writes)
    onLine(line)
  }
  const observers = { onLine: seen, ...(onProgress && { onProgress }) }
  if (!rehearsal) {
    const { run, header } = await startPlan(reconciliations, request, context, started, observers)
    return { run, facts: await header, writes }
  }
  const path = join(rehearsal.folder, 'plan.ndjson')
  const { overrides = {}, filters = {} } = request
  await using file = await writePlanFile(path, [request.sourceId ?? '', overrides, filters])
  const { mapping: compiled } = await reconciliations.facts(request.mapping, overrides)
  const shown = (line: PlanLine) => rehearsal.names.inLine(line, compiled)
  const both = (run: Run): PlanSink => {
    const own = started(run)
    return {
      add(line) {
        file.add(line)
        own.add(shown(line))
      },
      async flush() {
        await file.flush()
        await own.flush()
      },
    }
  }
  const { run, header } = await startPlan(reconciliations, request, context, both, {
    ...observers,
    onLine: (line) => seen(shown(line)),
  })
  const planned = await header
  if (!planned) return { run, facts: undefined, writes }
  await file.finish(planned)
  const { flowsOn, ...rest } = await rehearse(rehearsal, await readPlanFile(path), context, {
    onProgress,
    onLine(line) {
      sink.add(line)
      onLine(line)
    },
  })
  await sink.flush()
  // What was counted before is known better now, and all scripts have run.
  const { flowsOn: _flows, notForeseen: _scripts, ...own } = planned
  const told = flowsOn.length > 0 ? { flowsOn } : {}
  return { run, facts: { ...own, ...told, ...rest, ...(after.length > 0 && { after }) }, writes }
}

const nowhere: PlanSink = { add() {}, async flush() {} }
