import type { ObjectSet } from '../../router/resources.ts'
import { correlator } from '../correlate.ts'
import { mappingLinks } from '../links.ts'
import { ignoringCase } from '../spelling.ts'
import type { Synchronization } from '../synchronization.ts'
import { TargetIds } from '../target-ids.ts'
import { measuredCorrelator, measuredLinks, measuredRules, measuredSet } from './measured.ts'
import { type Reconciliation, scriptContext } from './reconciliation.ts'

/** What the steps of a run share; queries the targets if there will be a target phase. */
export async function openSynchronization(
  reconciliation: Reconciliation,
  targetPhase: boolean,
): Promise<Synchronization> {
  const { run, resources, repository, sourceId } = reconciliation
  const { durations } = run
  const rules = measuredRules(reconciliation.rules, durations)
  const { mapping } = rules
  const links = measuredLinks(mappingLinks(repository.links, mapping.links), durations)
  const sources = measuredSet(resources.objectSet(mapping.source), 'sourceObjectQuery', durations)
  const targets = measuredSet(resources.objectSet(mapping.target), 'targetObjectQuery', durations)
  const targetIds = targetPhase
    ? await run.durations.time('targetQuery', () => readTargetIds(reconciliation, links.normalTarget))
    : undefined
  run.statistics.totals.target = targetIds?.size
  run.statistics.totals.links = mapping.links.enabled ? await repository.links.count(mapping.links.type) : 0
  const scripts = { ...scriptContext(reconciliation), signal: run.signal }
  const spelled = mapping.links.targetIgnoresCase ? ignoringCase(targets) : targets
  const shared = { rules, resources, targets: spelled, links, scripts, signal: run.signal }
  return {
    ...shared,
    sources: mapping.links.sourceIgnoresCase ? ignoringCase(sources) : sources,
    repository,
    correlator: measuredCorrelator(
      correlator({
        ...shared,
        mayReadAll: sourceId === undefined,
        skip: targetIds?.size === 0 && !mapping.correlateEmptyTargetSet,
      }),
      durations,
    ),
    runId: run.id,
    targetIds,
    dryRun: run.analysis,
    shapes: true,
    hooks: run.analysis ? (reconciliation.foreseeHooks ? 'foresee' : 'skip') : 'run',
  }
}

async function readTargetIds(
  { resources, settings, run }: Reconciliation,
  normal: (id: string) => string,
): Promise<TargetIds> {
  const ids = new TargetIds(normal)
  const { resourceName, filter, parameters } = settings.targetQuery
  const set: ObjectSet = resources.objectSet(resourceName)
  for await (const page of set.pages({ filter, fields: [['_id']], pageSize: 5000, parameters }, run.signal)) {
    for (const { _id } of page) ids.add(_id)
  }
  return ids
}
