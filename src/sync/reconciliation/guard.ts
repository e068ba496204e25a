import { fewLinked, type Guarded, type GuardLimits } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { mayDelete } from '../../mapping/may-delete.ts'
import { Problem } from '../../model/problem.ts'
import { exceeded, excessInWords } from '../../plan/guard.ts'
import type { PlanHeader, PlanLine } from '../../plan/plan-line.ts'
import type { Links } from '../../repository/links.ts'
import type { RunSet } from '../../repository/run-sets.ts'
import type { Recorder } from '../page/apply/apply.ts'
import { type Applied, goesOn } from '../page/operation.ts'
import { openRun } from './open-run.ts'
import { sourcePhase, targetPhase } from './phases.ts'
import type { Reconciliation } from './reconciliation.ts'
import { Run } from './run.ts'
import { openSources } from './sources.ts'

/** Undefined where there is no target phase. */
type TargetQuery = (() => Promise<RunSet>) | undefined

/** How many ids of each kind a refusal names. */
const sampled = 10

/** Counts what decided operations of one mapping would write, and refuses what its `guard` does not allow. */
export class Guard {
  readonly mapping: Mapping
  readonly #limits: GuardLimits
  readonly #linked: number
  readonly #counts: Record<Guarded, number>
  readonly #samples: Record<Guarded, string[]> = { deletes: [], updates: [], creates: [] }

  /** `linked`: how many targets the mapping's link set leads to. `counts`: what is known to be written already. */
  constructor(
    mapping: Mapping,
    limits: GuardLimits,
    linked: number,
    counts: Record<Guarded, number> = { deletes: 0, updates: 0, creates: 0 },
  ) {
    this.mapping = mapping
    this.#limits = limits
    this.#linked = linked
    this.#counts = { ...counts }
  }

  /** False where no limit could be exceeded, whatever changes: nothing needs to be counted. */
  get mayRefuse(): boolean {
    const { deletes, updates, creates } = this.#limits
    const counts = (limit: GuardLimits[Guarded]) =>
      limit !== undefined && (limit.kind === 'count' || this.#linked > fewLinked)
    return counts(updates) || counts(creates) || (counts(deletes) && mayDelete(this.mapping))
  }

  /** Updates must be shaped to know whether they write anything, creates to know what correlates with them. */
  get until(): 'shape' | 'action' {
    return (this.#limits.updates ?? this.#limits.creates) === undefined ? 'action' : 'shape'
  }

  readonly recorder: Recorder = {
    async record() {},
    count: (page) => {
      for (const operation of page) {
        const kind = goesOn(operation) ? kindOfWrite(operation, operation.target !== undefined) : undefined
        if (kind) this.add(kind, kind === 'creates' ? operation.sourceId : operation.targetId)
      }
    },
  }

  add(what: Guarded, id: string | undefined): void {
    this.#counts[what]++
    if (id !== undefined && this.#samples[what].length < sampled) this.#samples[what].push(id)
  }

  /** `hint`: how to allow it where that is not the run's. */
  requireWithin(hint?: string): void {
    const foreseen = { counts: this.#counts, linked: this.#linked, samples: this.#samples }
    const excess = exceeded(this.#limits, foreseen)
    if (excess.length === 0) return
    const message = `${this.mapping.name}: nothing was written: ${excess.map(excessInWords).join('; ')}`
    throw new Problem('GUARD', message, { detail: excess, ...(hint === undefined ? {} : { hint }) })
  }
}

/** What an operation does to its target; undefined: nothing. */
export function kindOfWrite(
  { action, changes }: Pick<PlanLine | Applied, 'action' | 'changes'>,
  targetExists: boolean,
): Guarded | undefined {
  if (action === 'CREATE') return 'creates'
  if (action === 'DELETE' && targetExists) return 'deletes'
  return action === 'UPDATE' && changes.length > 0 ? 'updates' : undefined
}

/** How many targets the mapping's link set leads to: what percentages are counted of. */
export async function linkedTargets({ links: use }: Mapping, links: Links): Promise<number> {
  return use.enabled ? links.count(use.type) : 0
}

/**
 * Stops mass damage before the first write: decides the whole run once without writing, and refuses it if the mapping's
 * `guard` does not allow what it would delete, update and create. Costs nothing where no limit could be exceeded. Scripts that
 * would write while they decide fail here, as in every dry run; their objects are not counted.
 */
export async function requireWithinGuard(
  reconciliation: Reconciliation,
  queryTargets: TargetQuery,
): Promise<void> {
  const { rules, settings, repository, run } = reconciliation
  if (run.analysis) return
  const linked = await linkedTargets(rules.mapping, repository.links)
  const guard = new Guard(rules.mapping, settings.guard, linked)
  if (!guard.mayRefuse) return
  await run.durations.time('guard', () => foresee(reconciliation, queryTargets, guard))
  if (!run.signal.aborted) guard.requireWithin()
}

/** The same for a plan, which was counted when it was made. Its limits are those of today, and of this run. */
export async function requirePlanWithinGuard(
  { rules, settings, repository }: Reconciliation,
  { writes }: PlanHeader,
): Promise<void> {
  const linked = await linkedTargets(rules.mapping, repository.links)
  new Guard(rules.mapping, settings.guard, linked, writes).requireWithin()
}

/** The run as an analysis of its own, of which nothing is recorded. */
async function foresee(
  reconciliation: Reconciliation,
  queryTargets: TargetQuery,
  { until, recorder }: Guard,
): Promise<void> {
  const { run } = reconciliation
  const { id, mapping, worker } = run
  const analysis = new Run({ id, mapping, worker, analysis: true, keeps: undefined }, {})
  run.signal.addEventListener('abort', () => analysis.cancel(), { once: true })
  const { onEntry, onPage, onProgress, ...quiet } = reconciliation
  // What there is to log is logged when the run itself begins.
  const looking = { ...quiet, run: analysis, recorder, foreseeHooks: false, log: () => {} }
  const sources = await openSources(looking)
  const targetIds = await queryTargets?.()
  const opened = await openRun(looking, { targetIds })
  const looksAtTargets = until === 'shape' || rulesLookAtTargets(reconciliation)
  const sync = { ...opened, until, looksAtTargets }
  await sourcePhase(looking, sync, sources)
  if (targetIds) await targetPhase(looking, sync)
  await targetIds?.startOver()
}

function rulesLookAtTargets({ rules: { mapping } }: Reconciliation): boolean {
  return mapping.validTarget !== undefined || mapping.policies.some(({ action }) => action.kind === 'script')
}
