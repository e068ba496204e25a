import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { PlanFilters } from '../../plan/plan-line.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, ResourceAction } from '../../router/resources.ts'
import { failed, mappingIn, overridesIn, startRun, waits } from '../reconciliation/action-parameters.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import { startPlan } from './make-plan.ts'
import { finishStoredPlan, jsonOf, storedPlan, storedPlanSink } from './stored-plan.ts'

/** A plan that is kept with its run, to be looked at as `recon/{id}/plan` and performed with `_action=apply`. */
export async function makeStoredPlan(
  reconciliations: Reconciliations,
  repository: Repository,
  action: ResourceAction,
  context: RequestContext,
): Promise<Json> {
  const { parameters, content } = action
  const wait = waits(parameters)
  const { run, header } = await startPlan(
    reconciliations,
    {
      mapping: configuredMapping(action),
      sourceId: parameters.id ?? parameters.ids,
      overrides: overridesIn(parameters, content),
      filters: filtersIn(parameters),
    },
    context,
    (current) => storedPlanSink(repository, current),
  )
  const kept = header.then(async (facts) => {
    if (facts) await finishStoredPlan(repository, facts)
    return facts
  })
  if (!wait) {
    kept.catch(() => undefined)
    return { _id: run.id, state: run.state }
  }
  const facts = await kept
  if (!facts) throw failed(run)
  return { _id: run.id, state: run.state, plan: jsonOf(facts) }
}

export async function applyStoredPlan(
  reconciliations: Reconciliations,
  repository: Repository,
  id: string,
  { parameters, content }: ResourceAction,
  context: RequestContext,
): Promise<Json> {
  const plan = await storedPlan(repository, id)
  const request = {
    mapping: plan.header.mapping,
    plan,
    planFilters: filtersIn(parameters),
    overrides: overridesIn(parameters, content),
  }
  return startRun(reconciliations, request, parameters, context)
}

/** `onlyAction=CREATE,UPDATE`, `onlyId=42`, `limit=100` */
function filtersIn({ onlyAction, onlyId, limit }: Readonly<Record<string, string>>): PlanFilters {
  const most = limit === undefined ? undefined : Number(limit)
  if (most !== undefined && !(Number.isSafeInteger(most) && most > 0))
    throw new Problem('BAD_REQUEST', `limit must be a whole number from 1, not ${limit}`)
  return {
    ...(onlyAction === undefined
      ? {}
      : { actions: onlyAction.split(',').map((name) => name.trim().toUpperCase()) }),
    ...(onlyId === undefined ? {} : { ids: [onlyId] }),
    ...(most === undefined ? {} : { limit: most }),
  }
}

/** Plans hold for a configuration that is there when they are performed. */
function configuredMapping(action: ResourceAction): string {
  const mapping = mappingIn(action)
  if (typeof mapping === 'string') return mapping
  throw new Problem('BAD_REQUEST', 'A plan needs the name of a configured mapping')
}
