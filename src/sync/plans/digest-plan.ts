import type { PlanDigest } from '../../plan/digest.ts'
import { Digesting } from '../../plan/digesting.ts'
import { type PlanFilters, planFilter } from '../../plan/plan-line.ts'
import type { PlanSource } from './plan-source.ts'

/** A plan for those who are to approve it. Its lines are read once, page by page, and not kept. */
export async function digestPlan(plan: PlanSource, filters: PlanFilters = {}): Promise<PlanDigest> {
  const wanted = planFilter(filters)
  const digesting = new Digesting()
  for (const phase of ['source', 'target'] as const)
    for await (const page of plan.lines(phase)) for (const line of page) if (wanted(line)) digesting.add(line)
  return digesting.digest(plan.header)
}
