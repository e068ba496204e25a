import { Mutex } from '../../kit/mutex.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { reportOf } from '../../plan/report.ts'
import { printReport, reportFormats } from '../../plan/report-formats.ts'
import type { StorePage, StoreQuery } from '../../repository/query.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Runs } from '../../repository/runs.ts'
import type { RequestContext, Resource, ResourceAction } from '../../router/resources.ts'
import { mappingIn, overridesIn, startRun } from '../reconciliation/action-parameters.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import { booleanIn } from '../reconciliation/request.ts'
import { mappingOf } from '../undo/records.ts'
import { digestPlan } from './digest-plan.ts'
import { answered, filtersIn, type Given, type KeptPlan, keptPlan, rehearsedPlan } from './kept-plan.ts'
import type { PlanRequest } from './planned-mapping.ts'
import { PlansBeingMade } from './plans-being-made.ts'
import type { Rehearsal } from './rehearse.ts'
import { isLine, jsonOf } from './stored-plan.ts'

export interface ReconPlansOptions {
  readonly reconciliations: Reconciliations
  readonly repository: Repository
  readonly rehearse: () => Promise<Rehearsal>
  /** The names of those that can be used, in their order. */
  readonly mappings: () => readonly string[]
}

/**
 * Plans as entries of the runs that made them, for REST. NOT_FOUND for a run that made none, that failed, or whose entries are
 * purged.
 */
export function reconPlans(options: ReconPlansOptions) {
  const making = new PlansBeingMade()
  return { ...readPlans(options.repository.runs, making), ...madePlans(options, making) }
}

function readPlans(runs: Runs, making: PlansBeingMade) {
  const storedPlan = (runId: string) => making.stored(runs, runId)
  return {
    /** `recon/{id}/plan`: what the header says. */
    async read(runId: string): Promise<Resource> {
      const { header } = await storedPlan(runId)
      return { _id: runId, ...jsonOf(header) }
    },

    /** Its lines. */
    async query(runId: string, query: StoreQuery): Promise<StorePage<JsonObject>> {
      await storedPlan(runId)
      return runs.queryEntries(runId, { ...query, filter: { kind: 'and', filters: [isLine, query.filter] } })
    },

    /** `recon/{id}/plan/summary`: for those who are to approve it; with `format`, as a document. */
    async summary(runId: string, { format }: Readonly<Record<string, string>>): Promise<Resource> {
      const wanted = reportFormats.find((one) => one === format)
      if (format !== undefined && !wanted)
        throw new Problem('BAD_REQUEST', `format must be one of ${reportFormats.join(', ')}, not ${format}`)
      const digest = await digestPlan(await storedPlan(runId))
      const document = wanted && { format: wanted, document: printReport(reportOf(digest), wanted) }
      return { _id: runId, ...jsonOf(digest), ...document }
    },
  }
}

function madePlans(
  { reconciliations, repository, rehearse, mappings }: ReconPlansOptions,
  making: PlansBeingMade,
) {
  const { runs } = repository
  // Each has a store and script hosts of its own.
  const rehearsals = new Mutex()
  const keepPlan = async (asked: PlanRequest, given: Given, rehearsal?: Rehearsal) =>
    making.follow(await keptPlan(reconciliations, runs, asked, { ...given, rehearsal }))
  return {
    /** With `flows` the plan is performed in a rehearsal: its lines go on with what the mappings behind would do. */
    async make(action: ResourceAction, context: RequestContext): Promise<Json> {
      const { parameters, content } = action
      const asked = {
        mapping: configuredMapping(action),
        sourceId: parameters.id ?? parameters.ids,
        overrides: overridesIn(parameters, content),
      }
      const given = { parameters, context }
      if (!booleanIn('flows', parameters.flows ?? false)) return answered(keepPlan(asked, given), parameters)
      const made = Promise.withResolvers<KeptPlan>()
      const keeping = (rehearsal: Rehearsal) => keepPlan(asked, given, rehearsal)
      rehearsals.run(() => whileKept(rehearse, keeping, made.resolve)).catch(made.reject)
      return answered(made.promise, parameters)
    },

    makeAll: (action: ResourceAction, context: RequestContext): Promise<Json> =>
      rehearsals.run(() => plansOfAll({ rehearse, mappings, runs }, action, context)),

    /** `recon/{id}?_action=undo`: the plan of the way back, performed like any other. */
    async undo(runId: string, { parameters }: ResourceAction, context: RequestContext): Promise<Json> {
      const asked = { mapping: await mappingOf(repository, runId), undoes: runId }
      return answered(keepPlan(asked, { parameters, context }), parameters)
    },

    async apply(
      runId: string,
      { parameters, content }: ResourceAction,
      context: RequestContext,
    ): Promise<Json> {
      const plan = await making.stored(runs, runId)
      const request = {
        mapping: plan.header.mapping,
        plan,
        planFilters: filtersIn(parameters),
        overrides: overridesIn(parameters, content),
      }
      return startRun(reconciliations, request, parameters, context)
    },
  }
}

/** `recon?_action=planAll`: every mapping in its order, each on what those before it would leave. Answered when all are kept. */
async function plansOfAll(
  { rehearse, mappings, runs }: Pick<ReconPlansOptions, 'rehearse' | 'mappings'> & { readonly runs: Runs },
  { parameters, content }: ResourceAction,
  context: RequestContext,
): Promise<Json> {
  const narrower = ['mapping', 'id', 'ids'].find((name) => parameters[name] !== undefined)
  if (narrower !== undefined)
    throw new Problem('BAD_REQUEST', `planAll plans every mapping whole: it takes no ${narrower}`)
  const overrides = overridesIn(parameters, content)
  await using rehearsal = await rehearse()
  const plans: JsonObject[] = []
  for (const [place, mapping] of mappings().entries()) {
    const asked = { mapping, overrides, filters: filtersIn(parameters) }
    const after = mappings().slice(0, place)
    plans.push(await rehearsedPlan(runs, asked, context, { rehearsal, after }))
  }
  return { plans }
}

/** The rehearsal lasts until the plan is kept; who asked for it hears when its run has begun. */
async function whileKept(
  rehearse: ReconPlansOptions['rehearse'],
  keep: (rehearsal: Rehearsal) => Promise<KeptPlan>,
  begun: (kept: KeptPlan) => void,
): Promise<void> {
  await using rehearsal = await rehearse()
  const kept = await keep(rehearsal)
  begun(kept)
  await kept.done
}

/** Plans hold for a configuration that is there when they are performed. */
function configuredMapping(action: ResourceAction): string {
  const mapping = mappingIn(action)
  if (typeof mapping === 'string') return mapping
  throw new Problem('BAD_REQUEST', 'A plan needs the name of a configured mapping')
}
