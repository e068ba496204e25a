import type { Store } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { activityEvent, isActivity } from './activity.ts'
import { isSynchronized, type ObjectChange, type OnChange } from './changes.ts'

export interface Recording {
  readonly onChange: OnChange
  readonly request: RequestContext
  readonly typeOf: (collection: string) => CompiledType | undefined
  readonly isPatch?: (change: ObjectChange) => boolean
  readonly message?: string
}

/** The stage in the transaction of the changes: the audit of each, and what is to be synchronized later. */
export async function record(
  store: Store,
  changes: readonly ObjectChange[],
  { onChange, request, typeOf, isPatch, message }: Recording,
): Promise<void> {
  if (isActivity(request)) {
    const events = changes.flatMap((change) => {
      const type = typeOf(change.path)
      return type ? [activityEvent(change, type, request, { patched: isPatch?.(change), message })] : []
    })
    if (events.length > 0) await store.audit.append(events)
  }
  const synchronized = changes.filter(({ path }) => isSynchronized(onChange, path, request))
  if (synchronized.length > 0) await onChange.enlist(store, synchronized, request)
}
