import type { GuardLimits } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { type Counts, countedAs } from '../../plan/guard.ts'
import type { Links } from '../../repository/links.ts'
import { type Applied, type Decided, dueOf, wasLinked } from './operation.ts'

/** As what a decided operation counts that nothing stands in the way of. */
export function countedOf(operation: Decided | Applied, limits: GuardLimits): readonly (keyof Counts)[] {
  const { action, changes, target } = operation
  const known = {
    targetExists: target !== undefined,
    linked: wasLinked(operation),
    deleteAfter: dueOf(operation),
  }
  return countedAs({ action, changes, ...known }, limits)
}

/** How many targets the mapping's link set leads to: what percentages are counted of. */
export async function linkedTargets({ links: use }: Mapping, links: Links): Promise<number> {
  return use.enabled ? links.count(use.type) : 0
}
