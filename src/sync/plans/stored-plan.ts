import { type From, pages } from '../../kit/cookies.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { PlanHeader, PlanLine } from '../../plan/plan-line.ts'
import type { StoreQuery } from '../../repository/query.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Run } from '../reconciliation/run.ts'
import type { PlanFacts } from './make-plan.ts'
import type { PlanSink, PlanSource } from './plan-source.ts'

/**
 * A plan as entries of the run that made it, for those who make, look at and perform plans over REST. It goes when the
 * entries of the run go.
 */
const pageSize = 500
const isHeader = (content: JsonObject) => content.plan === 1
const lines: Filter = { kind: 'present', pointer: ['phase'] }

export function storedPlanSink({ runs }: Repository, run: Run): PlanSink {
  let pending: PlanLine[] = []
  let count = 0
  return {
    add: (line) => void pending.push(line),
    async flush() {
      const entries = pending.map((line) => ({
        id: `${run.id}-plan-${count++}`,
        runId: run.id,
        content: jsonOf({ _id: String(count), ...line }),
      }))
      pending = []
      if (entries.length > 0) await runs.appendEntries(entries)
    },
  }
}

/** Plans are JSON; their types only say more about it. */
export function jsonOf(plan: object): JsonObject {
  return plan as JsonObject
}

/** Only this program writes the store, so the checksum of a stored plan is empty. */
export async function finishStoredPlan({ runs }: Repository, facts: PlanFacts): Promise<void> {
  const content = jsonOf({ ...facts, checksum: '' })
  await runs.appendEntries([{ id: `${facts.runId}-plan`, runId: facts.runId, content }])
}

/** NOT_FOUND for a run without plan: it made none, it failed, or its entries have been purged. */
export async function storedPlan({ runs }: Repository, runId: string): Promise<PlanSource> {
  const query: StoreQuery = { filter: { kind: 'present', pointer: ['plan'] }, pageSize: 1 }
  const { result } = await runs.queryEntries(runId, query)
  const header = result.find(isHeader)
  if (!header)
    throw new Problem('NOT_FOUND', `Run ${runId} keeps no plan: it made none, or newer ones took its place`)
  return {
    header: header as unknown as PlanHeader,
    async *lines(phase) {
      const filter: Filter = { kind: 'compare', operator: 'eq', pointer: ['phase'], value: phase }
      const fetch = (from: From) => runs.queryEntries(runId, { filter, pageSize, ...from })
      for await (const { result } of pages(fetch))
        if (result.length > 0) yield result as unknown as PlanLine[]
    },
  }
}

/** Lines as a query finds them, without the header. */
export function queryPlan({ runs }: Repository, runId: string, query: StoreQuery) {
  return runs.queryEntries(runId, { ...query, filter: { kind: 'and', filters: [lines, query.filter] } })
}
