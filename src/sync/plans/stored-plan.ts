import { type From, pages } from '../../kit/cookies.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { PlanHeader, PlanLine } from '../../plan/plan-line.ts'
import type { RunEntry, Runs } from '../../repository/runs.ts'
import type { Resource } from '../../router/resources.ts'
import type { PlanFacts } from './make-plan.ts'
import type { PlanSink, PlanSource } from './plan-source.ts'

const pageSize = 500
export const isLine: Filter = { kind: 'present', pointer: ['phase'] }

export function headerEntry(runId: string, facts: PlanFacts): RunEntry {
  // Only this program writes the store, so the checksum of a stored plan is empty.
  return { id: headerId(runId), runId, content: jsonOf({ ...facts, checksum: '' }) }
}

export function storedPlanSink(runs: Runs, runId: string): PlanSink {
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
    throw new Problem(
      'NOT_FOUND',
      `Run ${runId} keeps no plan: it made none, was interrupted before, or newer ones took its place`,
    )
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
export function jsonOf(plan: object): JsonObject {
  return plan as JsonObject
}
