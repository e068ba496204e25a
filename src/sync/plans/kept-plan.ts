import { join } from 'node:path'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { PlanFilters } from '../../plan/plan-line.ts'
import type { Runs } from '../../repository/runs.ts'
import type { RequestContext, ResourceAction } from '../../router/resources.ts'
import { failed, waits } from '../reconciliation/action-parameters.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import { requireKnownNames } from '../reconciliation/request.ts'
import { failureOf, type Run } from '../reconciliation/run.ts'
import type { PlanFacts } from './make-plan.ts'
import { readPlanFile, writePlanFile } from './plan-file.ts'
import { makePlan, type PlanRequest } from './planned-mapping.ts'
import type { Rehearsal } from './rehearse.ts'
import { headerEntry, jsonOf, storedPlanSink } from './stored-plan.ts'

export interface Given {
  readonly parameters: ResourceAction['parameters']
  readonly context: RequestContext
}

export interface KeptPlan {
  readonly run: Run
  /** What its header says, once it is kept; undefined: the run failed. */
  readonly done: Promise<PlanFacts | undefined>
}

/** A plan that is kept as it is made. Resolves when its run has begun. */
export async function keptPlan(
  reconciliations: Reconciliations,
  runs: Runs,
  asked: PlanRequest,
  { parameters, context, rehearsal }: Given & { readonly rehearsal?: Rehearsal | undefined },
): Promise<KeptPlan> {
  const request = { ...asked, filters: filtersIn(parameters) }
  const started = Promise.withResolvers<Run>()
  const made = makePlan(reconciliations, request, context, {
    ...{ rehearsal, onStart: started.resolve },
    sink: (run) => storedPlanSink(runs, run.id),
  })
  const done = made.then(async ({ run, facts }) => {
    started.resolve(run)
    if (facts) await runs.appendEntries([headerEntry(run.id, facts)])
    return facts
  })
  done.catch(started.reject)
  return { run: await started.promise, done }
}

export async function answered(
  kept: Promise<KeptPlan>,
  parameters: ResourceAction['parameters'],
): Promise<Json> {
  const wait = waits(parameters)
  const { run, done } = await kept
  if (!wait) {
    done.catch(() => undefined)
    return { _id: run.id, state: run.state }
  }
  const facts = await done
  if (!facts) throw failed(run)
  return { _id: run.id, state: run.state, plan: jsonOf(facts) }
}

/** The run is one of the rehearsal: it is kept, with its plan, when it has ended. */
export async function rehearsedPlan(
  runs: Runs,
  asked: PlanRequest,
  context: RequestContext,
  { rehearsal, after }: { readonly rehearsal: Rehearsal; readonly after: readonly string[] },
): Promise<JsonObject> {
  const path = join(rehearsal.folder, 'kept.ndjson')
  const { overrides = {}, filters = {} } = asked
  await using file = await writePlanFile(path, [overrides, filters, after], { behind: after.length + 100 })
  const { run, facts } = await makePlan(rehearsal.reconciliations, asked, context, {
    ...{ rehearsal, after, sink: () => file },
  })
  const { id, mapping, state, outcome } = run
  await runs.save(run.record())
  if (!facts)
    return { _id: id, mapping, state, outcome, ...(run.problem && { failure: failureOf(run.problem) }) }
  await file.finish(facts)
  const { lines, behind } = await readPlanFile(path)
  const sink = storedPlanSink(runs, id)
  for (const pages of [lines('source'), lines('target'), behind?.() ?? []])
    for await (const page of pages) {
      for (const line of page) sink.add(line)
      await sink.flush()
    }
  await runs.appendEntries([headerEntry(id, facts)])
  return { _id: id, mapping, state, outcome, plan: jsonOf(facts) }
}

/** `onlyAction=CREATE,UPDATE`, `onlyId=42`, `limit=100` */
export function filtersIn(parameters: Readonly<Record<string, string>>): PlanFilters {
  requireKnownNames(parameters, ['onlyAction', 'onlyId', 'limit'], 'a filter of a plan')
  const { onlyAction, onlyId, limit } = parameters
  const most = limit === undefined ? undefined : Number(limit)
  if (most !== undefined && !(Number.isSafeInteger(most) && most > 0))
    throw new Problem('BAD_REQUEST', `limit must be a whole number from 1, not ${limit}`)
  const actions = onlyAction?.split(',').map((name) => name.trim().toUpperCase())
  return {
    ...(actions && { actions }),
    ...(onlyId !== undefined && { ids: [onlyId] }),
    ...(most && { limit: most }),
  }
}
