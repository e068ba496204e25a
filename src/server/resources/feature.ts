import { feature } from '../../feature/feature.ts'
import { version } from '../version.ts'
import { healthProvider } from './health.ts'
import { infoProvider } from './info.ts'
import { validateQueryFilterProvider } from './validate-query-filter.ts'

export interface ServerHost {
  readonly activeReconciliations: () => number
  readonly isStopping: () => boolean
}

/** The server's information about itself. */
export const serverFeature = feature({
  name: 'server',
  documents: /^$/,
  compile: () => ({ value: undefined, findings: [] }),
  begin: ({ activeReconciliations, isStopping }: ServerHost) => ({
    mounts: {
      'util/validateQueryFilter': validateQueryFilterProvider,
      health: healthProvider(activeReconciliations),
      info: infoProvider(isStopping, version()),
    },
  }),
})
