import { chunks } from '../../../kit/chunks.ts'
import type { Mapping } from '../../../mapping/mapping.ts'
import { equal } from '../../../model/equality.ts'
import { isJsonObject, type JsonObject } from '../../../model/json.ts'
import { getAt } from '../../../model/pointer.ts'
import { asProblem } from '../../../model/problem.ts'
import { requireReadable } from '../../../model/unreadable.ts'
import type { RequestContext, Resource } from '../../../router/resources.ts'
import { applyPage } from '../../page/apply/apply.ts'
import { LostOperations, lostParts } from '../../page/lost-operations.ts'
import { type Applied, type Decided, type ReadSource, readSource } from '../../page/operation.ts'
import { progressKey, withSourceLocks } from '../../page/source-locks.ts'
import type { Synchronization } from '../../page/synchronization.ts'
import { synchronize } from '../../page/synchronize.ts'
import type { SyncServices } from '../../services.ts'
import { openSingle, qualifiersOf } from '../../single/look.ts'
import type { ChangeEvent } from '../change.ts'
import { reportHeldBack } from '../queue/held-back.ts'
import { heldBack, queuedEvent } from '../queue/queued-change.ts'
import { neverDecided } from '../run-flows.ts'
import { failedResult, heldBackBy, skippedResult, syncRecorder, syncResult } from './result.ts'

export interface NotifyOutcome {
  readonly success: boolean
  /** engine §8.2: one a mapping and qualifier, those that were skipped included. */
  readonly results: readonly JsonObject[]
}

/** The result of the mapping that failed; undefined if none did. */
export function failedIn({ results }: Pick<NotifyOutcome, 'results'>): JsonObject | undefined {
  return results.find(({ result }) => result === 'FAILED')
}

/** Why it failed; undefined if it did not. */
export function failureOf(outcome: Pick<NotifyOutcome, 'results'>): JsonObject | undefined {
  const cause = failedIn(outcome)?.cause
  return isJsonObject(cause) ? cause : undefined
}

/** Takes the change through all mappings of its source, in order; never throws for a mapping's failure. */
export type Notify = (event: ChangeEvent, request: RequestContext) => Promise<NotifyOutcome>

/**
 * Takes the change of one object through all mappings of its set and their link qualifiers, in order (engine §8.2), with the
 * steps of a run. After the first failure the rest is skipped.
 */
export function implicitSync(options: SyncServices): Notify {
  return async (event, request) => {
    const change = await whatChanged(options, event)
    const mappings = change ? concerned(options.mappings(), change) : []
    const flow = { event: change ?? event, mappings, readsAfresh: event.readsAfresh === true }
    const [outcome] = await synchronizeChanges(options, [flow], request)
    return outcome ?? { success: true, results: [] }
  }
}

/** A change, and the mappings that it is for, in their order. */
interface Flow {
  readonly event: ChangeEvent
  readonly mappings: readonly Mapping[]
  /** On whose behalf it is recorded; absent: as the others that are synchronized with it. */
  readonly request?: RequestContext
  /** True: the object is read when its turn has come, so that events that come late, twice or in the wrong order do no harm. */
  readonly readsAfresh?: boolean
  /** It is in the queue already: there it stays, if the guard holds it back. */
  readonly queued?: boolean
  /** A person has released it: the guard does not hold it back. */
  readonly released?: boolean
}

/** The results of changes (engine §8.2), one a mapping and qualifier. */
type Results = Map<Flow, JsonObject[]>

/** Takes changes through their mappings, those of one mapping together. The outcomes stand at the places of their changes. */
export async function synchronizeChanges(
  options: SyncServices,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<readonly (NotifyOutcome & { readonly event: ChangeEvent })[]> {
  const results: Results = new Map(flows.map((flow) => [flow, []]))
  for (const mapping of new Set(flows.flatMap(({ mappings }) => mappings))) {
    const due: Flow[] = []
    for (const flow of flows) {
      if (!flow.mappings.includes(mapping)) continue
      if (stopsAt(results, flow, request)) results.get(flow)?.push(...skipped(mapping, flow.event))
      else if (!isPostponed(options, mapping, flow, request)) due.push(flow)
    }
    for (const [flow, own] of await throughMapping(options, mapping, due, request))
      results.get(flow)?.push(...own)
  }
  return flows.map((flow) => ({
    event: flow.event,
    success: !hasFailed(results, flow),
    results: results.get(flow) ?? [],
  }))
}

function hasFailed(results: Results, flow: Flow): boolean {
  return results.get(flow)?.some(({ result }) => result === 'FAILED') === true
}

/** After a failure, but not while a change is undone: each target that has it should lose it. */
function stopsAt(results: Results, flow: Flow, { chain }: RequestContext): boolean {
  return chain?.compensating === undefined && hasFailed(results, flow)
}

/** The mappings that a change is for, in their order. */
export function concerned(mappings: readonly Mapping[], event: ChangeEvent): readonly Mapping[] {
  return mappings.filter(
    (mapping) => mapping.source === event.container && mapping.changes.enabled && triggers(mapping, event),
  )
}

/** `triggerSyncProperties`: creates and deletes always count, and so does an update of which nothing older is known. */
function triggers(
  { changes: { properties } }: Mapping,
  { action, oldValue, newValue }: ChangeEvent,
): boolean {
  if (action !== 'notifyUpdate' || !properties || !oldValue || !newValue) return true
  return properties.some(
    (pointer) => !equal(getAt(oldValue, pointer) ?? null, getAt(newValue, pointer) ?? null),
  )
}

/** Undefined for an update that changes nothing. An update without a new value reads it. */
async function whatChanged(
  { resources }: SyncServices,
  event: ChangeEvent,
): Promise<ChangeEvent | undefined> {
  if (event.action !== 'notifyUpdate') return event
  const found = event.newValue ? undefined : await resources().objectSet(event.container).readMany([event.id])
  const now = found?.get(event.id)
  const newValue = event.newValue ?? (now && requireReadable(now)) ?? null
  if (event.oldValue && newValue && equal(event.oldValue, newValue)) return undefined
  return { ...event, newValue }
}

/** How many changes are decided and written together. */
const pageSize = 500

const mostPostponements = 3

/** True if a script changed the object in the midst of its own synchronization: it is synchronized once more when that has ended. */
function isPostponed(options: SyncServices, mapping: Mapping, flow: Flow, request: RequestContext): boolean {
  const postpone = request.chain?.inProgress?.get(progressKey(mapping.name, flow.event.id))
  if (!postpone) return false
  const postponements = (request.chain?.postponements ?? 0) + 1
  if (postponements > mostPostponements) {
    const fact = `${flow.event.id} is changed by its own synchronization, again and again`
    options.log('warn', `${mapping.name}: ${fact}`)
    return true
  }
  postpone(async (chain) => {
    const within = { ...request, chain: { ...chain, postponements } }
    await throughMapping(options, mapping, [{ ...flow, readsAfresh: true }], within)
  })
  return true
}

async function throughMapping(
  options: SyncServices,
  mapping: Mapping,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<Results> {
  if (flows.length === 0) return new Map()
  try {
    const opened = await openSingle(options, mapping.name, request, { analysis: false, ofChange: true })
    const sync = flows.length > 1 ? { ...opened, lost: new LostOperations({ takesStale: false }) } : opened
    const results: Results = new Map()
    const workThose = async (page: readonly Flow[]) => {
      const work = () => workPage(sync, page, request, options)
      for (const [flow, own] of await options.activeOperations.during(sync.runId, work))
        results.set(flow, own)
    }
    for (const page of chunks(flows, sync.rules.oneByOne ? 1 : pageSize)) await workThose(page)
    // What another change stood in the way of, once more: those that wait for each other together.
    for (const part of lostParts(sync)) {
      const ids = new Set(part.map(({ sourceId }) => sourceId))
      await workThose(flows.filter(({ event }) => ids.has(event.id)))
    }
    await holdBack(options, mapping, results, request)
    return results
  } catch (error) {
    const problem = asProblem(error)
    options.log('error', `${mapping.name}: ${problem.message}`)
    const failed = (own: readonly Flow[]) => own.map(({ event }) => neverDecided(event.id, problem))
    for (const [transaction, own] of Map.groupBy(flows, transactionOf(request)))
      options.flows.tell(transaction, { mapping, done: failed(own) })
    return new Map(flows.map((flow) => [flow, [failedResult(mapping, flow.event.id, problem)]]))
  }
}

/** What the guard holds back waits in the queue, whether the mapping has one or not, until it is released. */
async function holdBack(
  { repository, log }: SyncServices,
  { name }: Mapping,
  results: Results,
  request: RequestContext,
): Promise<void> {
  const held = [...results].flatMap(([flow, own]) => {
    const why = heldBackBy(own)
    return why === undefined || flow.queued
      ? []
      : [heldBack(queuedEvent(name, flow.event, flow.request ?? request, 'PENDING'), why)]
  })
  const [first] = held
  if (!first) return
  await repository.transaction(async (store) => {
    await store.syncQueue.add(held)
    await reportHeldBack(store, name, String(first.content.lastError))
  })
  log(
    'warn',
    `${name}: ${held.length} changes wait to be released, see syncline issues: ${first.content.lastError}`,
  )
}

/** In which a change was made. */
function transactionOf(request: RequestContext): (flow: Flow | undefined) => string {
  return (flow) => (flow?.request ?? request).transactionId
}

/** Those that go on, and those that the guard holds back as they stand in the records. */
async function admitted(
  windows: SyncServices['windows'],
  mapping: Mapping,
  decided: readonly Decided[],
  isReleased: (operation: Decided) => boolean,
): Promise<readonly Decided[]> {
  if (!windows) return decided
  const over = await windows.admit(
    mapping,
    decided.filter((operation) => !isReleased(operation)),
  )
  if (over.size === 0) return decided
  return decided.map((operation): Decided => {
    const why = over.get(operation)
    if (why === undefined) return operation
    return { ...operation, stale: { why, done: false }, refusal: why, shapingFailed: false }
  })
}

/** A page of changes, one round a qualifier: a change that fails under one is skipped under those after it. */
async function workPage(
  sync: Synchronization,
  changes: readonly Flow[],
  request: RequestContext,
  { windows, flows: runs }: Pick<SyncServices, 'windows' | 'flows'>,
): Promise<Results> {
  const { mapping } = sync.rules
  // What is undone was counted when it was done.
  const isUndone = request.chain?.compensating !== undefined
  const flows = await withComputedValues(sync, changes)
  const results: Results = new Map(flows.map((flow) => [flow, []]))
  const qualifiers = await Promise.all(flows.map(({ event }) => qualifiersFor(sync, event)))
  const flowOf = new Map(flows.map((flow) => [flow.event.id, flow]))
  const recorder = syncRecorder(sync, (sourceId) => flowOf.get(sourceId)?.request ?? request)
  const rounds = Math.max(...qualifiers.map(({ length }) => length))
  for (let round = 0; round < rounds; round++) {
    const due: ReadSource[] = []
    for (const [place, flow] of flows.entries()) {
      const qualifier = qualifiers[place]?.[round]
      if (qualifier === undefined) continue
      const { id } = flow.event
      if (stopsAt(results, flow, request)) results.get(flow)?.push(skippedResult(mapping, id, qualifier))
      else due.push(readChange(flow.event, qualifier))
    }
    await withSourceLocks(sync, due, async (held) =>
      synchronize(held, await readAfresh(held, due, flowOf), async (decided) => {
        const isReleased = ({ sourceId = '' }: Decided) => isUndone || flowOf.get(sourceId)?.released === true
        const page = await admitted(windows, mapping, decided, isReleased)
        const done = await applyPage(held, page, recorder)
        const targets = new Map(decided.map(({ sourceId, target }) => [sourceId, target]))
        for (const operation of done) {
          const { sourceId = '' } = operation
          const before = targets.get(sourceId) ?? null
          const flow = flowOf.get(sourceId)
          if (flow) results.get(flow)?.push(syncResult(mapping, sourceId, operation, before))
        }
        const made = ({ sourceId = '' }: Applied) => transactionOf(request)(flowOf.get(sourceId))
        for (const [transaction, own] of Map.groupBy(done, made))
          runs.tell(transaction, { mapping, done: own, targets, sync: held })
      }),
    )
  }
  return new Map(changes.map((change, place) => [change, results.get(flows[place] ?? change) ?? []]))
}

/**
 * A managed object that changes is told as it is stored; what scripts of reading make of it belongs to it. So the object is read
 * when its turn has come, and its old value is completed.
 */
async function withComputedValues(
  { sources }: Synchronization,
  flows: readonly Flow[],
): Promise<readonly Flow[]> {
  if (!sources.asRead) return flows
  const valued = (name: 'oldValue' | 'newValue') =>
    flows.flatMap(({ event: { id, [name]: value } }) => (value ? [{ ...value, _id: id }] : []))
  const before = (await sources.asRead(valued('oldValue'), 'before')).values()
  const now = (await sources.asRead(valued('newValue'), 'now')).values()
  return flows.map((flow) => {
    const { oldValue, newValue } = flow.event
    const event = {
      ...flow.event,
      oldValue: oldValue && (before.next().value ?? oldValue),
      newValue: newValue && (now.next().value ?? newValue),
    }
    return { ...flow, event, readsAfresh: true }
  })
}

async function qualifiersFor(sync: Synchronization, event: ChangeEvent): Promise<readonly string[]> {
  const [source, oldSource] = valuesOf(event)
  const qualifiers = await qualifiersOf(sync, source, oldSource)
  if (event.previousId !== undefined) await moveLinks(sync, qualifiers, event.previousId, event.id)
  return qualifiers
}

/** A source with a new id keeps its target (engine §9, [D]): the link of the id before is moved, if the new id has none. */
async function moveLinks(
  { links, repository }: Synchronization,
  qualifiers: readonly string[],
  previousId: string,
  id: string,
): Promise<void> {
  for (const qualifier of qualifiers) {
    const found = await links.ofSources(qualifier, [previousId, id])
    const link = found.get(previousId)
    if (!link || found.has(id)) continue
    const { _id, _rev } = link.stored
    await repository.links.update([{ ...links.draft(qualifier, id, link.targetId), _id, _rev }])
  }
}

function readChange(event: ChangeEvent, qualifier: string): ReadSource {
  const [source, oldSource] = valuesOf(event)
  return readSource(event.id, source, qualifier, oldSource)
}

/** Of what is gone, the last that is known of it stays. */
async function readAfresh(
  { sources, signal }: Synchronization,
  reads: readonly ReadSource[],
  flowOf: ReadonlyMap<string, Flow>,
): Promise<readonly ReadSource[]> {
  const readsAfresh = ({ sourceId }: ReadSource) => flowOf.get(sourceId)?.readsAfresh === true
  const ids = reads.filter(readsAfresh).map(({ sourceId }) => sourceId)
  if (ids.length === 0) return reads
  const found = await sources.readMany(ids, signal)
  return reads.map((read) => {
    if (!readsAfresh(read)) return read
    const source = found.get(read.sourceId)
    return readSource(
      read.sourceId,
      source,
      read.linkQualifier,
      source ? read.oldSource : (read.source ?? read.oldSource),
    )
  })
}

/** The source as it is now, undefined if it is gone, and as it was. */
function valuesOf(event: ChangeEvent): [Resource | undefined, JsonObject | undefined] {
  const { action, id, oldValue, newValue } = event
  const gone = action === 'notifyDelete' || !newValue
  return [gone ? undefined : { ...newValue, _id: id }, oldValue ?? undefined]
}

function skipped(mapping: Mapping, { id }: ChangeEvent): readonly JsonObject[] {
  const { qualifiers } = mapping
  const names = qualifiers.kind === 'fixed' ? qualifiers.names : [null]
  return names.map((name) => skippedResult(mapping, id, name))
}
