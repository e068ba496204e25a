import type { JsonObject } from '../../model/json.ts'

/** A change of one source object for the mappings (engine §8, §9). */
export interface ChangeEvent {
  readonly action: 'notifyCreate' | 'notifyUpdate' | 'notifyDelete'
  /** The object set, e.g. `system/hr/account`. */
  readonly container: string
  readonly id: string
  readonly oldValue: JsonObject | null
  readonly newValue: JsonObject | null
  /** The id before a rename. */
  readonly previousId?: string | undefined
  /** True: it is told late, so the source is read when its turn has come. */
  readonly readsAfresh?: boolean
}
