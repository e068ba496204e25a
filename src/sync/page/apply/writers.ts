import type { Store } from '../../../repository/repository.ts'
import type { ObjectSet } from '../../../router/resources.ts'

/** Where the writes of a page go: the repository itself, or one transaction on it. */
export interface Writers {
  readonly store: Store
  readonly targets: ObjectSet
  /** True if `targets` are not part of the transaction: what is about to be written there is written down before. */
  readonly apart: boolean
}
