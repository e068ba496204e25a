import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { requireReadable } from '../../model/unreadable.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'
import type { ScriptOutcome } from '../../scripts/engine.ts'
import { decidePage } from '../page/decide.ts'
import { joinSources, joinTargets } from '../page/join.ts'
import { openSynchronization } from '../page/open-synchronization.ts'
import { type Decided, readSource, readTarget } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { SyncServices } from '../services.ts'

interface SingleRequest {
  readonly analysis: boolean
  readonly runId?: string | undefined
  /** True while a change is synchronized: scripts find that in `context`. */
  readonly ofChange?: boolean
}

/** The steps of a run for one object: nothing is recorded, no set is queried. `analysis` decides and shapes only. */
export async function openSingle(
  { repository, resources, locks, rulesOf, log }: SyncServices,
  mapping: string,
  context: RequestContext,
  { analysis, runId = timeOrderedId(), ofChange }: SingleRequest,
): Promise<Synchronization> {
  const extra = ofChange ? { sync: { mapping, enabled: true } } : undefined
  return openSynchronization({
    ...{ repository, locks, log, runId, dryRun: analysis, resources: resources() },
    rules: await rulesOf(mapping),
    scripts: { request: { ...context, external: false, readOnly: analysis }, ...(extra && { extra }) },
    hooks: analysis ? 'foresee' : 'run',
    mayReadAll: false,
  })
}

/** The link qualifiers of an object (engine §5.3); of none, all that there may be. */
export async function qualifiersOf(
  sync: Synchronization,
  source: JsonObject | undefined,
  oldValue?: JsonObject | undefined,
): Promise<readonly string[]> {
  const { qualifiers } = sync.rules.mapping
  if (qualifiers.kind === 'fixed') return qualifiers.names
  // Of a deleted object of which nothing is known, whichever there may be.
  const returnAll = source === undefined && oldValue === undefined
  const input = { object: source ?? null, oldValue: oldValue ?? null, returnAll }
  const [outcome] = await sync.rules.ask('qualifiers', [input], sync.scripts)
  return namesIn(outcome)
}

/** What a script for link qualifiers answered; throws what it threw. */
export function namesIn(outcome: ScriptOutcome<readonly string[]> | undefined): readonly string[] {
  if (!outcome?.ok) throw outcome?.error ?? new Problem('INTERNAL', 'no link qualifiers')
  return outcome.value
}

/** The source object, the given one or the one that is there. */
export async function sourceOf(
  sync: Synchronization,
  sourceId: string,
  source?: JsonObject,
): Promise<Resource | undefined> {
  if (source) return { ...source, _id: sourceId }
  const found = (await sync.sources.readMany([sourceId])).get(sourceId)
  return found && requireReadable(found)
}

/** A source operation, decided: what a run would do about the object. */
export async function decideSource(
  sync: Synchronization,
  sourceId: string,
  source: Resource | undefined,
  qualifier: string,
): Promise<Decided> {
  const read = readSource(source?._id ?? sourceId, source, qualifier)
  return only(await decidePage(sync, await joinSources(sync, [read])))
}

/** A target operation, decided. */
export async function decideTarget(
  sync: Synchronization,
  targetId: string,
  qualifier: string,
): Promise<Decided> {
  return only(await decidePage(sync, await joinTargets(sync, [readTarget(targetId, qualifier)], new Set())))
}

function only<T>([first]: readonly T[]): T {
  if (first !== undefined) return first
  throw new Problem('INTERNAL', 'a page of one operation came back empty')
}
