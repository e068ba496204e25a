import type { Mapping } from '../../mapping/mapping.ts'
import type { DecidedFlow, FlowFailure, FlowsOn, Rehearsed } from '../../plan/flows-on.ts'
import { LineCounts } from '../../plan/line-counts.ts'
import { foreseenId, type PlanLine } from '../../plan/plan-line.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'
import type { ChangeQueue } from '../changes/queue/change-queue.ts'
import { type Flowed, heldBackOf, type RunFlows } from '../changes/run-flows.ts'
import { type Applied, planEntry } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { Run } from '../reconciliation/run.ts'
import { type Failures, Statistics } from '../reconciliation/statistics.ts'
import { lineOf } from './line-of.ts'
import type { PlanSource } from './plan-source.ts'

/**
 * A world beside this one: it begins as this one is, and what is done in it is not done here. A plan that is performed there shows
 * what follows from it, with the same code that follows it here.
 */
export interface Rehearsal extends AsyncDisposable {
  readonly reconciliations: Reconciliations
  readonly changes: ChangeQueue
  readonly flows: RunFlows
  readonly names: ForeseenNames
  /** For files that end with it. */
  readonly folder: string
  /** What was wanted outside since the last time, and not done: paths, and how often. */
  takeNotDone(): Readonly<Record<string, number>>
}

/**
 * What the objects are called that there are only in the rehearsal. They get another id when a plan is performed, unless their content
 * says which, so their ids are for nobody.
 */
export class ForeseenNames {
  /** By set and id. */
  readonly #names = new Map<string, string>()

  note(
    { effect, sourceId, targetId, desired }: Applied,
    { target, name }: Pick<Mapping, 'target' | 'name'>,
  ): void {
    if (effect !== 'created' || targetId === undefined) return
    if (Object.values(desired ?? {}).includes(targetId)) return
    this.#names.set(`${target}/${targetId}`, `${foreseenId}${sourceId} by ${name})`)
  }

  called(set: string, id: string): string {
    return this.#names.get(`${set}/${id}`) ?? id
  }

  /** The line as people see it. */
  inLine(line: PlanLine, { source, target }: Pick<Mapping, 'source' | 'target'>): PlanLine {
    if (this.#names.size === 0) return line
    const called = (set: string, id: string) => this.called(set, id)
    const { sourceId, targetId, ambiguousTargetIds } = line
    return {
      ...line,
      sourceId: sourceId === null ? null : called(source, sourceId),
      targetId: targetId === null ? null : called(target, targetId),
      ambiguousTargetIds: ambiguousTargetIds.map((id) => called(target, id)),
    }
  }
}

/** What performing a plan leads to. */
export interface Consequences {
  readonly flowsOn: readonly FlowsOn[]
  readonly rehearsed: Rehearsed
  /** How many lines there are of the mappings behind. */
  readonly behind: number
}

/** How many causes are told. */
const told = 5
/** A script may throw a text of any length. */
const longestMessage = 500

interface Observers {
  /** What the mappings behind do with its writes, as they do it. */
  readonly onLine: (line: PlanLine) => void
  readonly onProgress?: ((run: Run) => void) | undefined
}

/** Performs a plan in the rehearsal. */
export async function rehearse(
  { reconciliations, changes, flows, names, takeNotDone }: Rehearsal,
  plan: PlanSource,
  context: RequestContext,
  { onLine, onProgress = () => {} }: Observers,
): Promise<Consequences> {
  const { mapping } = plan.header
  const { mapping: of } = await reconciliations.facts(mapping, {})
  const refused = await refusedIn(plan)
  const behind = new Behind(names, onLine)
  let unexpected = new Statistics()
  using _ = flows.listen((flowed) => behind.take(flowed))
  const overrides = { overrideGuard: true, reason: 'the plan is rehearsed' }
  const { run, done } = await reconciliations.start({ mapping, plan, overrides }, context, {
    onProgress,
    onPage: async () => behind.tell(),
    onEntry(entry, operation, { rules }) {
      names.note(operation, rules.mapping)
      if (entry.refusal !== undefined && !operation.stale && !refused.has(keyOf(entry)))
        unexpected = unexpected.plus([operation])
    },
  })
  await done
  // What goes through a queue is part of it, as far as it can be done at once.
  await changes.idle()
  behind.tell()
  const { problem } = run
  return {
    ...behind.summary(),
    rehearsed: {
      unexpected: unexpected.failures.slice(0, told).map((one) => shownFailure(one, of, names)),
      stale: run.planned?.stale ?? 0,
      notDone: takeNotDone(),
      ...(problem && { broken: problem.message.slice(0, longestMessage) }),
    },
  }
}

/** The lines of a plan that say themselves that they will not be done. */
async function refusedIn(plan: PlanSource): Promise<ReadonlySet<string>> {
  const refused = new Set<string>()
  for (const phase of ['source', 'target'] as const)
    for await (const page of plan.lines(phase))
      for (const line of page) if (line.refusal !== undefined) refused.add(keyOf(line))
  return refused
}

function keyOf({
  phase,
  sourceId,
  targetId,
  linkQualifier,
}: Pick<PlanLine, 'phase' | 'sourceId' | 'targetId' | 'linkQualifier'>): string {
  return JSON.stringify([phase, phase === 'source' ? sourceId : targetId, linkQualifier])
}

interface Tally {
  readonly mapping: Mapping
  readonly lines: LineCounts
  statistics: Statistics
  heldBack: number
}

/** What the mappings behind do, counted while they do it. */
class Behind {
  readonly #tallies = new Map<string, Tally>()
  readonly #onLine: (line: PlanLine) => void
  readonly #names: ForeseenNames
  readonly #untold: Flowed[] = []
  #count = 0

  constructor(names: ForeseenNames, onLine: (line: PlanLine) => void) {
    this.#names = names
    this.#onLine = onLine
  }

  take(flowed: Flowed): void {
    const { mapping, done } = flowed
    // What waits in a queue is told when it is done.
    if (done.length === 0) return
    const tally = this.#tallies.get(mapping.name) ?? {
      ...{ mapping, lines: new LineCounts(mapping.reconciliation.guard), statistics: new Statistics() },
      heldBack: 0,
    }
    tally.statistics = tally.statistics.plus(done)
    tally.heldBack += heldBackOf(done)
    this.#tallies.set(mapping.name, tally)
    this.#untold.push(flowed)
  }

  /** What follows from a page is known before what the page has made is: only then do its objects have their names. */
  tell(): void {
    for (const { mapping, done, targets, sync } of this.#untold.splice(0))
      for (const operation of done) {
        this.#names.note(operation, mapping)
        if (!sync) continue
        const before = targets?.get(operation.sourceId)
        this.#tellOne(mapping, lineAsPlanned(sync, operation, before))
      }
  }

  #tellOne(mapping: Mapping, own: PlanLine): void {
    const line = this.#names.inLine(own, mapping)
    this.#tallies.get(mapping.name)?.lines.add(line)
    this.#count++
    this.#onLine(line)
  }

  summary(): Pick<Consequences, 'flowsOn' | 'behind'> {
    const flowsOn = [...this.#tallies.values()].map(({ mapping, lines, statistics, heldBack }): FlowsOn => {
      const { failures, failed, processed } = statistics
      const decided: DecidedFlow = {
        ...{ counts: lines.counts, writes: lines.writes, failed },
        ...(heldBack > 0 && { heldBack }),
        failures: failures.slice(0, told).map((one) => shownFailure(one, mapping, this.#names)),
      }
      const { name, target, changes } = mapping
      return {
        ...{ mapping: name, target, changes: processed.source },
        ...(changes.queue && { queued: true }),
        decided,
      }
    })
    return { flowsOn, behind: this.#count }
  }
}

/** As a plan would have it: decided from a target that is as it was, and has the id that it had. */
function lineAsPlanned(sync: Synchronization, operation: Applied, target: Resource | undefined): PlanLine {
  const { mapping } = sync.rules
  const entry = planEntry(mapping, operation, sync.targets.isSecret)
  const targetId = operation.action === 'CREATE' ? entry.targetId : (target?._id ?? entry.targetId)
  return lineOf(sync, { ...operation, target }, { ...entry, targetId })
}

function shownFailure(
  { count, message, example: { sourceId, targetId } }: Failures,
  { source, target }: Pick<Mapping, 'source' | 'target'>,
  names: ForeseenNames,
): FlowFailure {
  const ofTarget = targetId === undefined ? null : names.called(target, targetId)
  const example = sourceId === undefined ? ofTarget : names.called(source, sourceId)
  return { count, message: message.slice(0, longestMessage), example }
}
