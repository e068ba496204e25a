import type { BehindDigest, PlanDigest } from '../../plan/digest.ts'
import { Digesting } from '../../plan/digesting.ts'
import { type PlanFilters, planFilter } from '../../plan/plan-line.ts'
import type { PlanSource } from './plan-source.ts'

/** A plan for those who are to approve it. Its lines are read once, page by page, and not kept. */
export async function digestPlan(plan: PlanSource, filters: PlanFilters = {}): Promise<PlanDigest> {
  const wanted = planFilter(filters)
  const digesting = new Digesting()
  for (const phase of ['source', 'target'] as const)
    for await (const page of plan.lines(phase)) for (const line of page) if (wanted(line)) digesting.add(line)
  return { header: plan.header, ...digesting.digest(), behind: await digestBehind(plan) }
}

async function digestBehind({ behind }: PlanSource): Promise<readonly BehindDigest[]> {
  const found = new Map<string, Digesting>()
  for await (const page of behind?.() ?? [])
    for (const line of page) {
      const digesting = found.get(line.mapping) ?? new Digesting()
      digesting.add(line)
      found.set(line.mapping, digesting)
    }
  return [...found].map(([mapping, digesting]) => ({ mapping, ...digesting.digest() }))
}
