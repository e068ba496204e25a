import type { Mapping } from '../../mapping/mapping.ts'
import { equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import { getAt } from '../../model/pointer.ts'
import { asProblem } from '../../model/problem.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'
import { applyPage } from '../apply/apply.ts'
import { holdingSources } from '../locked.ts'
import type { ChangeEvent, Notify } from '../notify.ts'
import { sourceOperation } from '../operation.ts'
import { decideSource, openSingle, qualifiersOf, type SingleOptions } from '../single/look.ts'
import type { Synchronization } from '../synchronization.ts'
import { moveLinks } from './moved-links.ts'
import { syncRecorder } from './record.ts'
import { failedResult, skippedResult, syncResult } from './result.ts'

export interface ImplicitSyncOptions extends SingleOptions {
  /** In processing order. */
  readonly mappings: () => readonly Mapping[]
}

/**
 * Carries the change of one object on to all mappings of its set, one after the other, under each link qualifier (engine
 * specification §8.2): the same decision and the same steps as in a run, for one object. After the first failure the
 * rest is skipped, and said to be.
 */
export function implicitSync(options: ImplicitSyncOptions): Notify {
  return async (event, request) => {
    const change = await whatChanged(options, event)
    const mappings = change ? concerned(options.mappings(), change) : []
    return carryOn(options, mappings, change ?? event, request)
  }
}

/** The change through these mappings only: what a queue holds for one of them. */
export async function carryOn(
  options: SingleOptions,
  mappings: readonly Mapping[],
  event: ChangeEvent,
  request: RequestContext,
): ReturnType<Notify> {
  const results: JsonObject[] = []
  let success = true
  for (const mapping of mappings) {
    const own: readonly JsonObject[] = success
      ? await throughMapping(options, mapping, event, request)
      : skipped(mapping, event)
    results.push(...own)
    success &&= own.every(({ result }) => result !== 'FAILED')
  }
  return { success, results }
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

async function throughMapping(
  options: SingleOptions,
  mapping: Mapping,
  event: ChangeEvent,
  request: RequestContext,
): Promise<readonly JsonObject[]> {
  const { id } = event
  try {
    const extra = { sync: { mapping: mapping.name, enabled: true } }
    const sync = await openSingle(options, mapping.name, request, { analysis: false, extra })
    const [source, oldSource] = valuesOf(event)
    const qualifiers = await qualifiersOf(sync, source, oldSource)
    if (event.previousId !== undefined) await moveLinks(sync, qualifiers, event.previousId, id)
    const results: JsonObject[] = []
    for (const qualifier of qualifiers) {
      const failed = results.some(({ result }) => result === 'FAILED')
      results.push(
        failed
          ? skippedResult(mapping, id, qualifier)
          : await underQualifier(sync, { event, source, oldSource }, qualifier, request),
      )
    }
    return results
  } catch (error) {
    options.log('error', `${mapping.name}: ${event.container}/${id}: ${asProblem(error).message}`)
    return [failedResult(mapping, id, asProblem(error))]
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

interface Change {
  readonly event: ChangeEvent
  readonly source: Resource | undefined
  readonly oldSource: JsonObject | undefined
}

async function underQualifier(
  sync: Synchronization,
  { event, source, oldSource }: Change,
  qualifier: string,
  request: RequestContext,
): Promise<JsonObject> {
  return holdingSources(sync, [sourceOperation(event.id, source, qualifier)], async (held) => {
    const operation = await decideSource(held, event.id, source, qualifier, oldSource)
    const before = operation.target ?? null
    await applyPage(held, [operation], syncRecorder(held, request))
    return syncResult(held.rules.mapping, event.id, operation, before)
  })
}

function skipped(mapping: Mapping, { id }: ChangeEvent): readonly JsonObject[] {
  const { qualifiers } = mapping
  const names = qualifiers.kind === 'fixed' ? qualifiers.names : [null]
  return names.map((name) => skippedResult(mapping, id, name))
}
