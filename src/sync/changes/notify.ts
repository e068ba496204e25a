import { isJsonObject, type JsonObject } from '../../model/json.ts'
import type { RequestContext } from '../../router/resources.ts'

/** A change of one source object that the mappings are to carry on (engine §8, §9). */
export interface ChangeEvent {
  readonly action: 'notifyCreate' | 'notifyUpdate' | 'notifyDelete'
  /** The object set, e.g. `system/hr/account`. */
  readonly container: string
  readonly id: string
  readonly oldValue: JsonObject | null
  readonly newValue: JsonObject | null
  /** The id before a rename. */
  readonly previousId?: string | undefined
}

export interface NotifyOutcome {
  readonly success: boolean
  /** engine §8.2: one a mapping and qualifier, those that were skipped included. */
  readonly results: readonly JsonObject[]
}

/** Why it failed; undefined if it did not. */
export function failureOf({ results }: Pick<NotifyOutcome, 'results'>): JsonObject | undefined {
  const cause = results.find(({ result }) => result === 'FAILED')?.cause
  return isJsonObject(cause) ? cause : undefined
}

/** Carries the change through all mappings of its source, in order; never throws for a mapping's failure. */
export type Notify = (event: ChangeEvent, request: RequestContext) => Promise<NotifyOutcome>
