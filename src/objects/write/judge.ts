import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { equal } from '../../model/equality.ts'
import { ForeseenValues } from '../../model/foreseen-values.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { asProblem, type Problem } from '../../model/problem.ts'
import type { Store } from '../../repository/repository.ts'
import type { Judgement, ObjectSet, ObjectWriteRequest, RequestContext } from '../../router/resources.ts'
import { policyFailure } from '../policies/validator.ts'
import { pageFacts, plannedObjects } from '../relationships/facts.ts'
import { constraintsProperty } from '../relationships/model.ts'
import { type PageFacts, planPage } from '../relationships/plan.ts'
import { conditionFields } from '../relationships/wanted.ts'
import { type CompiledType, isAlone, type Relations } from '../type/compile.ts'
import { nothingSynchronized } from './changes.ts'
import { drafted } from './drafted.ts'
import { allDrafts, type Draft, type Entry, refused, type WriteContext } from './entry.ts'
import { encrypt } from './scripts.ts'
import { giversAmong } from './store.ts'
import { conflicts } from './unique.ts'

type Judge = NonNullable<ObjectSet['judge']>

/**
 * What would become of writes: the stages of the pipeline up to the store, in a dry run. What a script says that wanted to write is
 * not taken for its last word.
 */
export function judgeOf(store: Store, compiled: CompiledType): Judge {
  const page: Judge = async (writes, before, request) => {
    const context = {
      compiled,
      onChange: nothingSynchronized,
      request: { ...request, readOnly: true },
      store,
    }
    return (await judged(context, writes, before)).map((entry) => judgementOf(entry))
  }
  return (...given) => {
    const [writes] = given
    return writes.some((write) => isAlone(compiled, write))
      ? oneByOne(store, compiled, given)
      : page(...given)
  }
}

async function oneByOne(
  store: Store,
  compiled: CompiledType,
  [writes, before, request]: Parameters<Judge>,
): Promise<readonly Judgement[]> {
  const known = new ForeseenValues(before)
  const found: Judgement[] = []
  for (const [place, write] of writes.entries()) {
    const wanted: string[] = []
    const own: RequestContext = {
      ...request,
      readOnly: true,
      onRefusedWrite: (fact) => void wanted.push(fact),
    }
    const context = { compiled, onChange: nothingSynchronized, request: own, store }
    const [entry] = await judged(context, [write], known)
    const judgement = judgementOf(entry, wanted[0] ?? madeByScript(entry, write))
    found.push(judgement)
    if (judgement?.kind === 'refused') continue
    if (entry && 'write' in entry) known.set(idOf(write, place), contentOf(entry))
  }
  return found
}

/** `unforeseen`: why a refusal is not certain. */
function judgementOf(entry: Judged | undefined, unforeseen?: string): Judgement {
  if (unforeseen !== undefined) return { kind: 'unforeseen', why: unforeseen }
  if (!entry || 'write' in entry || entry.ok) return undefined
  const problem = asProblem(entry.error)
  return isAboutPresence(problem) ? undefined : { kind: 'refused', problem }
}

/** Of an object that is only foreseen, or that others have changed, nothing is known here. */
function isAboutPresence({ code, cause }: Problem): boolean {
  return cause === undefined && (code === 'NOT_FOUND' || code === 'PRECONDITION_FAILED')
}

/** What a unique value that is in use was, if a script has made it: when the other object is there, it may find another one. */
function madeByScript(entry: Judged | undefined, write: ObjectWriteRequest): string | undefined {
  if (!entry || 'write' in entry || !('taken' in entry) || write.operation === 'delete') return undefined
  const made = entry.taken?.find(([property, value]) => !equal(write.content[property] ?? null, value))
  return made && `a script made the ${made[0]}, which is in use; it may find another one`
}

/** A refusal for what others have says which values these are. */
type Judged = Entry & { readonly taken?: readonly (readonly [property: string, value: Json])[] }

async function judged(
  context: WriteContext,
  writes: readonly ObjectWriteRequest[],
  before: ForeseenValues,
): Promise<readonly Judged[]> {
  // Others may have changed an object meanwhile: the run reads it afresh.
  const anyRevision = writes.map((write) =>
    write.operation === 'create' ? write : { ...write, rev: undefined },
  )
  const shaped = await drafted(context, anyRevision)
  const { compiled } = context
  // Encryption alone refuses nothing, and takes long.
  const stores = compiled.scripts.has('onStore')
  const entries = stores ? await allDrafts(shaped, (draft) => encrypt(context, draft)) : shaped
  return refuseRelated(context, await refuseTaken(context, entries, before), before)
}

async function refuseTaken(
  { compiled, store: { objects } }: WriteContext,
  entries: readonly Entry[],
  before: ForeseenValues,
): Promise<readonly Judged[]> {
  const { enforced, unique, noInternalUsers } = compiled
  if (!enforced || unique.length + noInternalUsers.length === 0) return entries
  const drafts = entries.filter((one) => 'write' in one)
  const candidates = drafts.flatMap(({ write }) => (write.operation === 'delete' ? [] : [write]))
  const givers = giversAmong(
    compiled,
    drafts.map((draft) => ({ ...draft, write: { ...draft.write, rev: undefined } })),
  )
  const failed = await conflicts(objects, compiled, candidates, givers, before)
  return entries.map((entry): Judged => {
    if (!('write' in entry) || entry.write.operation === 'delete') return entry
    const { content } = entry.write
    const failures = failed.get(entry.write) ?? []
    if (failures.length === 0) return entry
    const taken = failures.map(({ property }) => [property, content[property] ?? null] as const)
    return { ...refused(policyFailure(failures, 'write')), taken }
  })
}

/** References, conditions and constraints that are none, and a role that is deleted while it is granted. */
async function refuseRelated(
  { compiled: { relations }, store }: WriteContext,
  entries: readonly Judged[],
  before: ForeseenValues,
): Promise<readonly Judged[]> {
  if (!relations) return entries
  const asked = entries.filter((one) => 'write' in one && asksRelationships(relations, one))
  if (asked.length === 0) return entries
  const page = { store, relations, whole: false }
  const { planned } = await plannedObjects(
    page,
    asked.filter((one) => 'write' in one),
  )
  const facts = await pageFacts(page, planned)
  const exists: PageFacts['exists'] = (target) =>
    (target.collection === relations.type.collection && before.isThere(target.id)) || facts.exists(target)
  const { objects } = planPage(relations, planned, { ...facts, exists }, timeOrderedId)
  const outcomes = new Map(asked.map((entry, place) => [entry, objects[place]]))
  return entries.map((entry) => {
    const outcome = outcomes.get(entry)
    return outcome?.kind === 'refused' ? refused(outcome.error) : entry
  })
}

function asksRelationships(relations: Relations, { write }: Draft): boolean {
  const { type, model } = relations
  if (write.operation === 'delete') return type.isRole
  const isRead = (name: string) =>
    type.properties.has(name) || (name === constraintsProperty && model.dependents.has(type.collection))
  const conditions = conditionFields(relations)
  return Object.keys(write.content).some((name) => isRead(name) || conditions.includes(name))
}

function contentOf({ write }: Draft): JsonObject | undefined {
  return write.operation === 'delete' ? undefined : write.content
}

/** What has no id yet is told apart by its place. */
function idOf({ id, ...write }: ObjectWriteRequest, place: number): string {
  const own = write.operation === 'create' ? write.content._id : undefined
  return id ?? (typeof own === 'string' ? own : `new ${place}`)
}
