import { completeListing, heeding, type Listing, listedTwice, worseListing } from '../../model/listing.ts'
import type { Watch } from '../../repository/locks.ts'
import type { RunSet } from '../../repository/run-sets.ts'
import { allComplete } from '../page/absence.ts'
import { mappingLinks } from '../page/links.ts'
import { LostOperations } from '../page/lost-operations.ts'
import { openSynchronization } from '../page/open-synchronization.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { type Reconciliation, scriptContext } from './reconciliation.ts'

/** What the target query returned. */
export interface ListedTargets {
  readonly ids: RunSet
  readonly listing: Listing
}

/** What the steps of a run share. `listed`: if there will be a target phase. */
export async function openRun(
  reconciliation: Reconciliation,
  { listed, watch }: { readonly listed?: ListedTargets | undefined; readonly watch?: Watch } = {},
): Promise<Synchronization> {
  const { run, rules, resources, repository, locks, log, sourceId, foreseeHooks } = reconciliation
  const { mapping } = rules
  const { signal, durations } = run
  const targetIds = listed?.ids
  const targets = await targetIds?.size()
  const listing = listed?.listing ?? completeListing
  run.heed('target', listing)
  run.statistics.totals.target = targets
  run.statistics.totals.links = mapping.links.enabled ? await repository.links.count(mapping.links.type) : 0
  return openSynchronization({
    lost: new LostOperations(),
    ...{ rules, resources, repository, locks, log, watch, targetIds, signal, durations },
    scripts: { ...scriptContext(reconciliation), signal },
    runId: run.id,
    dryRun: run.analysis,
    hooks: run.analysis ? (foreseeHooks ? 'foresee' : 'skip') : 'run',
    mayReadAll: sourceId === undefined,
    skipsCorrelation: targets === 0 && listing.state === 'complete' && !mapping.correlateEmptyTargetSet,
    listings: listing.state === 'complete' ? undefined : { ...allComplete, target: listing },
  })
}

/** The target query (engine §7.3), asked when its answer is first needed, and once; `opened` keeps it for the run. */
export function targetQuery(
  reconciliation: Reconciliation,
  opened: AsyncDisposableStack,
): () => Promise<ListedTargets> {
  const { resources, settings, run, rules, repository, runSets } = reconciliation
  const read = async () => {
    const { normalTarget } = mappingLinks(repository.links, rules.mapping.links)
    const ids = opened.use(await runSets.open(run.id, 'targets', normalTarget))
    const { resourceName, filter, parameters } = settings.targetQuery
    const set = resources.objectSet(resourceName)
    const query = { filter, fields: [['_id']], pageSize: settings.targetPageSize, parameters }
    let listing = completeListing
    const heed = (end: Listing) => {
      listing = worseListing(listing, end)
    }
    for await (const page of heeding(set.pages(query, run.signal), heed)) {
      const given = page.map(({ _id }) => _id)
      const fresh = await ids.add(given)
      if (fresh.length < given.length) heed(listedTwice(resourceName, repeatedIn(given, fresh)))
    }
    return { ids, listing }
  }
  let listed: Promise<ListedTargets> | undefined
  return () => {
    listed ??= run.durations.time('targetQuery', read)
    return listed
  }
}

function repeatedIn(given: readonly string[], fresh: readonly string[]): string {
  let next = 0
  return given.find((id) => id !== fresh[next++]) ?? ''
}
