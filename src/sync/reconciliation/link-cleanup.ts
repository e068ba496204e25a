import { type From, pages } from '../../kit/cookies.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { type Filter, matchesEverything } from '../../model/filter/filter.ts'
import { Problem } from '../../model/problem.ts'
import type { Link } from '../../repository/links.ts'
import { allComplete } from '../page/absence.ts'
import { isConflict } from '../page/apply/store-links.ts'
import type { MappingLink } from '../page/links.ts'
import { type Applied, nothingApplied, nothingDecided, planEntry } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { Reconciliation } from './reconciliation.ts'
import type { ReconciliationRequest } from './request.ts'

const pageSize = 500

/**
 * Deletes the links whose two ends are gone (engine §5.5, [D]), which neither phase finds. Off unless asked for, and only in
 * runs that look at both sets as a whole. Both ends are read once more before. No `onUnlink`: there is nothing left to unlink.
 */
export async function cleanUpLinks(reconciliation: Reconciliation, sync: Synchronization): Promise<void> {
  const { run, settings, sourceId, log } = reconciliation
  const { mapping } = sync.rules
  if (!settings.cleanUpLinks || !mapping.links.enabled || run.signal.aborted) return
  const restriction = restrictionOf(mapping, settings, sourceId)
  if (restriction) return log('warn', `${mapping.name}: links are not cleaned up, because ${restriction}`)
  const { source, target } = sync.listings ?? allComplete
  for (const listing of [source, target]) {
    if (listing.state === 'complete') continue
    return log(
      'warn',
      `${mapping.name}: links are not cleaned up, because a listing is ${listing.state}: ${listing.reason}`,
    )
  }
  run.enter('ACTIVE_LINK_CLEANUP')
  for await (const page of linkPages(sync)) {
    if (run.signal.aborted) return
    await cleanUpPage(reconciliation, sync, await orphansAmong(sync, page))
  }
}

/** BAD_REQUEST for a caller who asks for it in a run that cannot do it; a mapping's own setting waits for one that can. */
export function refuseImpossibleCleanUp(
  mapping: Mapping,
  settings: Mapping['reconciliation'],
  { sourceId, overrides }: ReconciliationRequest,
): void {
  const restriction = restrictionOf(mapping, settings, sourceId)
  if (overrides?.cleanUpLinks !== undefined && settings.cleanUpLinks && restriction)
    throw new Problem('BAD_REQUEST', `cleanUpLinks is not possible: ${restriction}`)
}

/** Why a run cannot know that an object is gone for good; undefined if it can. */
function restrictionOf(
  mapping: Mapping,
  settings: Mapping['reconciliation'],
  sourceId: string | undefined,
): string | undefined {
  if (sourceId !== undefined) return 'the run is about one source object'
  if (settings.runTargetPhase === false) return 'the run has no target phase'
  const { sourceQuery, targetQuery } = settings
  if (!isWhole(sourceQuery, mapping.source)) return 'the source query does not read the whole source'
  if (!isWhole(targetQuery, mapping.target)) return 'the target query does not read the whole target'
  return undefined
}

function isWhole(
  { filter, resourceName, parameters }: Mapping['reconciliation']['sourceQuery'],
  path: string,
): boolean {
  return matchesEverything(filter) && resourceName === path && Object.keys(parameters).length === 0
}

/** Every link of the type, whatever its qualifier: also of qualifiers that no configuration knows any more. */
async function* linkPages({ rules, repository }: Synchronization): AsyncIterable<readonly Link[]> {
  const { type } = rules.mapping.links
  const filter: Filter = { kind: 'compare', operator: 'eq', pointer: ['linkType'], value: type }
  const fetch = (from: From) => repository.links.query({ filter, pageSize, ...from })
  for await (const { result } of pages(fetch)) yield result
}

/** Two readings at most, and none for links whose target the run has seen. */
async function orphansAmong(
  { links, targetIds, targets, sources, signal }: Synchronization,
  page: readonly Link[],
): Promise<readonly Applied[]> {
  const viewed = page.map(links.view)
  const seen = await targetIds?.known(viewed.map(({ targetId }) => targetId))
  const suspects = viewed.filter(({ targetId }) => !seen?.has(targetId))
  if (suspects.length === 0) return []
  const present = await sources.readMany([...new Set(suspects.map(({ sourceId }) => sourceId))], signal)
  const withoutSource = suspects.filter(({ sourceId }) => !present.has(sourceId))
  if (withoutSource.length === 0) return []
  const found = await targets.readMany([...new Set(withoutSource.map(({ targetId }) => targetId))], signal)
  return withoutSource.filter(({ targetId }) => !found.has(targetId)).map(orphaned)
}

function orphaned(link: MappingLink): Applied {
  return {
    stage: 'applied',
    phase: 'source',
    cleanUp: true,
    linkQualifier: link.stored.linkQualifier,
    sourceId: link.sourceId,
    source: undefined,
    link,
    correlation: undefined,
    candidates: [],
    targetId: link.targetId,
    target: undefined,
    qualifies: true,
    disqualifiedBy: undefined,
    failure: undefined,
    ...nothingDecided,
    situation: 'LINK_ONLY',
    action: 'UNLINK',
    ...nothingApplied,
  }
}

/** Links and their records in one transaction; none of the page if another one changes one of its links meanwhile. */
async function cleanUpPage(
  reconciliation: Reconciliation,
  sync: Synchronization,
  orphans: readonly Applied[],
): Promise<void> {
  if (orphans.length === 0) return
  const { run, repository, recorder, onEntry, onProgress, log } = reconciliation
  const { mapping } = sync.rules
  const deletions = orphans.flatMap(({ link }) => link?.stored ?? [])
  try {
    await repository.transaction(async (store) => {
      if (!sync.dryRun) await store.links.delete(deletions)
      await recorder.record(orphans, store)
    })
  } catch (error) {
    if (!isConflict(error)) throw error
    log('warn', `${mapping.name}: links changed while they were cleaned up; the next run looks at them again`)
    return
  }
  recorder.count?.(orphans)
  for (const orphan of orphans) onEntry?.(planEntry(mapping, orphan, sync.targets.isSecret), orphan, sync)
  onProgress?.(run)
}
