import type { JsonObject } from '../../../model/json.ts'
import type { ObjectSet } from '../../../router/resources.ts'
import type { Foreseen } from '../foreseen.ts'
import type { Applied, Decided } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'
import { refuseTakenIds } from './taken-ids.ts'
import { refuseUnfit } from './unfit.ts'

/**
 * What a run would come to with these operations, as far as the target can say before it is written: those that it would refuse
 * fail, in its words. Nothing is written.
 */
export async function judged(
  sync: Synchronization,
  page: readonly (Decided | Applied)[],
): Promise<readonly Applied[]> {
  const free = await refuseTakenIds(sync, page.map(unapplied))
  const fit = await refuseUnfit(sync, free)
  // Who is refused for another reason keeps an id that others may want.
  const isNews = fit.some(({ failure }, place) => failure && !free[place]?.failure)
  return isNews ? refuseTakenIds(sync, fit) : fit
}

/** Each field by its name: spreading a second object is several times as slow. */
export function unapplied(operation: Decided | Applied): Applied {
  if (operation.stage === 'applied') return operation
  return { ...operation, stage: 'applied', effect: 'none', linkCreated: false, oldTarget: undefined }
}

/** What a dry run would have written counts for what comes after it. */
export function rememberValues(
  { unique = [], judge }: ObjectSet,
  { values }: Foreseen,
  id: string,
  content: JsonObject | undefined,
): void {
  if (judge)
    values.set(id, content && Object.fromEntries(unique.map((name) => [name, content[name] ?? null])))
}
