import { v7 as timeOrderedId } from 'uuid'
import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { PlanEntry } from '../../plan/entry.ts'
import type { Repository, RunRecord } from '../../repository/repository.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import type { Rules } from '../rules.ts'
import { reconcile } from './reconcile.ts'
import { parametersOf, type ReconciliationRequest, settingsFor } from './request.ts'
import { Run } from './run.ts'
import { acquireRunLock } from './run-lock.ts'

export interface ReconciliationOptions {
  readonly repository: Repository
  readonly resources: () => Resources
  /** Rules of a mapping by name; a Problem if there is no such mapping, or it has errors. */
  readonly rulesOf: (mapping: string) => Promise<Rules>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export interface RunObservers {
  readonly onEntry?: (entry: PlanEntry) => void
  readonly onProgress?: (run: Run) => void
}

/** A started run and its end; `done` never rejects. */
export interface StartedRun {
  readonly run: Run
  readonly done: Promise<void>
}

/** At most this many runs execute at once; further ones wait in ACTIVE_INITIALIZED (engine specification §7.2). */
const atOnce = 10

/** The runs of this process: starts, follows, cancels and remembers them. */
export class Reconciliations {
  readonly #options: ReconciliationOptions
  readonly #active = new Map<string, StartedRun>()
  readonly #waiting: (() => void)[] = []
  #executing = 0

  constructor(options: ReconciliationOptions) {
    this.#options = options
  }

  /** CONFLICT if a run of the mapping, or of one with the same link type, is active ([D]); reconById runs beside. */
  async start(
    request: ReconciliationRequest,
    context: RequestContext,
    observers: RunObservers = {},
  ): Promise<StartedRun> {
    const rules = await this.#options.rulesOf(request.mapping)
    const settings = settingsFor(rules.mapping, request.overrides)
    const { repository, resources, log } = this.#options
    const id = timeOrderedId()
    const lock = isExclusive(request)
      ? await acquireRunLock(repository, rules.mapping.links.type, id)
      : undefined
    const run = new Run({
      id,
      mapping: request.mapping,
      analysis: request.analyze === true,
      parameters: parametersOf(settings, request.sourceId),
    })
    const work = () =>
      reconcile({
        run,
        rules,
        settings,
        sourceId: request.sourceId,
        associations: request.persistAssociations === true,
        foreseeHooks: request.foreseeHooks === true,
        resources: resources(),
        repository,
        request: { ...context, external: false, transactionId: run.id },
        log,
        onEntry: observers.onEntry,
        onProgress: () => observers.onProgress?.(run),
      })
    const done = this.#inTurn(work)
      .finally(() => lock?.release())
      .then(
        () => this.#ended(run, settings.storedRuns, context),
        (error) => this.#broke(run, error),
      )
    this.#active.set(run.id, { run, done })
    return { run, done }
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#executing >= atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#executing++
    try {
      await work()
    } finally {
      this.#executing--
      this.#waiting.shift()?.()
    }
  }

  async #ended(
    run: Run,
    keep: Mapping['reconciliation']['storedRuns'],
    { external }: RequestContext,
  ): Promise<void> {
    this.#active.delete(run.id)
    // Whoever called from inside this process, the command line for one, has the run and says so itself.
    if (run.problem && external)
      this.#options.log('error', `${run.mapping}: run ${run.id} failed: ${run.problem.message}`)
    await this.#purge(run, run.analysis ? keep.analysis : keep.others).catch((cause) =>
      this.#options.log('warn', `old runs of ${run.mapping} could not be purged: ${cause.message}`),
    )
  }

  #broke(run: Run, error: unknown): void {
    this.#active.delete(run.id)
    run.fail(error)
    this.#options.log('error', `${run.mapping}: run ${run.id} broke off: ${asProblem(error).message}`)
  }

  /** Associations beyond what the mapping keeps are deleted (§7.9); run objects are small and stay longer. */
  async #purge({ mapping, analysis }: Run, keep: number): Promise<void> {
    const { runs } = this.#options.repository
    const alike = (await runs.list()).filter((run) => run.mapping === mapping && run.analysis === analysis)
    const newestFirst = alike.toReversed()
    for (const { id } of newestFirst.slice(keep, keptRuns)) await runs.deleteEntries(id)
    for (const { id } of newestFirst.slice(Math.max(keep, keptRuns))) await runs.delete(id)
  }

  /** The live run if it is active, else the stored one; NOT_FOUND otherwise. */
  async read(id: string): Promise<JsonObject> {
    const live = this.#active.get(id)?.run
    if (live) return live.toJSON()
    const stored = await this.#options.repository.runs.read(id)
    if (!stored) throw new Problem('NOT_FOUND', `Reconciliation with id ${id} not found.`)
    return settled(stored)
  }

  /** Oldest first. */
  async list(): Promise<readonly JsonObject[]> {
    const stored = await this.#options.repository.runs.list()
    const known = stored.map((record) => this.#active.get(record.id)?.run.toJSON() ?? settled(record))
    const ids = new Set(stored.map(({ id }) => id))
    return [
      ...known,
      ...[...this.#active.values()].filter(({ run }) => !ids.has(run.id)).map(({ run }) => run.toJSON()),
    ]
  }

  /** NOT_FOUND if there is no such run; a run that has ended stays as it is. */
  async cancel(id: string): Promise<void> {
    const started = this.#active.get(id)
    if (started) started.run.cancel()
    else await this.read(id)
  }

  async delete(id: string): Promise<JsonObject> {
    if (this.#active.has(id)) throw new Problem('CONFLICT', `run ${id} is active: cancel it first`)
    const run = await this.read(id)
    await this.#options.repository.runs.delete(id)
    return run
  }

  /** Cancels what is active and waits for it: the server is closing. */
  async close(): Promise<void> {
    const active = [...this.#active.values()]
    for (const { run } of active) run.cancel()
    await Promise.all(active.map(({ done }) => done))
  }
}

/** How many runs of a mapping `GET recon` can tell of; OpenIDM remembers about as many. */
const keptRuns = 100

/** A whole run that writes; `reconById` and dry runs go beside it. */
function isExclusive({ sourceId, analyze }: ReconciliationRequest): boolean {
  return sourceId === undefined && !analyze
}

/** A stored run that says ACTIVE, but that no process is working on, died with its process. */
function settled({ content, state }: RunRecord): JsonObject {
  if (state !== 'ACTIVE') return content
  return {
    ...content,
    state: 'FAILED',
    stage: 'COMPLETED_FAILED',
    stageDescription: 'reconciliation failed',
    failure: {
      code: 500,
      message: 'the process that worked on this run ended before the run did; run it again',
    },
  }
}
