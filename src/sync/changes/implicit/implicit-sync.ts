import type { Mapping } from '../../../mapping/mapping.ts'
import { equal } from '../../../model/equality.ts'
import type { JsonObject } from '../../../model/json.ts'
import { getAt } from '../../../model/pointer.ts'
import { asProblem } from '../../../model/problem.ts'
import type { RequestContext, Resource } from '../../../router/resources.ts'
import { applyPage, type Recorder } from '../../page/apply/apply.ts'
import { type Operation, sourceOperation } from '../../page/operation.ts'
import { flowKey, holdingSources } from '../../page/source-locks.ts'
import type { Synchronization } from '../../page/synchronization.ts'
import { workThrough } from '../../page/work-through.ts'
import { openSingle, qualifiersOf, type SingleOptions } from '../../single/look.ts'
import type { ChangeEvent, Notify, NotifyOutcome } from '../notify.ts'
import { moveLinks } from './moved-links.ts'
import { syncRecorder } from './record.ts'
import { failedResult, skippedResult, syncResult } from './result.ts'

export interface ImplicitSyncOptions extends SingleOptions {
  /** In processing order. */
  readonly mappings: () => readonly Mapping[]
}

/**
 * Carries the change of one object on to all mappings of its set, one after the other, under each link qualifier
 * (engine §8.2): the same decision and the same steps as in a run. After the first failure the rest is skipped, and
 * said to be.
 */
export function implicitSync(options: ImplicitSyncOptions): Notify {
  return async (event, request) => {
    const change = await whatChanged(options, event)
    const mappings = change ? concerned(options.mappings(), change) : []
    const [outcome] = await carryOn(options, [{ event: change ?? event, mappings }], request)
    return outcome as NotifyOutcome
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
export async function carryOn(
  options: SingleOptions,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<readonly NotifyOutcome[]> {
  const outcomes = flows.map(() => ({ success: true, results: [] as JsonObject[] }))
  const mappings = new Set(flows.flatMap((flow) => flow.mappings))
  for (const mapping of mappings) {
    const concernedBy = flows.flatMap((flow, place) => (flow.mappings.includes(mapping) ? [place] : []))
    const due = concernedBy.filter((place) => outcomes[place]?.success)
    const own = due.map((place) => flows[place] as Flow)
    const results = await throughMapping(options, mapping, own, request)
    for (const place of concernedBy) {
      const outcome = outcomes[place] as (typeof outcomes)[number]
      const reached = results[due.indexOf(place)] ?? skipped(mapping, flows[place]?.event as ChangeEvent)
      outcome.results.push(...reached)
      outcome.success &&= reached.every(({ result }) => result !== 'FAILED')
    }
  }
  return outcomes
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
  { resources }: ImplicitSyncOptions,
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
  options: SingleOptions,
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
function postponed(options: SingleOptions, mapping: Mapping, flow: Flow, request: RequestContext): boolean {
  const postpone = request.chain?.flowing?.get(flowKey(mapping.name, flow.event.id))
  const putOff = (request.chain?.putOff ?? 0) + 1
  if (putOff > mostPutOff) {
    if (postpone)
      options.log(
        'warn',
        `${mapping.name}: ${flow.event.id} is changed by its own synchronization, again and again`,
      )
    return postpone !== undefined
  }
  postpone?.(async (chain) => {
    const within = { ...request, chain: { ...chain, putOff } }
    await carriedThrough(options, mapping, [{ ...flow, readsAfresh: true }], within)
  })
  return postpone !== undefined
}

async function carriedThrough(
  options: SingleOptions,
  mapping: Mapping,
  flows: readonly Flow[],
  request: RequestContext,
): Promise<readonly (readonly JsonObject[])[]> {
  if (flows.length === 0) return []
  try {
    const extra = { sync: { mapping: mapping.name, enabled: true } }
    const sync = await openSingle(options, mapping.name, request, { analysis: false, extra })
    const size = sync.rules.oneByOne ? 1 : pageSize
    const results: (readonly JsonObject[])[] = []
    for (let start = 0; start < flows.length; start += size) {
      const page = flows.slice(start, start + size)
      results.push(...(await options.underway.during(sync.runId, () => workPage(sync, page, request))))
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
  const results = flows.map(() => [] as JsonObject[])
  const afresh = new Map(flows.flatMap(({ event, readsAfresh }) => (readsAfresh ? [[event.id, event]] : [])))
  const qualifiers = await Promise.all(flows.map(({ event }) => qualifiersFor(sync, event)))
  const requests = new Map(flows.map((flow) => [flow.event.id, flow.request]))
  const recorder = syncRecorder(sync, (sourceId = '') => requests.get(sourceId) ?? request)
  const rounds = Math.max(...qualifiers.map(({ length }) => length))
  for (let round = 0; round < rounds; round++) {
    const operations = new Map<Operation, number>()
    flows.forEach(({ event }, place) => {
      const qualifier = qualifiers[place]?.[round]
      if (qualifier === undefined) return
      const failed = results[place]?.some(({ result }) => result === 'FAILED')
      if (failed) results[place]?.push(skippedResult(mapping, event.id, qualifier))
      else operations.set(operationFor(event, qualifier), place)
    })
    for (const [place, result] of await workRound(sync, operations, afresh, recorder))
      results[place]?.push(result)
  }
  return results
}

async function qualifiersFor(sync: Synchronization, event: ChangeEvent): Promise<readonly string[]> {
  const [source, oldSource] = valuesOf(event)
  const qualifiers = await qualifiersOf(sync, source, oldSource)
  if (event.previousId !== undefined) await moveLinks(sync, qualifiers, event.previousId, event.id)
  return qualifiers
}

function operationFor(event: ChangeEvent, qualifier: string): Operation {
  const [source, oldSource] = valuesOf(event)
  return { ...sourceOperation(event.id, source, qualifier), oldSource }
}

/** The results of the operations, by the places of their changes. */
async function workRound(
  sync: Synchronization,
  operations: ReadonlyMap<Operation, number>,
  afresh: ReadonlyMap<string, ChangeEvent>,
  recorder: Recorder,
): Promise<readonly (readonly [number, JsonObject])[]> {
  const { mapping } = sync.rules
  const placeOf = new Map([...operations].map(([{ sourceId }, place]) => [sourceId as string, place]))
  const results: (readonly [number, JsonObject])[] = []
  await holdingSources(sync, [...operations.keys()], async (held) => {
    await readAfresh(held, [...operations.keys()], afresh)
    await workThrough(held, [...operations.keys()], async (decided) => {
      const before = decided.map(({ target }) => target ?? null)
      await applyPage(held, decided, recorder)
      decided.forEach((operation, position) => {
        const id = operation.sourceId as string
        const result = syncResult(mapping, id, operation, before[position] ?? null)
        results.push([placeOf.get(id) as number, result])
      })
    })
  })
  return results
}

/** Of what is gone, the last that is known of it stays. */
async function readAfresh(
  { sources, signal }: Synchronization,
  operations: readonly Operation[],
  events: ReadonlyMap<string, ChangeEvent>,
): Promise<void> {
  const due = operations.filter(({ sourceId }) => events.has(sourceId as string))
  if (due.length === 0) return
  const found = await sources.readMany(
    due.map(({ sourceId }) => sourceId as string),
    signal,
  )
  for (const operation of due) {
    const source = found.get(operation.sourceId as string)
    if (!source && operation.source) operation.oldSource = operation.source
    operation.source = source
  }
}

/** The source as it is now, undefined if it is gone, and as it was. */
function valuesOf({
  action,
  id,
  oldValue,
  newValue,
}: ChangeEvent): [Resource | undefined, JsonObject | undefined] {
  const gone = action === 'notifyDelete' || !newValue
  return [gone ? undefined : { ...newValue, _id: id }, oldValue ?? undefined]
}

function skipped(mapping: Mapping, { id }: ChangeEvent): readonly JsonObject[] {
  const { qualifiers } = mapping
  const names = qualifiers.kind === 'fixed' ? qualifiers.names : [null]
  return names.map((name) => skippedResult(mapping, id, name))
}
