import type { Filter } from '../../../model/filter/filter.ts'
import type { Json } from '../../../model/json.ts'
import type { Store } from '../../../repository/repository.ts'
import { heldBackIssue } from '../../issues/issue.ts'

/** The changes of a mapping that the guard holds back. */
export function heldBackOf(mapping: string): Filter {
  const is = (name: string, value: Json): Filter => ({
    kind: 'compare',
    operator: 'eq',
    pointer: [name],
    value,
  })
  return { kind: 'and', filters: [is('mapping', mapping), is('state', 'DEAD'), is('heldBack', true)] }
}

/** What waits to be released is one case of its mapping. */
export async function reportHeldBack(
  { syncQueue, issues }: Pick<Store, 'syncQueue' | 'issues'>,
  mapping: string,
  why: string,
): Promise<void> {
  const { total = 0 } = await syncQueue.query({ filter: heldBackOf(mapping), pageSize: 1, total: true })
  await issues.report([heldBackIssue(mapping, why, total)])
}
