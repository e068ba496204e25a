import type { AuditEvents } from '../repository/audit.ts'
import type { Repository, Store } from '../repository/repository.ts'
import type { AuditTrail } from './trail.ts'

/** The repository, with all events passing through the trail before they are stored, inside and outside transactions. */
export function recorded(repository: Repository, trail: AuditTrail): Repository {
  return {
    ...storeOf(repository, trail),
    transaction: (work) => repository.transaction((store) => work(storeOf(store, trail))),
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  }
}

function storeOf(store: Store, trail: AuditTrail): Store {
  return { ...store, audit: eventsOf(store.audit, trail) }
}

function eventsOf(audit: AuditEvents, trail: AuditTrail): AuditEvents {
  return {
    ...audit,
    async append(events) {
      const admitted = await trail.admit(events)
      if (admitted.length > 0) await audit.append(admitted)
    },
  }
}
