import type { JsonObject } from '../../../model/json.ts'
import type { ObjectSet } from '../../../router/resources.ts'
import type { Foreseen } from '../foreseen.ts'
import { type Applied, goesOn } from '../operation.ts'
import { askThose } from '../places.ts'
import type { Synchronization } from '../synchronization.ts'
import { nameHolders } from './name-holders.ts'
import { notWritten, writeOf } from './write-targets.ts'

/** In a plan: fails what the target would refuse, because another object has a unique value and keeps it. */
export async function refuseTakenValues(
  sync: Synchronization,
  page: readonly Applied[],
): Promise<readonly Applied[]> {
  const { targets, foreseen, hooks, repository } = sync
  const { unique } = targets
  if (!unique || hooks !== 'foresee') return page
  const problems = await askThose(
    page,
    (operation) =>
      goesOn(operation) && operation.unforeseen === undefined ? writeOf(operation, targets) : undefined,
    (writes) => unique.refusals(writes, foreseen.values),
  )
  const refused = page.map((operation, place) => {
    const problem = problems[place]
    return problem ? { ...notWritten(operation, problem, undefined), inDoubt: false } : operation
  })
  return nameHolders({ ...sync, store: repository, apart: true }, refused)
}

/** What a dry run would have written counts for what comes after it. */
export function rememberValues(
  { unique }: ObjectSet,
  { values }: Foreseen,
  id: string,
  content: JsonObject | undefined,
): void {
  if (!unique) return
  values.set(
    id,
    content && Object.fromEntries(unique.properties.map((name) => [name, content[name] ?? null])),
  )
}
