import { fewLinked, type Guarded, type GuardLimits } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { mayDelete } from '../../mapping/may-delete.ts'
import { Problem } from '../../model/problem.ts'
import { type Excess, exceeded, excessInWords } from '../../plan/guard.ts'
import type { PlanHeader } from '../../plan/plan-line.ts'
import type { Links } from '../../repository/repository.ts'
import type { Recorder } from '../page/apply/apply.ts'
import type { Recorded } from '../page/operation.ts'
import type { TargetIds } from '../page/target-ids.ts'
import { openSynchronization } from './open-synchronization.ts'
import { sourcePhase, targetPhase } from './phases.ts'
import type { Reconciliation } from './reconciliation.ts'
import { Run } from './run.ts'
import { openSources } from './sources.ts'

/** Undefined where there is no target phase. */
type TargetQuery = (() => Promise<TargetIds>) | undefined

/** How many ids of each kind a refusal names. */
const sampled = 10

/**
 * Stops mass damage before the first write: decides the whole run once without writing, counts what it would delete,
 * update and create, and refuses it if the mapping's `guard` does not allow as much. Costs nothing where no limit could
 * be exceeded: a mapping that cannot delete, or too few links for a percentage to count.
 *
 * Scripts that would write while they decide fail here, as in every dry run; their objects are not counted.
 */
export async function requireWithinGuard(
  reconciliation: Reconciliation,
  queryTargets: TargetQuery,
): Promise<void> {
  const { rules, settings, repository, run } = reconciliation
  if (run.analysis) return
  const { mapping } = rules
  const linked = await linkedTargets(mapping, repository.links)
  if (!mayExceed(mapping, settings.guard, linked)) return
  const tally = counting()
  await run.durations.time('guard', () => foresee(reconciliation, queryTargets, tally.recorder))
  const excess = exceeded(settings.guard, { ...tally, linked })
  if (excess.length === 0 || run.signal.aborted) return
  throw refusal(mapping.name, excess)
}

/** `hint`: how to allow it where that is not the run's. */
export function refusal(name: string, excess: readonly Excess[], hint?: string): Problem {
  return new Problem('GUARD', `${name}: nothing was written: ${excess.map(excessInWords).join('; ')}`, {
    detail: excess,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The same for a plan, which was counted when it was made. Its limits are those of today, and of this run. */
export async function requirePlanWithinGuard(
  { rules, settings, repository }: Reconciliation,
  { writes }: PlanHeader,
): Promise<void> {
  const linked = await linkedTargets(rules.mapping, repository.links)
  const samples = { deletes: [], updates: [], creates: [] }
  const excess = exceeded(settings.guard, { counts: writes, linked, samples })
  if (excess.length > 0) throw refusal(rules.mapping.name, excess)
}

/** How many targets the mapping's link set leads to: what percentages are counted of. */
export async function linkedTargets({ links: use }: Mapping, links: Links): Promise<number> {
  return use.enabled ? links.count(use.type) : 0
}

/** False where no limit could be exceeded, whatever changes: nothing needs to be counted. */
export function mayExceed(
  mapping: Mapping,
  { deletes, updates, creates }: GuardLimits,
  linked: number,
): boolean {
  const counts = (limit: GuardLimits[Guarded]) =>
    limit !== undefined && (limit.kind === 'count' || linked > fewLinked)
  return counts(updates) || counts(creates) || (counts(deletes) && mayDelete(mapping))
}

/** The run as an analysis of its own, of which nothing is recorded. */
async function foresee(
  reconciliation: Reconciliation,
  queryTargets: TargetQuery,
  recorder: Recorder,
): Promise<void> {
  const { run, settings } = reconciliation
  const analysis = new Run({
    id: run.id,
    mapping: run.mapping,
    analysis: true,
    worker: run.worker,
    parameters: {},
  })
  run.signal.addEventListener('abort', () => analysis.cancel(), { once: true })
  const looking = {
    ...reconciliation,
    run: analysis,
    foreseeHooks: false,
    // What there is to say is said when the run itself begins.
    log: () => {},
    onEntry: undefined,
    onPage: undefined,
    onProgress: undefined,
  }
  const sources = await openSources(looking)
  const targetIds = await queryTargets?.()
  const opened = await openSynchronization(looking, { targetIds })
  const shapes = needsShapes(settings.guard)
  const until = shapes ? 'shape' : 'action'
  const sync = { ...opened, until, looksAtTargets: shapes || rulesLookAtTargets(reconciliation) } as const
  await sourcePhase(looking, sync, sources, recorder)
  if (targetIds) await targetPhase(looking, sync, recorder)
  targetIds?.startOver()
}

/** Updates must be shaped to know whether they write anything, creates to know what correlates with them. */
export function needsShapes({ updates, creates }: GuardLimits): boolean {
  return (updates ?? creates) !== undefined
}

function rulesLookAtTargets({ rules: { mapping } }: Reconciliation): boolean {
  return mapping.validTarget !== undefined || mapping.policies.some(({ action }) => action.kind === 'script')
}

/** Counts what decided operations would write. */
export function counting() {
  const counts: Record<Guarded, number> = { deletes: 0, updates: 0, creates: 0 }
  const samples: Record<Guarded, string[]> = { deletes: [], updates: [], creates: [] }
  const add = (what: Guarded, id: string | undefined) => {
    counts[what]++
    if (id !== undefined && samples[what].length < sampled) samples[what].push(id)
  }
  const recorder: Recorder = {
    async record() {},
    count(page) {
      for (const operation of page) count(operation, add)
    },
  }
  return { counts, samples, recorder, add }
}

function count(operation: Recorded, add: (what: Guarded, id: string | undefined) => void): void {
  const { action, failure, refusal, target, targetId, sourceId, changes } = operation
  if (failure || refusal !== undefined) return
  if (action === 'DELETE' && target) add('deletes', targetId)
  else if (action === 'UPDATE' && changes.length > 0) add('updates', targetId)
  else if (action === 'CREATE') add('creates', sourceId)
}
