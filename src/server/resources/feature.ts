import { feature } from '../../feature/feature.ts'
import type { Json } from '../../model/json.ts'
import type { Resources } from '../../router/resources.ts'
import { absentServices } from './absent.ts'
import { clusterProvider } from './cluster.ts'
import { eventsProvider } from './events.ts'
import { healthProvider } from './health.ts'
import { internalRoles, internalUsers } from './internal.ts'
import { repoManagedProvider } from './repo-managed.ts'
import { validateQueryFilterProvider } from './validate-query-filter.ts'

export interface ServerHost {
  readonly activeReconciliations: () => number
  readonly isStopping: () => boolean
  readonly resources: () => Resources
  /** Of the process and the project. */
  readonly property: (name: string) => Json | undefined
}

/** The server's information about itself. */
export const serverFeature = feature({
  name: 'server',
  documents: /^$/,
  compile: () => ({ value: undefined, findings: [] }),
  begin: ({ activeReconciliations, isStopping, resources, property }: ServerHost) => ({
    mounts: {
      ...absentServices,
      events: eventsProvider,
      cluster: clusterProvider(() => String(property('openidm.node.id') ?? 'node1')),
      'internal/role': internalRoles,
      'internal/user': internalUsers,
      'repo/internal/role': internalRoles,
      'repo/internal/user': internalUsers,
      'repo/managed': repoManagedProvider(resources),
      'util/validateQueryFilter': validateQueryFilterProvider,
      health: healthProvider(activeReconciliations, isStopping),
    },
  }),
})
