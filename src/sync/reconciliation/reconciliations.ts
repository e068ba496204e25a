import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { mappingsBehind } from '../../plan/flows-on.ts'
import type { Events } from '../../repository/events.ts'
import type { Lease } from '../../repository/locks.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'
import { linkedTargets } from '../page/counted.ts'
import type { Rules } from '../page/rules.ts'
import type { SyncServices } from '../services.ts'
import { refuseImpossibleCleanUp } from './link-cleanup.ts'
import { reconcile } from './reconcile.ts'
import type { RunObservers } from './reconciliation.ts'
import { recover } from './recover.ts'
import {
  parametersOf,
  type ReconciliationRequest,
  releasesOf,
  requireSameConfiguration,
  settingsFor,
} from './request.ts'
import { requireRunOf } from './retry.ts'
import { Run } from './run.ts'
import { acquireRunLock } from './run-lock.ts'
import { type StoredRuns, storedRuns } from './stored-runs.ts'

interface ReconciliationOptions extends SyncServices {
  /** Says which run is to end, and hears how far runs have come. */
  readonly events: Events
  /** Rules of a mapping that comes with the request; the run disposes of them. BAD_REQUEST for a wrong one. */
  readonly inlineRules: (mapping: JsonObject) => Promise<Rules>
  /** Keeps what a run works with from being configured otherwise, until it is disposed of. */
  readonly markInUse?: (request: Pick<ReconciliationRequest, 'mapping' | 'inline'>) => Promise<Disposable>
}

/** A started run and its end; `done` never rejects. */
interface StartedRun {
  readonly run: Run
  readonly done: Promise<void>
}

/** At most this many runs execute at once; further ones wait in ACTIVE_INITIALIZED (engine §7.2). */
const atOnce = 10

function factsOf(request: ReconciliationRequest, { mapping: { source, target } }: Rules) {
  return {
    mapping: request.mapping,
    kind: kindOf(request),
    analysis: request.analyze === true,
    keeps: request.persistAssociations ? { associations: true, source, target } : undefined,
  }
}

function kindOf({ plan, retry, analyze, foreseeHooks, sourceId }: ReconciliationRequest): Run['kind'] {
  if (plan) return 'apply'
  if (analyze) return foreseeHooks ? 'plan' : 'analysis'
  if (retry) return 'retry'
  return sourceId === undefined ? 'recon' : 'reconById'
}

/** By what a run was started, and by whom. */
function startOf({ trigger, external, userId }: RequestContext): Pick<Run, 'trigger' | 'startedBy'> {
  return { trigger: trigger ?? (external ? 'rest' : 'script'), startedBy: userId }
}

/** The runs of this process: starts, follows, cancels and remembers them. */
export class Reconciliations {
  readonly #options: ReconciliationOptions
  readonly #active = new Map<string, StartedRun>()
  readonly #waiting: (() => void)[] = []
  readonly #stored: StoredRuns
  readonly #canceling: Disposable
  #executing = 0
  #closing = false

  constructor(options: ReconciliationOptions) {
    this.#options = options
    this.#stored = storedRuns(options.repository, options.locks)
    this.#canceling = options.events.subscribe(['cancel'], ({ run }) => this.#active.get(run)?.run.cancel())
  }

  /**
   * CONFLICT while a run with the same link type is active (engine §7.2, [D]), `reconById` excepted. UNAVAILABLE while
   * closing.
   */
  async start(
    request: ReconciliationRequest,
    context: RequestContext,
    observers: RunObservers = {},
  ): Promise<StartedRun> {
    if (this.#closing) throw new Problem('UNAVAILABLE', 'the server is closing: no run can be started')
    await using held = new AsyncDisposableStack()
    if (this.#options.markInUse) held.use(await this.#options.markInUse(request))
    const rules = request.inline
      ? held.use(await this.#options.inlineRules(request.inline))
      : await this.#options.rulesOf(request.mapping)
    const { plan } = request
    if (plan) requireSameConfiguration(plan, rules)
    const { retry } = request
    if (retry) await requireRunOf(this.#options.repository.audit, retry, request.mapping)
    const overrides = { ...plan?.header.request.overrides, ...request.overrides }
    const sourceId = request.sourceId ?? plan?.header.request.sourceId
    const settings = settingsFor(rules.mapping, overrides, sourceId)
    refuseImpossibleCleanUp(rules.mapping, settings, { ...request, sourceId })
    const { repository, resources, locks, runSets, events, during, log } = this.#options
    const id = timeOrderedId()
    const own = await locks.ownLease()
    const leases = [own]
    if (isExclusive(request)) {
      const lock = await acquireRunLock(locks, rules.mapping.links.type, id)
      held.defer(() => lock.release())
      leases.push(lock)
    }
    await this.#stored.closeDead(this.isActive, log)
    const facts = { ...factsOf({ ...request, sourceId }, rules), ...startOf(context), id, worker: own.name }
    const releases = releasesOf(rules.mapping.reconciliation, overrides)
    const run = new Run(facts, parametersOf(settings, { sourceId, retry }, releases))
    if (!run.analysis) held.use(this.#options.flows.listen((flowed) => run.flowed(flowed), id))
    const work = () =>
      reconcile({
        ...{ ...request, ...observers, repository, locks, runSets, log },
        ...{ run, rules, settings, sourceId, leases, override: releases.reason },
        resources: resources(),
        isActive: this.isActive,
        request: { ...context, external: false, transactionId: id },
        onProgress: () => {
          observers.onProgress?.(run)
          events.publish({ topic: 'progress', run: id })
        },
      })
    const untilDone = held.move()
    const done = during(() => this.#inTurn(() => whileHeld(leases, run, work)))
      .finally(() => untilDone.disposeAsync())
      .then(
        () => this.#ended(run, settings.storedRuns, context),
        (error) => {
          run.fail(error)
          log('error', `${run.mapping}: run ${id} broke off: ${asProblem(error).message}`)
        },
      )
      .finally(() => this.#forget(id))
    this.#active.set(id, { run, done })
    return { run, done }
  }

  #forget(id: string): void {
    this.#active.delete(id)
    this.#options.events.publish({ topic: 'progress', run: id })
  }

  /** Under which rules, settings and limits a run of the mapping would be. */
  async facts(mapping: string, overrides: JsonObject) {
    const { mapping: compiled, digest } = await this.#options.rulesOf(mapping)
    const linked = await linkedTargets(compiled, this.#options.repository.links)
    const behind = mappingsBehind(compiled, this.#options.mappings())
    const { scriptsAfterWrites = [] } = this.#options.resources().objectSet(compiled.target)
    const settings = settingsFor(compiled, overrides)
    return { digest, settings, linked, behind, mapping: compiled, scriptsAfterWrites }
  }

  /** Resolves what earlier processes left undone, so that it does not have to wait for the next run of its mapping. */
  async recover(linkTypes: Iterable<string>): Promise<void> {
    const { repository, resources, log } = this.#options
    await this.#stored.closeDead(this.isActive, log)
    const recovery = { repository, resources: resources(), isActive: this.isActive, log }
    for (const linkType of new Set(linkTypes)) {
      await recover(recovery, linkType).catch((cause) =>
        log('warn', `${linkType}: what a run left undone cannot be resolved yet: ${cause.message}`),
      )
    }
  }

  get activeCount(): number {
    return this.#active.size
  }

  /** True for runs and single operations that some process works on; `worker` is the lease of the process that began it. */
  readonly isActive = async (runId: string, worker: string): Promise<boolean> => {
    if (this.#active.has(runId) || this.#options.activeOperations.has(runId)) return true
    return (await this.#stored.elsewhere(worker)) !== undefined
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
    // A caller inside this process, such as the command line, has the run and says so itself.
    if (run.problem && external)
      this.#options.log('error', `${run.mapping}: run ${run.id} failed: ${run.problem.message}`)
    await this.#stored
      .purge(run, run.analysis ? keep.analysis : keep.others)
      .catch((cause) =>
        this.#options.log('warn', `old runs of ${run.mapping} could not be purged: ${cause.message}`),
      )
  }

  /** The live run if it is active, else the stored one; NOT_FOUND otherwise. */
  async read(id: string): Promise<Resource> {
    return this.#active.get(id)?.run.toJSON() ?? this.#stored.read(id)
  }

  /** Oldest first. */
  async list(): Promise<Resource[]> {
    const stored = await this.#stored.list()
    const ids = new Set(stored.map(({ _id }) => _id))
    const unstored = [...this.#active.values()].filter(({ run }) => !ids.has(run.id))
    return [
      ...stored.map((run) => this.#active.get(run._id)?.run.toJSON() ?? run),
      ...unstored.map(({ run }) => run.toJSON()),
    ]
  }

  /** NOT_FOUND if there is no such run, CONFLICT if another process has it; one that has ended stays as it is. */
  async cancel(id: string): Promise<void> {
    const live = this.#active.get(id)?.run
    if (live) return live.cancel()
    await this.#stored.refuseElsewhere(id)
    await this.#stored.read(id)
  }

  async delete(id: string, context: RequestContext): Promise<Resource> {
    if (this.#active.has(id)) throw new Problem('CONFLICT', `run ${id} is active: cancel it first`)
    await this.#stored.refuseElsewhere(id)
    return this.#stored.delete(id, context)
  }

  /** True as soon as it is being closed. */
  get closing(): boolean {
    return this.#closing
  }

  /** Cancels what is active and waits for it: the server is closing. */
  async close(): Promise<void> {
    this.#closing = true
    const active = [...this.#active.values()]
    for (const { run } of active) run.cancel()
    await Promise.all(active.map(({ done }) => done))
    this.#canceling[Symbol.dispose]()
  }
}

/** A run whose leases are lost goes on somewhere else, or will: here it ends, as FAILED. */
async function whileHeld(leases: readonly Lease[], run: Run, work: () => Promise<void>): Promise<void> {
  const signals = leases.map(({ lost }) => lost)
  const stop = ({ target }: Event) => {
    run.cancel()
    if (target instanceof AbortSignal) run.fail(target.reason)
  }
  for (const signal of signals) signal.addEventListener('abort', stop)
  try {
    await work()
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', stop)
  }
}

/** A whole run that writes; `reconById` and dry runs go beside it. */
function isExclusive({ sourceId, analyze, plan }: ReconciliationRequest): boolean {
  return (sourceId === undefined || plan !== undefined) && !analyze
}
