import type { Watch } from '../../repository/locks.ts'
import type { RunSet } from '../../repository/run-sets.ts'
import { mappingLinks } from '../page/links.ts'
import { openSynchronization } from '../page/open-synchronization.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { type Reconciliation, scriptContext } from './reconciliation.ts'

/** What the steps of a run share. `targetIds` is what the target query returned, if there will be a target phase. */
export async function openRun(
  reconciliation: Reconciliation,
  { targetIds, watch }: { readonly targetIds?: RunSet | undefined; readonly watch?: Watch } = {},
): Promise<Synchronization> {
  const { run, rules, resources, repository, locks, log, sourceId, foreseeHooks } = reconciliation
  const { mapping } = rules
  const { signal, durations } = run
  const targets = await targetIds?.size()
  run.statistics.totals.target = targets
  run.statistics.totals.links = mapping.links.enabled ? await repository.links.count(mapping.links.type) : 0
  return openSynchronization({
    ...{ rules, resources, repository, locks, log, watch, targetIds, signal, durations },
    scripts: { ...scriptContext(reconciliation), signal },
    runId: run.id,
    dryRun: run.analysis,
    hooks: run.analysis ? (foreseeHooks ? 'foresee' : 'skip') : 'run',
    mayReadAll: sourceId === undefined,
    skipsCorrelation: targets === 0 && !mapping.correlateEmptyTargetSet,
  })
}

/** The target query (engine §7.3), asked when its answer is first needed, and once; `opened` keeps it for the run. */
export function targetQuery(
  reconciliation: Reconciliation,
  opened: AsyncDisposableStack,
): () => Promise<RunSet> {
  const { resources, settings, run, rules, repository, runSets } = reconciliation
  const read = async () => {
    const { normalTarget } = mappingLinks(repository.links, rules.mapping.links)
    const ids = opened.use(await runSets.open(run.id, 'targets', normalTarget))
    const { resourceName, filter, parameters } = settings.targetQuery
    const set = resources.objectSet(resourceName)
    const query = { filter, fields: [['_id']], pageSize: settings.targetPageSize, parameters }
    for await (const page of set.pages(query, run.signal)) await ids.add(page.map(({ _id }) => _id))
    return ids
  }
  let ids: Promise<RunSet> | undefined
  return () => {
    ids ??= run.durations.time('targetQuery', read)
    return ids
  }
}
