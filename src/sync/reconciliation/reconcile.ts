import type { Hook, Mapping } from '../../mapping/mapping.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { PlanEntry } from '../../plan/entry.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import type { ObjectSet, RequestContext, Resources } from '../../router/resources.ts'
import type { ScriptContext } from '../../scripts/engine.ts'
import { applyPage } from '../apply/apply.ts'
import { type Correlator, correlator } from '../correlate.ts'
import { decideSources } from '../decide-sources.ts'
import { decideTargets } from '../decide-targets.ts'
import { mappingLinks } from '../links.ts'
import { goesOn, type Operation, planEntry, sourceOperation } from '../operation.ts'
import { type SourceRecord, sourcePages } from '../read.ts'
import type { Rules } from '../rules.ts'
import type { Synchronization } from '../synchronization.ts'
import { TargetIds } from '../target-ids.ts'
import { type Recording, recordFrame, recordPage } from './record.ts'
import type { Run } from './run.ts'

/** One run, fully specified: the mapping's own settings with this run's overrides applied. */
export interface Reconciliation {
  readonly run: Run
  readonly rules: Rules
  readonly settings: Mapping['reconciliation']
  /** The one source id of a `reconById`; undefined for a whole run. */
  readonly sourceId: string | undefined
  readonly associations: boolean
  /** In a dry run, let `onCreate` and `onUpdate` shape the target without writing. */
  readonly foreseeHooks: boolean
  readonly resources: Resources
  readonly repository: Repository
  readonly request: RequestContext
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Sees every decided operation; a plan is made of these. */
  readonly onEntry?: ((entry: PlanEntry) => void) | undefined
  readonly onProgress?: (() => void) | undefined
}

/**
 * Carries out a run (engine specification §7.3): `onRecon` → start → source query → empty guard → target query →
 * source phase → target phase → `result` → summary. A dry run takes the same way without the writers. Never
 * throws: what ends a run is in the run.
 */
export async function reconcile(reconciliation: Reconciliation): Promise<void> {
  const { run, repository } = reconciliation
  const recording = recordingOf(reconciliation)
  const reconAction = reconciliation.sourceId === undefined ? 'recon' : 'reconById'
  try {
    await phases(reconciliation, recording, reconAction)
  } catch (error) {
    // What a cancelled read or write throws is the cancelling itself.
    if (!run.signal.aborted) run.fail(error)
  }
  try {
    if (!(run.problem instanceof EmptySource)) await runResult(reconciliation)
    run.enter(run.signal.aborted ? 'COMPLETED_CANCELED' : 'COMPLETED_SUCCESS')
  } catch (error) {
    run.fail(error)
  }
  try {
    await repository.transaction((store) => recordFrame(recording, 'summary', reconAction, store))
  } catch (error) {
    run.fail(error)
  }
  run.close()
}

/** The empty-source guard: ends the run without its `result` script (§7.5). */
class EmptySource extends Problem {
  constructor(mapping: string, source: string) {
    super(
      'EMPTY_SOURCE',
      `${mapping}: the source query on ${source} returned nothing, and allowEmptySourceSet is not true`,
    )
  }
}

function recordingOf({ run, rules, request, associations }: Reconciliation): Recording {
  return { run, mapping: rules.mapping, userId: request.userId, associations }
}

async function phases(
  reconciliation: Reconciliation,
  recording: Recording,
  reconAction: string,
): Promise<void> {
  const { run, repository, settings, sourceId } = reconciliation
  await runWholeRunHook(reconciliation, 'onRecon', {})
  await repository.transaction((store) => recordFrame(recording, 'start', reconAction, store))
  run.enter('ACTIVE_QUERY_ENTRIES')
  const targetPhase = settings.runTargetPhase ?? sourceId === undefined
  const sources = await openSources(reconciliation)
  const sync = await openSynchronization(reconciliation, targetPhase)
  run.enter('ACTIVE_RECONCILING_SOURCE')
  await run.durations.time('sourcePhase', () => sourcePhase(reconciliation, sync, sources, recording))
  run.statistics.totals.source ??= run.statistics.processed.source
  if (!targetPhase || run.signal.aborted) return
  run.enter('ACTIVE_RECONCILING_TARGET')
  await run.durations.time('targetPhase', () => targetPhaseOf(reconciliation, sync, recording))
}

/** Starts the source query and checks that its first page has something in it, before anything else is read. */
async function openSources(reconciliation: Reconciliation): Promise<AsyncIterable<readonly SourceRecord[]>> {
  const { rules, settings, sourceId, run, resources } = reconciliation
  const pages =
    sourceId === undefined ? queriedSources(reconciliation) : singleSource(reconciliation, sourceId)
  const iterator = pages[Symbol.asyncIterator]()
  const first = await run.durations.time('sourceQuery', () => iterator.next())
  const empty = first.done || first.value.length === 0
  if (empty && !settings.allowEmptySourceSet) throw new EmptySource(rules.mapping.name, rules.mapping.source)
  const { filter } = settings.sourceQuery
  if (sourceId === undefined && filter.kind === 'literal' && filter.value) {
    run.statistics.totals.source = await resources.objectSet(settings.sourceQuery.resourceName).count?.()
  }
  return (async function* () {
    if (!first.done) yield first.value
    yield* { [Symbol.asyncIterator]: () => iterator }
  })()
}

function queriedSources({
  rules,
  settings,
  run,
  resources,
  log,
}: Reconciliation): AsyncIterable<readonly SourceRecord[]> {
  const { mapping } = rules
  const { resourceName } = settings.sourceQuery
  const set = resources.objectSet(mapping.source)
  return sourcePages({
    set,
    queried: resourceName === mapping.source ? set : resources.objectSet(resourceName),
    query: settings.sourceQuery,
    fullEntry: settings.sourceQueryFullEntry,
    pageSize: settings.pageSize,
    signal: run.signal,
    onDuplicate: (id) =>
      log('warn', `${mapping.name}: the source query returned ${id} more than once; it is worked once`),
  })
}

/** §7.6: an absent source is an empty source set, or, where that is allowed, a deleted source object. */
async function* singleSource(
  { rules, settings, run, resources }: Reconciliation,
  id: string,
): AsyncIterable<readonly SourceRecord[]> {
  const found = await resources.objectSet(rules.mapping.source).readMany([id], run.signal)
  const object = found.get(id)
  if (object) yield [{ id: object._id, object }]
  else if (settings.allowEmptySourceSet) yield [{ id, object: undefined }]
}

async function openSynchronization(
  reconciliation: Reconciliation,
  targetPhase: boolean,
): Promise<Synchronization> {
  const { run, rules, resources, repository, sourceId } = reconciliation
  const { mapping } = rules
  const links = mappingLinks(repository.links, mapping.links)
  const targets = resources.objectSet(mapping.target)
  const targetIds = targetPhase
    ? await run.durations.time('targetQuery', () => readTargetIds(reconciliation, links.normalTarget))
    : undefined
  run.statistics.totals.target = targetIds?.size
  run.statistics.totals.links = mapping.links.enabled ? await repository.links.count(mapping.links.type) : 0
  const scripts = scriptContext(reconciliation)
  const shared = { rules, resources, targets, links, scripts, signal: run.signal }
  return {
    ...shared,
    sources: resources.objectSet(mapping.source),
    repository,
    correlator: correlator({
      ...shared,
      mayReadAll: sourceId === undefined,
      skip: () =>
        targetIds?.size === 0 && !mapping.correlateEmptyTargetSet && run.statistics.written.created === 0,
    }),
    runId: run.id,
    targetIds,
    dryRun: run.analysis,
    hooks: run.analysis ? (reconciliation.foreseeHooks ? 'foresee' : 'skip') : 'run',
  }
}

async function readTargetIds(
  { resources, settings, run }: Reconciliation,
  normal: (id: string) => string,
): Promise<TargetIds> {
  const ids = new TargetIds(normal)
  const { resourceName, filter, parameters } = settings.targetQuery
  const set: ObjectSet = resources.objectSet(resourceName)
  for await (const page of set.pages({ filter, fields: [['_id']], pageSize: 5000, parameters }, run.signal)) {
    for (const { _id } of page) ids.add(_id)
  }
  return ids
}

async function sourcePhase(
  reconciliation: Reconciliation,
  sync: Synchronization,
  pages: AsyncIterable<readonly SourceRecord[]>,
  recording: Recording,
): Promise<void> {
  const { run } = reconciliation
  for await (const page of pages) {
    for (const part of partsOf(page, sync.rules.oneByOne ? 1 : page.length)) {
      if (run.signal.aborted) return
      await workThrough(reconciliation, sync, await openOperations(sync, part), recording)
    }
  }
}

/**
 * Decides and applies operations in order, as many together as do not depend on each other. Where one has to wait, fewer
 * are taken the next time, so that a page full of conflicts is not decided anew for each of them.
 */
async function workThrough(
  reconciliation: Reconciliation,
  sync: Synchronization,
  operations: readonly Operation[],
  recording: Recording,
): Promise<void> {
  let waiting = operations
  let together = operations.length
  while (waiting.length > 0) {
    const decided = await decideSources(sync, waiting.slice(0, together))
    await finish(reconciliation, sync, decided.operations, recording)
    waiting = [...decided.heldBack, ...waiting.slice(together)]
    together = 2 * Math.max(1, decided.heldBack.length > 0 ? decided.operations.length : together)
  }
}

/** One operation an object and qualifier. */
async function openOperations(
  sync: Synchronization,
  page: readonly SourceRecord[],
): Promise<readonly Operation[]> {
  const { qualifiers } = sync.rules.mapping
  if (qualifiers.kind === 'fixed') {
    return page.flatMap(({ id, object }) => qualifiers.names.map((name) => sourceOperation(id, object, name)))
  }
  const inputs = page.map(({ object }) => ({ object: object ?? null, oldValue: null, returnAll: false }))
  const outcomes = await sync.rules.ask('qualifiers', inputs, sync.scripts)
  return page.flatMap(({ id, object }, position) =>
    namesIn(outcomes[position]).map((name) => sourceOperation(id, object, name)),
  )
}

/** A failing linkQualifiers script ends the run (§7.3). */
function namesIn(
  outcome: { ok: boolean; value?: Json | undefined; error?: Problem } | undefined,
): readonly string[] {
  if (!outcome?.ok) throw outcome?.error ?? new Problem('INTERNAL', 'no link qualifiers')
  return outcome.value as string[]
}

async function targetPhaseOf(
  reconciliation: Reconciliation,
  sync: Synchronization,
  recording: Recording,
): Promise<void> {
  const { run, settings } = reconciliation
  const names = await allQualifiers(sync)
  for (const page of sync.targetIds?.remaining(settings.pageSize) ?? []) {
    for (const part of partsOf(page, sync.rules.oneByOne ? 1 : page.length)) {
      if (run.signal.aborted) return
      await finish(reconciliation, sync, await decideTargets(sync, part, names), recording)
    }
  }
}

async function allQualifiers(sync: Synchronization): Promise<readonly string[]> {
  const { qualifiers } = sync.rules.mapping
  if (qualifiers.kind === 'fixed') return qualifiers.names
  const [outcome] = await sync.rules.ask(
    'qualifiers',
    [{ object: null, oldValue: null, returnAll: true }],
    sync.scripts,
  )
  return namesIn(outcome)
}

/** Applies and records decided operations, whatever came of them. */
async function finish(
  { onEntry, onProgress, run }: Reconciliation,
  sync: Synchronization,
  operations: readonly Operation[],
  recording: Recording,
): Promise<void> {
  await applyPage(sync, operations, (done: readonly Operation[], store: Store) =>
    recordPage(recording, done, store),
  )
  for (const operation of operations) {
    if (operation.phase === 'source') markHandled(sync.targetIds, operation)
    if (sync.dryRun) foresee(sync.correlator, run, operation)
    onEntry?.(planEntry(sync.rules.mapping, operation))
  }
  onProgress?.()
}

/** The bound target, or all ambiguous ones, whatever the action was and even if it failed (§7.3). */
function markHandled(targetIds: TargetIds | undefined, { targetId, candidates }: Operation): void {
  if (!targetIds) return
  if (targetId !== undefined) targetIds.handled(targetId)
  for (const { id } of candidates) targetIds.handled(id)
}

/** In a dry run later objects meet what earlier ones would have written, as far as correlation can tell. */
function foresee(correlator: Correlator, run: Run, operation: Operation): void {
  const { action, desired, target, targetId, link, linkQualifier } = operation
  if (!goesOn(operation)) return
  if (action === 'CREATE' && desired) {
    const id = `(new target of ${operation.sourceId} in ${run.id})`
    correlator.wrote(id, undefined, desired)
    correlator.planned(linkQualifier, id, true)
  } else if (action === 'UPDATE' || action === 'LINK') {
    if (targetId !== undefined) correlator.planned(linkQualifier, targetId, true)
    if (desired && target) correlator.wrote(target._id, target, desired)
  } else if (action === 'DELETE' || action === 'UNLINK') {
    if (link && targetId !== undefined) correlator.planned(linkQualifier, targetId, false)
    if (action === 'DELETE' && target) correlator.wrote(target._id, target, undefined)
  }
}

function scriptContext({ request, run }: Reconciliation): ScriptContext {
  return {
    request: { ...request, readOnly: run.analysis },
    extra: { trigger: { triggerSource: 'recon' }, recon: { _id: run.id, mapping: run.mapping } },
  }
}

/** Runs on success, failure and cancel alike (§7.8). */
async function runResult(reconciliation: Reconciliation): Promise<void> {
  const { run } = reconciliation
  run.enter('ACTIVE_PROCESSING_RESULTS')
  const end = new Date()
  const duration = end.getTime() - run.started.getTime()
  const times = {
    startTime: run.started.toISOString(),
    endTime: end.toISOString(),
    duration,
    entryListDuration: 0,
  }
  await runWholeRunHook(reconciliation, 'result', {
    source: { name: reconciliation.rules.mapping.source, ...times, ...run.statistics.phase('source') },
    target: { name: reconciliation.rules.mapping.target, ...times, ...run.statistics.phase('target') },
    global: {
      startTime: times.startTime,
      endTime: times.endTime,
      duration,
      reconId: run.id,
      mappingName: run.mapping,
    },
    reconState: run.toJSON(),
  })
}

/** `onRecon` and `result`: once a run, never in a dry run; a failure ends the run. */
async function runWholeRunHook(
  reconciliation: Reconciliation,
  hook: Hook,
  variables: JsonObject,
): Promise<void> {
  const { rules, run } = reconciliation
  const script = rules.mapping.hooks[hook]
  if (script === undefined || run.analysis) return
  const [outcome] = await rules.ask('runHook', [{ script, variables }], scriptContext(reconciliation))
  if (!outcome?.ok) throw outcome?.error ?? new Problem('INTERNAL', `${hook} did not run`)
}

function* partsOf<T>(page: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < page.length; start += size) yield page.slice(start, start + size)
}
