import { chunks } from '../../../kit/chunks.ts'
import type { Mapping } from '../../../mapping/mapping.ts'
import { equal } from '../../../model/equality.ts'
import type { JsonObject } from '../../../model/json.ts'
import { getAt } from '../../../model/pointer.ts'
import { asProblem } from '../../../model/problem.ts'
import type { RequestContext, Resource } from '../../../router/resources.ts'
import { applyPage, type Recorder } from '../../page/apply/apply.ts'
import { type ReadSource, readSource } from '../../page/operation.ts'
import { flowKey, withSourceLocks } from '../../page/source-locks.ts'
import type { Synchronization } from '../../page/synchronization.ts'
import { synchronize } from '../../page/synchronize.ts'
import type { SyncServices } from '../../services.ts'
import { changeContext, openSingle, qualifiersOf } from '../../single/look.ts'
import type { ChangeEvent, Notify, NotifyOutcome } from '../notify.ts'
import { failedResult, skippedResult, syncRecorder, syncResult } from './result.ts'

/**
 * Carries the change of one object on to all mappings of its set, one after the other, under each link qualifier
 * (engine §8.2): the same decision and the same steps as in a run. After the first failure the rest is skipped, and
 * said to be.
 */
export function implicitSync(options: SyncServices): Notify {
  return async (event, request) => {
    const change = await whatChanged(options, event)
    const mappings = change ? concerned(options.mappings(), change) : []
    const [outcome] = await synchronizeChanges(options, [{ event: change ?? event, mappings }], request)
    return outcome ?? { success: true, results: [] }
  }
}

/** A change, and the mappings that it is for, in their order. */
export interface Flow {
  readonly event: ChangeEvent
  readonly mappings: readonly Mapping[]
  /** On whose behalf it is recorded; absent: as the others that are carried on with it. */
  readonly request?: RequestContext
  /**
   * True if the object can be read: then it is worked as it is when its turn has come, not as the event has it. Events that come
   * late, twice or in the wrong order do no harm so.
   */
  readonly readsAfresh?: boolean
}

/**
 * Carries many changes on, each through its mappings; those of one mapping together, as in a run. The outcomes stand at
 * the places of their changes.
 */
export async function synchronizeChanges(
  options: SyncServices,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<readonly (NotifyOutcome & { readonly event: ChangeEvent })[]> {
  const states = flows.map((flow): State => ({ flow, success: true, results: [] }))
  for (const mapping of new Set(flows.flatMap(({ mappings }) => mappings))) {
    const concernedBy = states.filter(({ flow }) => flow.mappings.includes(mapping))
    const due = concernedBy.filter(({ success }) => success)
    const dueFlows = due.map(({ flow }) => flow)
    const results = await throughMapping(options, mapping, dueFlows, request)
    const reached = new Map(due.map((state, position) => [state, results[position]]))
    for (const state of concernedBy) {
      const own = reached.get(state) ?? skipped(mapping, state.flow.event)
      state.results.push(...own)
      state.success &&= own.every(({ result }) => result !== 'FAILED')
    }
  }
  return states.map(({ flow: { event }, success, results }) => ({ event, success, results }))
}

interface State {
  readonly flow: Flow
  success: boolean
  readonly results: JsonObject[]
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
  const newValue = event.newValue ?? found?.get(event.id) ?? null
  if (event.oldValue && newValue && equal(event.oldValue, newValue)) return undefined
  return { ...event, newValue }
}

/** How many changes are decided and written together. */
const pageSize = 500

/** The results of each change, in the order of its qualifiers. */
async function throughMapping(
  options: SyncServices,
  mapping: Mapping,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<readonly (readonly JsonObject[])[]> {
  const ready = flows.filter((flow) => !postponed(options, mapping, flow, request))
  const results = await carriedThrough(options, mapping, ready, request)
  return flows.map((flow) => results[ready.indexOf(flow)] ?? [])
}

const mostPutOff = 3

/** True if a script changed the object in the midst of its own synchronization: it is carried on once more when that has ended. */
function postponed(options: SyncServices, mapping: Mapping, flow: Flow, request: RequestContext): boolean {
  const postpone = request.chain?.flowing?.get(flowKey(mapping.name, flow.event.id))
  const putOff = (request.chain?.putOff ?? 0) + 1
  if (putOff > mostPutOff) {
    const fact = `${flow.event.id} is changed by its own synchronization, again and again`
    if (postpone) options.log('warn', `${mapping.name}: ${fact}`)
    return postpone !== undefined
  }
  postpone?.(async (chain) => {
    const within = { ...request, chain: { ...chain, putOff } }
    await carriedThrough(options, mapping, [{ ...flow, readsAfresh: true }], within)
  })
  return postpone !== undefined
}

async function carriedThrough(
  options: SyncServices,
  mapping: Mapping,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<readonly (readonly JsonObject[])[]> {
  if (flows.length === 0) return []
  try {
    const extra = changeContext(mapping.name)
    const sync = await openSingle(options, mapping.name, request, { analysis: false, extra })
    const results: (readonly JsonObject[])[] = []
    for (const page of chunks(flows, sync.rules.oneByOne ? 1 : pageSize)) {
      const work = () => workPage(sync, page, request)
      results.push(...(await options.activeOperations.during(sync.runId, work)))
    }
    return results
  } catch (error) {
    const problem = asProblem(error)
    options.log('error', `${mapping.name}: ${problem.message}`)
    return flows.map(({ event: { id } }) => [failedResult(mapping, id, problem)])
  }
}

/** A page of changes, one round a qualifier: a change that fails under one is skipped under those after it. */
async function workPage(
  sync: Synchronization,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<readonly (readonly JsonObject[])[]> {
  const { mapping } = sync.rules
  const results = flows.map((): JsonObject[] => [])
  const qualifiers = await Promise.all(flows.map(({ event }) => qualifiersFor(sync, event)))
  const requests = new Map(flows.map((flow) => [flow.event.id, flow.request]))
  const recorder = syncRecorder(sync, (sourceId) => requests.get(sourceId) ?? request)
  const rounds = Math.max(...qualifiers.map(({ length }) => length))
  for (let round = 0; round < rounds; round++) {
    const due: Due[] = []
    for (const [place, { event, readsAfresh = false }] of flows.entries()) {
      const qualifier = qualifiers[place]?.[round]
      if (qualifier === undefined) continue
      const failed = results[place]?.some(({ result }) => result === 'FAILED')
      if (failed) results[place]?.push(skippedResult(mapping, event.id, qualifier))
      else due.push({ place, readsAfresh, read: readChange(event, qualifier) })
    }
    for (const [place, result] of await workRound(sync, due, recorder)) results[place]?.push(result)
  }
  return results
}

/** A change under one qualifier, with the place of its flow. */
interface Due {
  readonly place: number
  readonly readsAfresh: boolean
  readonly read: ReadSource
}

async function qualifiersFor(sync: Synchronization, event: ChangeEvent): Promise<readonly string[]> {
  const [source, oldSource] = valuesOf(event)
  const qualifiers = await qualifiersOf(sync, source, oldSource)
  if (event.previousId !== undefined) await moveLinks(sync, qualifiers, event.previousId, event.id)
  return qualifiers
}

/**
 * A source that was given another id keeps its target (engine §9, [D]): where there is no link of the new
 * id and one of the id before, that link is moved.
 */
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

/** The results of the changes, by the places of their flows. */
async function workRound(
  sync: Synchronization,
  due: readonly Due[],
  recorder: Recorder,
): Promise<readonly (readonly [number, JsonObject])[]> {
  const { mapping } = sync.rules
  const placeOf = new Map<string | undefined, number>(due.map(({ read, place }) => [read.sourceId, place]))
  const results: (readonly [number, JsonObject])[] = []
  await withSourceLocks(sync, due.map(readOf), async (held) => {
    await synchronize(held, await readAfresh(held, due), async (decided) => {
      const done = await applyPage(held, decided, recorder)
      for (const [position, operation] of done.entries()) {
        const { sourceId } = operation
        const place = placeOf.get(sourceId)
        if (sourceId === undefined || place === undefined) continue
        results.push([place, syncResult(mapping, sourceId, operation, decided[position]?.target ?? null)])
      }
    })
  })
  return results
}

const readOf = ({ read }: Due) => read

/** Of what is gone, the last that is known of it stays. */
async function readAfresh(
  { sources, signal }: Synchronization,
  due: readonly Due[],
): Promise<readonly ReadSource[]> {
  const ids = due.flatMap(({ readsAfresh, read }) => (readsAfresh ? [read.sourceId] : []))
  if (ids.length === 0) return due.map(readOf)
  const found = await sources.readMany(ids, signal)
  return due.map(({ readsAfresh, read }) => {
    if (!readsAfresh) return read
    const source = found.get(read.sourceId)
    return !source && read.source ? { ...read, source, oldSource: read.source } : { ...read, source }
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
