import { Problem } from '../../model/problem.ts'
import type { Runs } from '../../repository/runs.ts'
import { queryCollection } from '../../router/collection.ts'
import type { ResourceProvider } from '../../router/resources.ts'
import { storedHeaders } from '../plans/stored-plan.ts'

/** `recon/plans`: what the headers of the stored plans say, the newest first unless sorted; the id is that of the run. */
export function plansProvider(runs: Runs): ResourceProvider {
  return {
    async read(id) {
      const header = (await storedHeaders(runs)).find(({ _id }) => _id === id)
      if (!header)
        throw new Problem('NOT_FOUND', `There is no stored plan ${id}; perhaps newer ones took its place`)
      return header
    },
    async query(path, query) {
      if (path !== '')
        throw new Problem('NOT_IMPLEMENTED', `recon/plans/${path} is a plan, not a set: read it`)
      return queryCollection(await storedHeaders(runs), query)
    },
  }
}
