import { fewLinked, type GuardLimits, limitsOf } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { mayDelete, mayDisable, mayLose, mayUnlink } from '../../mapping/may-delete.ts'
import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import { Problem } from '../../model/problem.ts'
import { type Counts, exceeded, excessInWords } from '../../plan/guard.ts'
import type { PlanHeader } from '../../plan/plan-line.ts'
import type { Recorder } from '../page/apply/apply.ts'
import { countedOf, linkedTargets } from '../page/counted.ts'
import { type Applied, type Decided, goesOn } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { lastRound } from './last-round.ts'
import { type ListedTargets, openRun } from './open-run.ts'
import { sourcePhase, targetPhase } from './phases.ts'
import type { Reconciliation } from './reconciliation.ts'
import { Run } from './run.ts'
import { openSources, type SourceRecord } from './sources.ts'

/** Undefined where there is no target phase. */
type TargetQuery = (() => Promise<ListedTargets>) | undefined

/** How many ids of each kind a refusal names. */
const sampled = 10

/** Counts what decided operations of one mapping would write, and refuses what its `guard` does not allow. */
export class Guard {
  readonly mapping: Mapping
  readonly #limits: GuardLimits
  readonly #linked: number
  readonly #counts: Counts
  readonly #samples: Partial<Record<keyof Counts, string[]>> = {}

  /** `linked`: how many targets the mapping's link set leads to. `counts`: what is known to be written already. */
  constructor(mapping: Mapping, limits: GuardLimits, linked: number, counts: Counts = {}) {
    this.mapping = mapping
    this.#limits = limits
    this.#linked = linked
    this.#counts = { ...counts }
  }

  /** False where no limit could be exceeded, whatever changes: nothing needs to be counted. */
  get mayRefuse(): boolean {
    return this.#applying.length > 0
  }

  /** Updates must be shaped to know whether they write anything and what, creates to know what correlates with them. */
  get until(): 'shape' | 'action' {
    if (this.mapping.grace) return 'shape'
    return this.#applying.every((what) => what === 'deletes' || what === 'unlinks') ? 'action' : 'shape'
  }

  /** True if only operations on targets, and on sources without a link, could be counted. */
  get passesLinked(): boolean {
    return this.until === 'action' && !mayLose(this.mapping)
  }

  /** What limits are about that the mapping's configuration could exceed. */
  get #applying() {
    const could = (what: keyof Counts) => {
      if (what === 'deletes') return mayDelete(this.mapping)
      if (what === 'unlinks') return mayUnlink(this.mapping)
      if (what !== 'disables') return true
      return this.mapping.grace !== undefined || mayDisable(this.mapping, this.#limits)
    }
    return limitsOf(this.#limits)
      .filter(([what, { kind }]) => (kind === 'count' || this.#linked > fewLinked) && could(what))
      .map(([what]) => what)
  }

  readonly recorder: Recorder = {
    async record() {},
    count: (page) => this.count(page),
  }

  count(page: readonly (Decided | Applied)[]): void {
    for (const operation of page) {
      if (!goesOn(operation) || operation.cleanUp) continue
      for (const what of countedOf(operation, this.#limits))
        this.add(what, what === 'creates' ? operation.sourceId : operation.targetId)
    }
  }

  add(what: keyof Counts, id: string | undefined): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
    const samples = this.#samples[what] ?? []
    if (id !== undefined && samples.length < sampled) this.#samples[what] = [...samples, id]
  }

  /**
   * For a page that is about to be written: what is over the limit is not, and neither is the rest of the page. What the target will
   * refuse does not count; it is asked for that only where it matters.
   */
  async takes(page: readonly Decided[], judge: () => Promise<readonly Applied[]>): Promise<void> {
    const before = { ...this.#counts }
    this.count(page)
    if (this.#excess.length > 0) {
      Object.assign(this.#counts, zero, before)
      this.count(await judge())
    }
    this.requireWithin({ fact: 'stopped before what it allows was exceeded' })
  }

  /** What failed of a page that was taken, or is tried once more later, was not written. */
  settle(page: readonly Decided[], done: readonly Applied[]): void {
    const counted = page.filter((one) => goesOn(one) && countedOf(one, this.#limits).length > 0)
    if (counted.length === 0) return
    const written = new Set(done.filter(goesOn).map(keyOf))
    for (const operation of counted)
      if (!written.has(keyOf(operation)))
        for (const what of countedOf(operation, this.#limits))
          this.#counts[what] = (this.#counts[what] ?? 1) - 1
  }

  get #excess() {
    return exceeded(this.#limits, { counts: this.#counts, linked: this.#linked, samples: this.#samples })
  }

  /** `hint`: how to allow it where that is not the run's. `fact`: what has been written. */
  requireWithin({ hint, fact = 'nothing was written' }: { hint?: string; fact?: string } = {}): void {
    const excess = this.#excess
    if (excess.length === 0) return
    const { name } = this.mapping
    const message = `${name}: ${fact}: ${excess.map(excessInWords).join('; ')}`
    throw new Problem('GUARD', message, { detail: excess, hint: hint ?? wayOutOf(name) })
  }
}

/** Of a run: what is wrong is mended, what is right is approved. */
function wayOutOf(mapping: string): string {
  const look = `\`syncline plan ${mapping} --out plan.ndjson\` and \`syncline show plan.ndjson\``
  const approve = '`syncline apply plan.ndjson --override-guard --reason "…"`'
  const allow = `\`syncline recon ${mapping} --override-guard --reason "…"\``
  return `Look at it: ${look}. If it is wrong, mend the source or the mapping, and run again. If it is right, approve just that: ${approve}, or allow it for one run: ${allow} (the same as --guard off); over REST by "overrideGuard": true and "reason" in the request.`
}

const zero = { creates: 0, updates: 0, deletes: 0, disables: 0, unlinks: 0 }

function keyOf({ phase, sourceId, targetId, linkQualifier }: Decided | Applied): string {
  return `${phase}\n${linkQualifier}\n${phase === 'source' ? sourceId : targetId}`
}

/**
 * The second brake of a run: counts what is really about to be written, page by page. It stops what could not be foreseen: what
 * hooks and scripts do that do not run without writing. Undefined where there is no limit.
 */
export async function pageGuard({
  rules,
  settings,
  repository,
  run,
}: Omit<Reconciliation, 'brake'>): Promise<Guard | undefined> {
  if (run.analysis || limitsOf(settings.guard).length === 0) return undefined
  return new Guard(rules.mapping, settings.guard, await linkedTargets(rules.mapping, repository.links))
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
  { writes, counted }: PlanHeader,
): Promise<void> {
  const linked = await linkedTargets(rules.mapping, repository.links)
  const { others: _, ...counts } = writes
  const hint =
    'Look at the plan. If it is right, approve it: perform it once more with --override-guard --reason "…" (over REST "overrideGuard": true and "reason"). If it is wrong, mend the source or the mapping, and make another.'
  new Guard(rules.mapping, settings.guard, linked, { ...counts, ...counted }).requireWithin({ hint })
}

/** The run as an analysis of its own, of which nothing is recorded. */
async function foresee(
  reconciliation: Reconciliation,
  queryTargets: TargetQuery,
  { until, recorder, passesLinked }: Guard,
): Promise<void> {
  const { run } = reconciliation
  const { id, mapping, kind, trigger, startedBy, worker } = run
  const facts = { id, mapping, kind, trigger, startedBy, worker, analysis: true, keeps: undefined }
  const analysis = new Run(facts, {})
  run.signal.addEventListener('abort', () => analysis.cancel(), { once: true })
  const { onEntry, onPage, onProgress, brake, ...quiet } = reconciliation
  // What there is to log is logged when the run itself begins.
  const looking = { ...quiet, run: analysis, recorder, foreseeHooks: false, log: () => {} }
  const sources = await openSources(looking)
  const listed = await queryTargets?.()
  const opened = await openRun(looking, { listed })
  const looksAtTargets = until === 'shape' || rulesLookAtTargets(reconciliation)
  const sync = { ...opened, until, looksAtTargets }
  const worked = passesLinked ? withoutLinked(sync, sources) : sources
  const listings = await sourcePhase(looking, sync, worked)
  if (listed) await targetPhase(looking, { ...sync, listings })
  await lastRound(looking, { ...sync, listings })
  await listed?.ids.startOver()
}

/** Nothing is decided about sources that are linked: their targets are handled, and that is all there is to know. */
async function* withoutLinked(
  { rules, links, targetIds }: Synchronization,
  pages: AsyncIterable<readonly SourceRecord[], Listing>,
): AsyncGenerator<readonly SourceRecord[], Listing> {
  const { qualifiers } = rules.mapping
  let listing = completeListing
  const heeded = heeding(pages, (end) => {
    listing = end
  })
  for await (const page of heeded) {
    const names = qualifiers.kind === 'fixed' ? qualifiers.names : []
    const found = await Promise.all(
      names.map((name) =>
        links.ofSources(
          name,
          page.map(({ id }) => id),
        ),
      ),
    )
    const isPassed = ({ id, object }: SourceRecord) =>
      object !== undefined && found.length > 0 && found.every((linked) => linked.has(id))
    const targets = page.filter(isPassed).flatMap(({ id }) => found.map((linked) => linked.get(id)?.targetId))
    await targetIds?.handle(targets.filter((id) => id !== undefined))
    yield page.filter((record) => !isPassed(record))
  }
  return listing
}

function rulesLookAtTargets({ rules: { mapping } }: Reconciliation): boolean {
  return mapping.validTarget !== undefined || mapping.policies.some(({ action }) => action.kind === 'script')
}
