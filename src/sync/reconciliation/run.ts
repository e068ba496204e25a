import type { JsonObject } from '../../model/json.ts'
import type { IncompleteListing, Listing } from '../../model/listing.ts'
import { asProblem, type Problem } from '../../model/problem.ts'
import type { RunRecord } from '../../repository/runs.ts'
import type { Resource } from '../../router/resources.ts'
import { type Flowed, heldBackOf } from '../changes/run-flows.ts'
import { Durations } from '../page/durations.ts'
import { type Failures, Statistics } from './statistics.ts'

/**
 * A reconciliation run and its states (engine §7.3):
 *
 *     INITIALIZED → QUERY_ENTRIES → RECONCILING_SOURCE → RECONCILING_TARGET → LINK_CLEANUP
 *                         │                  │                   │                │
 *                         └──────────────────┴── CANCELING ──────┴────────────────┴→ PROCESSING_RESULTS → COMPLETED_*
 *
 * A completed stage never changes.
 */
const stages = {
  ACTIVE_INITIALIZED: 'initialized',
  ACTIVE_QUERY_ENTRIES: 'querying sets of entries to reconcile',
  ACTIVE_RECONCILING_SOURCE: 'reconciling source entries',
  ACTIVE_RECONCILING_TARGET: 'reconciling target entries',
  ACTIVE_LINK_CLEANUP: 'link clean-up',
  ACTIVE_PROCESSING_RESULTS: 'processing reconciling results',
  ACTIVE_CANCELING: 'aborting reconciling',
  COMPLETED_SUCCESS: 'reconciliation completed.',
  COMPLETED_CANCELED: 'reconciliation aborted.',
  COMPLETED_FAILED: 'reconciliation failed',
} as const

type Stage = keyof typeof stages
type State = RunRecord['state']

const stateOf = {
  COMPLETED_SUCCESS: 'SUCCESS',
  COMPLETED_CANCELED: 'CANCELED',
  COMPLETED_FAILED: 'FAILED',
} as const satisfies Partial<Record<Stage, State>>

/** What a run came to. `state` knows only whether it went through; objects may have failed meanwhile. */
export type Outcome =
  | 'ACTIVE'
  | 'COMPLETED'
  | 'COMPLETED_WITH_FAILURES'
  /** A side could not be listed as a whole: what is absent from it was left alone. */
  | 'INCOMPLETE'
  | 'FAILED'
  | 'CANCELED'

/** What became of the lines of a plan. */
export interface PlanOutcome {
  performed: number
  failed: number
  /** Left out, because they did not hold any more. */
  stale: number
  /** Nothing was left to do for them. */
  done: number
  /** There was nothing to do for them when the plan was made, and there is nothing now. */
  unchanged: number
}

/** What the writes of a run came to in one mapping behind its target. */
export interface FlowedOn {
  readonly mapping: string
  readonly target: string
  readonly statistics: Statistics
  /** How many changes it has put into the queue of the mapping. */
  readonly queued: number
  /** How many the guard of the mapping holds back. */
  readonly heldBack: number
}

/** What a run is for. `analysis`: a dry run over REST, of which no plan is kept. */
export type RunKind = 'recon' | 'reconById' | 'retry' | 'apply' | 'plan' | 'analysis'

type RunFacts = Pick<
  Run,
  'id' | 'mapping' | 'analysis' | 'kind' | 'trigger' | 'startedBy' | 'worker' | 'keeps'
>

export class Run {
  readonly id: string
  readonly mapping: string
  readonly analysis: boolean
  readonly kind: RunKind
  readonly trigger: 'cli' | 'rest' | 'schedule' | 'script'
  /** The user who started it. */
  readonly startedBy: string
  /** The lease of the process that works on it. */
  readonly worker: string
  /** What else the store keeps of the run, e.g. associations; not part of the run object. */
  readonly keeps: JsonObject | undefined
  readonly durations = new Durations()
  /** Only of a run that performs a plan. */
  planned: PlanOutcome | undefined
  readonly #parameters: JsonObject
  readonly started = new Date()
  /** The clock may be set while the run lasts: its duration is not taken from it. */
  readonly #began = performance.now()
  readonly #abort = new AbortController()
  readonly signal: AbortSignal = this.#abort.signal
  #stage: Stage = 'ACTIVE_INITIALIZED'
  #ended: Date | undefined
  #duration: number | undefined
  #problem: Problem | undefined
  /** Of the pages that are certain to stay. */
  statistics = new Statistics()
  #closed = false
  /** By mapping, in the order in which they were first told. */
  readonly #flows = new Map<string, FlowedOn>()
  readonly #listings = new Map<'source' | 'target', IncompleteListing>()

  constructor(facts: RunFacts, parameters: JsonObject) {
    const { id, mapping, analysis, kind, trigger, startedBy, worker, keeps } = facts
    this.id = id
    this.mapping = mapping
    this.analysis = analysis
    this.kind = kind
    this.trigger = trigger
    this.startedBy = startedBy
    this.worker = worker
    this.#parameters = parameters
    this.keeps = keeps
  }

  get stage(): Stage {
    return this.#stage
  }

  get state(): State {
    return stateOf[this.#stage as keyof typeof stateOf] ?? 'ACTIVE'
  }

  get outcome(): Outcome {
    if (this.state !== 'SUCCESS') return this.state
    if (this.#listings.size > 0) return 'INCOMPLETE'
    return this.failed > 0 ? 'COMPLETED_WITH_FAILURES' : 'COMPLETED'
  }

  /** How many operations failed, those of the mappings behind included. */
  get failed(): number {
    return this.flows.reduce((sum, { statistics: { failed } }) => sum + failed, this.statistics.failed)
  }

  /** What its writes came to in the mappings behind its target. */
  get flows(): readonly FlowedOn[] {
    return [...this.#flows.values()]
  }

  /** Some of its writes went through a mapping behind. */
  flowed({ mapping: { name, target }, done, queued = 0 }: Flowed): void {
    const before = this.#flows.get(name) ?? { statistics: new Statistics(), queued: 0, heldBack: 0 }
    this.#flows.set(name, {
      ...{ mapping: name, target, statistics: before.statistics.plus(done) },
      queued: before.queued + queued,
      heldBack: before.heldBack + heldBackOf(done),
    })
  }

  get ended(): Date | undefined {
    return this.#ended
  }

  /** In ms, until now if it is active. */
  get duration(): number {
    return Math.round(this.#duration ?? performance.now() - this.#began)
  }

  /** What ended a failed run. */
  get problem(): Problem | undefined {
    return this.#problem
  }

  enter(stage: Stage): void {
    if (this.state !== 'ACTIVE' || (this.#stage === 'ACTIVE_CANCELING' && stage.startsWith('ACTIVE_'))) return
    this.#stage = stage
    if (this.state !== 'ACTIVE') this.#end()
  }

  /** Cooperative: checked before each page and after each query; what runs, finishes. */
  cancel(): void {
    if (this.state !== 'ACTIVE') return
    this.#stage = 'ACTIVE_CANCELING'
    this.#abort.abort()
  }

  /** The first failure counts. Until the run is closed it may fail: a summary that cannot be written is a failure. */
  fail(error: unknown): void {
    if (this.#closed || this.#problem) return
    this.#problem = asProblem(error)
    this.#stage = 'COMPLETED_FAILED'
    this.#end()
  }

  #end(): void {
    this.#ended = new Date()
    this.#duration = performance.now() - this.#began
  }

  /** What was listed: told where it is not complete. */
  heed(side: 'source' | 'target', listing: Listing): void {
    if (listing.state !== 'complete') this.#listings.set(side, listing)
  }

  /** Listings that are not complete. */
  get listings(): ReadonlyMap<'source' | 'target', IncompleteListing> {
    return this.#listings
  }

  /** From now on nothing about the run changes. */
  close(): void {
    this.#closed = true
  }

  /**
   * As it is stored, with these counts: the run object, what is kept besides it, and, while it is active, the lease of its
   * process.
   */
  record(statistics = this.statistics): RunRecord {
    const { id, mapping, analysis, state, started, keeps, worker } = this
    const content = {
      ...this.#with(statistics),
      ...(keeps && { keeps }),
      ...(state === 'ACTIVE' && { worker }),
    }
    return { id, mapping, analysis, state, started: started.toISOString(), content }
  }

  /** engine §7.7; `failure` says why a failed run ended. */
  toJSON(): Resource {
    return this.#with(this.statistics)
  }

  #with({ progress, situationSummary, status, unreadable, failures }: Statistics): Resource {
    const problem = this.#problem
    return {
      _id: this.id,
      mapping: this.mapping,
      ...{ kind: this.kind, trigger: this.trigger, startedBy: this.startedBy },
      state: this.state,
      outcome: this.outcome,
      stage: this.#stage,
      stageDescription: stages[this.#stage],
      progress,
      situationSummary: { ...situationSummary },
      statusSummary: { ...status },
      durationSummary: this.durations.toJSON(),
      parameters: this.#parameters,
      started: this.started.toISOString(),
      ended: this.#ended?.toISOString() ?? '',
      duration: this.duration,
      sourceProcessedByNode: {},
      ...(unreadable.count > 0 && {
        unreadable: { count: unreadable.count, messages: [...unreadable.messages] },
      }),
      ...(this.#listings.size > 0 && {
        listings: Object.fromEntries([...this.#listings].map(([side, listing]) => [side, { ...listing }])),
      }),
      ...(this.#flows.size > 0 && { flows: this.flows.map(shownFlow) }),
      ...(this.planned ? { plan: { ...this.planned } } : {}),
      ...(failures.length > 0 && { failures: failures.map(shownFailures) }),
      ...(problem ? { failure: failureOf(problem) } : {}),
    }
  }
}

function shownFlow({ mapping, target, statistics, queued, heldBack }: FlowedOn): JsonObject {
  const { failures, failed, processed, written, situationSummary } = statistics
  const { created, updated, deleted } = written
  return {
    ...{ mapping, target, changes: processed.source, created, updated, deleted, failed },
    ...(queued > 0 && { queued }),
    ...(heldBack > 0 && { heldBack }),
    situationSummary: Object.fromEntries(Object.entries(situationSummary).filter(([, count]) => count > 0)),
    ...(failures.length > 0 && { failures: failures.map(shownFailures) }),
  }
}

function shownFailures({ example, ...failures }: Failures): JsonObject {
  const { phase, sourceId = null, targetId = null } = example
  return { ...failures, example: { phase, sourceId, targetId } }
}

/** Why a run ended. `problem` is the code of docs/problems.md. */
export function failureOf({ status, code, message, hint }: Problem): JsonObject {
  return { code: status, problem: code, message, hint }
}
