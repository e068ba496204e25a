import type { AuditEvents, Repository, Store } from '../repository/repository.ts'
import type { AuditTrail } from './trail.ts'

/** The repository in which what is recorded goes through the trail first, inside transactions and outside. */
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
