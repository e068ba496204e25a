import { join } from 'node:path'
import { type From, pages } from '../../kit/cookies.ts'
import { Mutex } from '../../kit/mutex.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { PlanFilters, PlanHeader, PlanLine } from '../../plan/plan-line.ts'
import { reportOf } from '../../plan/report.ts'
import { printReport, reportFormats } from '../../plan/report-formats.ts'
import type { StorePage, StoreQuery } from '../../repository/query.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RunEntry, Runs } from '../../repository/runs.ts'
import type { RequestContext, Resource, ResourceAction } from '../../router/resources.ts'
import { failed, mappingIn, overridesIn, startRun, waits } from '../reconciliation/action-parameters.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import { booleanIn, requireKnownNames } from '../reconciliation/request.ts'
import { failureOf, type Run } from '../reconciliation/run.ts'
import { mappingOf } from '../undo/records.ts'
import { digestPlan } from './digest-plan.ts'
import type { PlanFacts } from './make-plan.ts'
import { readPlanFile, writePlanFile } from './plan-file.ts'
import type { PlanSink, PlanSource } from './plan-source.ts'
import { makePlan, type PlanRequest } from './planned-mapping.ts'
import type { Rehearsal } from './rehearse.ts'

const pageSize = 500
const isLine: Filter = { kind: 'present', pointer: ['phase'] }

export interface StoredPlansOptions {
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
export function storedPlans({ reconciliations, repository, rehearse, mappings }: StoredPlansOptions) {
  const { runs } = repository
  // Each has a store and script hosts of its own.
  const rehearsals = new Mutex()
  const keepPlan = (asked: PlanRequest, given: Given, rehearsal?: Rehearsal) =>
    keptPlan(reconciliations, runs, asked, { ...given, rehearsal })
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
      const made = Promise.withResolvers<Awaited<ReturnType<typeof keepPlan>>>()
      const planned = rehearsals.run(async () => {
        await using rehearsal = await rehearse()
        const kept = await keepPlan(asked, given, rehearsal)
        made.resolve(kept)
        await kept.done
      })
      planned.catch(made.reject)
      return answered(made.promise, parameters)
    },

    /** `recon?_action=planAll`: every mapping in its order, each on what those before it would leave. */
    makeAll({ parameters, content }: ResourceAction, context: RequestContext): Promise<Json> {
      const overrides = overridesIn(parameters, content)
      return rehearsals.run(async () => {
        await using rehearsal = await rehearse()
        const plans: JsonObject[] = []
        for (const [place, mapping] of mappings().entries()) {
          const asked = { mapping, overrides, filters: filtersIn(parameters) }
          const after = mappings().slice(0, place)
          plans.push(await rehearsedPlan(runs, asked, context, { rehearsal, after }))
        }
        return { plans }
      })
    },

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

interface Given {
  readonly parameters: ResourceAction['parameters']
  readonly context: RequestContext
}

interface KeptPlan {
  readonly run: Run
  /** What its header says, once it is kept; undefined: the run failed. */
  readonly done: Promise<PlanFacts | undefined>
}

/** A plan that is kept as it is made. Resolves when its run has begun. */
async function keptPlan(
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

function headerEntry(runId: string, facts: PlanFacts): RunEntry {
  // Only this program writes the store, so the checksum of a stored plan is empty.
  return { id: headerId(runId), runId, content: jsonOf({ ...facts, checksum: '' }) }
}

async function answered(kept: Promise<KeptPlan>, parameters: ResourceAction['parameters']): Promise<Json> {
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
async function rehearsedPlan(
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
  const isOwn: Filter = {
    kind: 'compare',
    operator: 'eq',
    pointer: ['mapping'],
    value: header.mapping ?? null,
  }
  async function* those(filters: readonly Filter[]): AsyncGenerator<readonly PlanLine[]> {
    const filter: Filter = { kind: 'and', filters }
    const fetch = (from: From) => runs.queryEntries(runId, { filter, pageSize, ...from })
    for await (const { result } of pages(fetch)) if (result.length > 0) yield result as unknown as PlanLine[]
  }
  return {
    header: header as unknown as PlanHeader,
    lines: (phase) => those([isOwn, { kind: 'compare', operator: 'eq', pointer: ['phase'], value: phase }]),
    behind: () => those([isLine, { kind: 'not', filter: isOwn }]),
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
