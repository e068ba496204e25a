import type { Watch } from '../../repository/locks.ts'
import { correlator } from '../page/correlate.ts'
import { mappingLinks } from '../page/links.ts'
import { sourceSet, targetSet } from '../page/object-sets.ts'
import { secretAttributes } from '../page/secret-attributes.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { TargetIds } from '../page/target-ids.ts'
import { measuredCorrelator, measuredLinks, measuredRules, measuredSet } from './measured.ts'
import { type Reconciliation, scriptContext } from './reconciliation.ts'

/** What the steps of a run share. `targetIds` is what the target query returned, if there will be a target phase. */
export async function openSynchronization(
  reconciliation: Reconciliation,
  { targetIds, watch }: { readonly targetIds?: TargetIds | undefined; readonly watch?: Watch } = {},
): Promise<Synchronization> {
  const { run, resources, repository, sourceId } = reconciliation
  const { durations } = run
  const rules = measuredRules(reconciliation.rules, durations)
  const { mapping } = rules
  const links = measuredLinks(mappingLinks(repository.links, mapping.links), durations)
  run.statistics.totals.target = targetIds?.size
  run.statistics.totals.links = mapping.links.enabled ? await repository.links.count(mapping.links.type) : 0
  const scripts = { ...scriptContext(reconciliation), signal: run.signal }
  const targets = measuredSet(targetSet(resources, mapping), 'targetObjectQuery', durations)
  const sources = measuredSet(sourceSet(resources, mapping), 'sourceObjectQuery', durations)
  const shared = { rules, resources, targets, links, signal: run.signal }
  return {
    ...shared,
    scripts,
    sources,
    secrets: secretAttributes({ rules, sources, targets }),
    repository,
    correlator: measuredCorrelator(
      correlator({
        ...shared,
        mayReadAll: sourceId === undefined,
        skip: targetIds?.size === 0 && !mapping.correlateEmptyTargetSet,
      }),
      durations,
    ),
    locks: reconciliation.locks,
    watch,
    log: reconciliation.log,
    runId: run.id,
    targetIds,
    dryRun: run.analysis,
    until: 'shape',
    looksAtTargets: true,
    hooks: run.analysis ? (reconciliation.foreseeHooks ? 'foresee' : 'skip') : 'run',
  }
}

/** The target query (engine §7.3), asked when the first one wants its answer, and once. */
export function targetQuery(reconciliation: Reconciliation): () => Promise<TargetIds> {
  let ids: Promise<TargetIds> | undefined
  return () => {
    ids ??= reconciliation.run.durations.time('targetQuery', () => readTargetIds(reconciliation))
    return ids
  }
}

async function readTargetIds(reconciliation: Reconciliation): Promise<TargetIds> {
  const { resources, settings, run, rules, repository } = reconciliation
  const ids = new TargetIds(mappingLinks(repository.links, rules.mapping.links).normalTarget)
  const { resourceName, filter, parameters } = settings.targetQuery
  const set = resources.objectSet(resourceName)
  const query = { filter, fields: [['_id']], pageSize: settings.targetPageSize, parameters }
  for await (const page of set.pages(query, run.signal)) for (const { _id } of page) ids.add(_id)
  return ids
}
