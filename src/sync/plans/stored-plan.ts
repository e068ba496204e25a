import { type From, pages } from '../../kit/cookies.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { PlanFilters, PlanHeader, PlanLine } from '../../plan/plan-line.ts'
import { reportOf } from '../../plan/report.ts'
import { printReport, reportFormats } from '../../plan/report-formats.ts'
import type { StorePage, StoreQuery } from '../../repository/query.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Runs } from '../../repository/runs.ts'
import type { RequestContext, Resource, ResourceAction } from '../../router/resources.ts'
import { failed, mappingIn, overridesIn, startRun, waits } from '../reconciliation/action-parameters.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import { requireKnownNames } from '../reconciliation/request.ts'
import type { Run } from '../reconciliation/run.ts'
import { mappingOf } from '../undo/records.ts'
import { digestPlan } from './digest-plan.ts'
import { startPlan } from './make-plan.ts'
import type { PlanSink, PlanSource } from './plan-source.ts'

const pageSize = 500
const isLine: Filter = { kind: 'present', pointer: ['phase'] }

/**
 * Plans as entries of the runs that made them, for REST. NOT_FOUND for a run that made none, that failed, or whose entries are
 * purged.
 */
export function storedPlans(reconciliations: Reconciliations, repository: Repository) {
  const { runs } = repository
  return {
    /** `recon/{id}/plan`: what the header says. */
    async read(runId: string): Promise<Resource> {
      const { header } = await storedPlan(runs, runId)
      return { _id: runId, ...jsonOf(header) }
    },

    /** Its lines. */
    async query(runId: string, query: StoreQuery): Promise<StorePage<JsonObject>> {
      await storedPlan(runs, runId)
      return runs.queryEntries(runId, { ...query, filter: { kind: 'and', filters: [isLine, query.filter] } })
    },

    /** `recon/{id}/plan/summary`: for those who are to approve it; with `format`, as a document. */
    async summary(runId: string, { format }: Readonly<Record<string, string>>): Promise<Resource> {
      const wanted = reportFormats.find((one) => one === format)
      if (format !== undefined && !wanted)
        throw new Problem('BAD_REQUEST', `format must be one of ${reportFormats.join(', ')}, not ${format}`)
      const digest = await digestPlan(await storedPlan(runs, runId))
      const document = wanted && { format: wanted, document: printReport(reportOf(digest), wanted) }
      return { _id: runId, ...jsonOf(digest), ...document }
    },

    async make(action: ResourceAction, context: RequestContext): Promise<Json> {
      const { parameters, content } = action
      const asked = {
        mapping: configuredMapping(action),
        sourceId: parameters.id ?? parameters.ids,
        overrides: overridesIn(parameters, content),
      }
      return makePlan(reconciliations, runs, asked, { parameters, context })
    },

    /** `recon/{id}?_action=undo`: the plan of the way back, performed like any other. */
    async undo(runId: string, { parameters }: ResourceAction, context: RequestContext): Promise<Json> {
      const asked = { mapping: await mappingOf(repository, runId), undoes: runId }
      return makePlan(reconciliations, runs, asked, { parameters, context })
    },

    async apply(
      runId: string,
      { parameters, content }: ResourceAction,
      context: RequestContext,
    ): Promise<Json> {
      const plan = await storedPlan(runs, runId)
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

async function makePlan(
  reconciliations: Reconciliations,
  runs: Runs,
  asked: Parameters<typeof startPlan>[1],
  {
    parameters,
    context,
  }: { readonly parameters: ResourceAction['parameters']; readonly context: RequestContext },
): Promise<Json> {
  const wait = waits(parameters)
  const request = { ...asked, filters: filtersIn(parameters) }
  const sink = (run: Run) => storedPlanSink(runs, run.id)
  const { run, header } = await startPlan(reconciliations, request, context, sink)
  const kept = header.then(async (facts) => {
    // Only this program writes the store, so the checksum of a stored plan is empty.
    const content = facts && jsonOf({ ...facts, checksum: '' })
    if (content) await runs.appendEntries([{ id: headerId(run.id), runId: run.id, content }])
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

function storedPlanSink(runs: Runs, runId: string): PlanSink {
  let pending: PlanLine[] = []
  let count = 0
  return {
    add: (line) => void pending.push(line),
    async flush() {
      const entries = pending.map((line) => {
        count++
        // What sorts alike is listed in the order of the plan: the ids are so as texts, too.
        const id = `${runId}-plan-${String(count).padStart(9, '0')}`
        return { id, runId, content: jsonOf({ _id: String(count), ...line }) }
      })
      pending = []
      if (entries.length > 0) await runs.appendEntries(entries)
    },
  }
}

/** The headers of all plans that runs keep, the newest first. */
export async function storedHeaders(runs: Runs): Promise<readonly Resource[]> {
  const kept = await runs.withEntries()
  const newestFirst = (await runs.list()).toReversed().filter(({ id }) => kept.has(id))
  const headers = await Promise.all(newestFirst.map(({ id }) => headerOf(runs, id)))
  return headers.flatMap((header) => (header ? [{ _id: header.runId, ...jsonOf(header) }] : []))
}

/** It is written when the plan is complete. */
async function headerOf(runs: Runs, runId: string): Promise<PlanHeader | undefined> {
  const header = await runs.readEntry(runId, headerId(runId))
  return header?.plan === 1 ? (header as unknown as PlanHeader) : undefined
}

function headerId(runId: string): string {
  return `${runId}-plan`
}

/** NOT_FOUND for a run that keeps no plan. */
export async function storedPlan(runs: Runs, runId: string): Promise<PlanSource> {
  const header = await headerOf(runs, runId)
  if (!header)
    throw new Problem('NOT_FOUND', `Run ${runId} keeps no plan: it made none, or newer ones took its place`)
  return {
    header,
    async *lines(phase) {
      const filter: Filter = { kind: 'compare', operator: 'eq', pointer: ['phase'], value: phase }
      const fetch = (from: From) => runs.queryEntries(runId, { filter, pageSize, ...from })
      for await (const { result } of pages(fetch))
        if (result.length > 0) yield result as unknown as PlanLine[]
    },
  }
}

/** Plans are JSON; their types only say more about it. */
function jsonOf(plan: object): JsonObject {
  return plan as JsonObject
}

/** `onlyAction=CREATE,UPDATE`, `onlyId=42`, `limit=100` */
function filtersIn(parameters: Readonly<Record<string, string>>): PlanFilters {
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

/** Plans hold for a configuration that is there when they are performed. */
function configuredMapping(action: ResourceAction): string {
  const mapping = mappingIn(action)
  if (typeof mapping === 'string') return mapping
  throw new Problem('BAD_REQUEST', 'A plan needs the name of a configured mapping')
}
