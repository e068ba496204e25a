import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'

/** What a write did to one object. */
export interface ObjectChange {
  readonly operation: 'create' | 'update' | 'delete'
  /** The object set, e.g. `managed/user`. */
  readonly path: string
  readonly id: string
  /** Undefined for a create. */
  readonly before: StoredObject | undefined
  /** Undefined for a delete. */
  readonly after: StoredObject | undefined
}

/**
 * The listener for changes of managed objects, implemented by synchronization (engine §8.1). `objects`
 * knows neither mappings nor queues.
 */
export interface OnChange {
  /** False: changes of this set are not synchronized, and nothing is spent on them. */
  concerns(path: string): boolean
  /** In the transaction of the write: what is stored is kept together with the change, or dropped with it. */
  enlist(store: Store, changes: readonly ObjectChange[], request: RequestContext): Promise<void>
  /** Removes what was enlisted, because the change has been undone. */
  withdraw(store: Store, change: ObjectChange): Promise<void>
  /** After the changes have been committed; an answer each. Failures of single mappings are in it, not thrown. */
  notify(changes: readonly ObjectChange[], request: RequestContext): Promise<readonly Notified[]>
}

/** `syncResults` of the hook `onSync` (engine §8.3). */
export interface Notified {
  readonly success: boolean
  readonly action: 'notifyCreate' | 'notifyUpdate' | 'notifyDelete'
  readonly syncDetails: readonly Json[]
}

/** True if what changes in this set, in this chain of requests, is to be synchronized. */
export function isSynchronized(
  { onChange, request }: { readonly onChange: OnChange; readonly request: RequestContext },
  path: string,
): boolean {
  return request.chain?.synchronizes !== false && request.readOnly !== true && onChange.concerns(path)
}

/** Nothing is synchronized. */
export const nothingSynchronized: OnChange = {
  concerns: () => false,
  enlist: async () => {},
  withdraw: async () => {},
  notify: async () => [],
}

/** Why the repository does not write an object. */
export function failure(path: string, reason: 'exists' | 'missing' | 'changed'): Problem {
  switch (reason) {
    case 'exists':
      return new Problem('PRECONDITION_FAILED', `${path} exists already`)
    case 'missing':
      return new Problem('NOT_FOUND', `${path} does not exist`)
    case 'changed':
      return new Problem('PRECONDITION_FAILED', `${path} has changed since the revision given`)
  }
}

/** Why an update or a delete does not fit what is stored. */
export function staleness(
  { rev }: { readonly rev?: string | undefined },
  stored: StoredObject | undefined,
): 'missing' | 'changed' | undefined {
  if (!stored) return 'missing'
  return rev !== undefined && rev !== stored._rev ? 'changed' : undefined
}
