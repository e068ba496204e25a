import { v7 as timeOrderedId } from 'uuid'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, Resource, Resources } from '../../router/resources.ts'
import { decideSources } from '../decide-sources.ts'
import { decideTargets } from '../decide-targets.ts'
import type { ObjectLocks } from '../object-locks.ts'
import { type Operation, sourceOperation, targetOperation } from '../operation.ts'
import { openSynchronization } from '../reconciliation/open-synchronization.ts'
import type { Reconciliation } from '../reconciliation/reconciliation.ts'
import { settingsFor } from '../reconciliation/request.ts'
import { Run } from '../reconciliation/run.ts'
import type { Rules } from '../rules.ts'
import type { Synchronization } from '../synchronization.ts'

/** What operations on single objects need; the same rules and stores as those of runs. */
export interface SingleOptions {
  readonly repository: Repository
  readonly resources: () => Resources
  readonly locks: ObjectLocks
  readonly rulesOf: (mapping: string) => Promise<Rules>
  readonly log: Reconciliation['log']
}

/** One object of a mapping: a source by its id, or a target that no source leads to. */
export interface SingleObject {
  readonly mapping: string
  readonly sourceId?: string | undefined
  readonly targetId?: string | undefined
  /** In place of the source object that is there: what if it looked like this? */
  readonly source?: JsonObject | undefined
}

/**
 * The steps of a run for one object, without a run: nothing is recorded, and nothing is queried but what is about this
 * object. `analysis` decides and shapes only.
 */
export async function openSingle(
  { repository, resources, locks, rulesOf, log }: SingleOptions,
  { mapping, sourceId }: SingleObject,
  context: RequestContext,
  { analysis, runId = timeOrderedId() }: { readonly analysis: boolean; readonly runId?: string | undefined },
): Promise<Synchronization> {
  const rules = await rulesOf(mapping)
  const reconciliation: Reconciliation = {
    run: new Run({ id: runId, mapping, analysis, parameters: {} }),
    rules,
    settings: settingsFor(rules.mapping),
    // Only to say that the run is about few objects: the whole target set need not be read.
    sourceId: sourceId ?? '',
    associations: false,
    foreseeHooks: true,
    plan: undefined,
    resources: resources(),
    repository,
    locks,
    isActive: async () => true,
    request: { ...context, external: false },
    log,
  }
  return openSynchronization(reconciliation)
}

/** The link qualifiers of an object (engine specification §5.3). */
export async function qualifiersOf(
  sync: Synchronization,
  source: Resource | undefined,
): Promise<readonly string[]> {
  const { qualifiers } = sync.rules.mapping
  if (qualifiers.kind === 'fixed') return qualifiers.names
  const input = { object: (source ?? null) as Json, oldValue: null, returnAll: source === undefined }
  const [outcome] = await sync.rules.ask('qualifiers', [input], sync.scripts)
  if (!outcome?.ok) throw outcome?.error ?? new Problem('INTERNAL', 'no link qualifiers')
  return outcome.value as string[]
}

/** The source object, the stated one or the one that is there. */
export async function sourceOf(
  sync: Synchronization,
  { sourceId, source }: SingleObject,
): Promise<Resource | undefined> {
  if (source) return { ...source, _id: sourceId ?? String(source._id ?? '') }
  return (await sync.sources.readMany([sourceId as string])).get(sourceId as string)
}

/** A source operation, decided: what a run would do about the object. */
export async function decideSource(
  sync: Synchronization,
  sourceId: string,
  source: Resource | undefined,
  qualifier: string,
): Promise<Operation> {
  const operation = sourceOperation(source?._id ?? sourceId, source, qualifier)
  await decideSources(sync, [operation])
  return operation
}

/** A target operation, decided. */
export async function decideTarget(
  sync: Synchronization,
  targetId: string,
  qualifier: string,
): Promise<Operation> {
  const operation = targetOperation(targetId, qualifier)
  await decideTargets(sync, [operation], new Set())
  return operation
}
