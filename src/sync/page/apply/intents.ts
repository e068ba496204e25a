import { hash } from 'node:crypto'
import { timeOrderedId } from '../../../kit/time-ordered-id.ts'
import type { LinkUse } from '../../../mapping/mapping.ts'
import type { Situation } from '../../../mapping/situation.ts'
import type { Change } from '../../../model/diff.ts'
import type { Json, JsonObject } from '../../../model/json.ts'
import { getAt, type Pointer } from '../../../model/pointer.ts'
import { recordedChanges } from '../../../model/recorded-changes.ts'
import { isMasked } from '../../../model/secrecy.ts'
import type { BrokenOff } from '../../../plan/resolve-intent.ts'
import type { Intent } from '../../../repository/intents.ts'
import type { ObjectSet } from '../../../router/resources.ts'
import type { Applied } from '../operation.ts'
import type { Applying } from '../synchronization.ts'
import { refuseTakenIds } from './taken-ids.ts'

/**
 * An intent is written down before a write outside of the store whose link must follow (engine §12.5): creates, deletes of
 * linked objects, updates. If the process dies, it is resolved by looking at the target (recover.ts): no object without its
 * link, no link without its object, no change without its record.
 */

/** Everything that is needed to finish an operation, whatever the configuration says by then. */
export interface IntentContent extends BrokenOff {
  readonly mapping: string
  readonly source: string
  readonly target: string
  readonly links: LinkUse
  readonly linkQualifier: string
  readonly phase: Applied['phase']
  readonly situation: Situation
  readonly sourceId: string
  /** Of an object whose id only its system gives: by which attributes it is found. */
  readonly attributes: JsonObject | null
  /** Of an update that keeps the id: by what it is recognized. */
  readonly written: Written | null
  /** Of an update that changes the id: by what it is recognized where the ids of a page are handed on. */
  readonly moved?: Moved | null
}

/** Plain data throughout, which the store keeps as JSON. */
function stored(content: IntentContent): JsonObject {
  return content as unknown as JsonObject
}

export function intentContent({ content }: Intent): IntentContent {
  return content as unknown as IntentContent
}

/**
 * Writes down what the operations are about to do; operations that cannot be done any more fail. Ids of new objects
 * are fixed here wherever the target leaves them to us: a create that may have happened is then found by its id.
 */
export async function intend(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  const { type, enabled } = sync.rules.mapping.links
  if (!enabled) return page
  const { name: worker } = await sync.locks.ownLease()
  const intents: Intent[] = []
  const isComparable = comparables(sync.targets)
  const intended = (await refuseTakenIds(sync, fixIds(page, sync.targets))).map((operation): Applied => {
    const content = operation.failure ? undefined : contentOf(sync, operation, isComparable)
    if (!content) return operation
    const id = operation.intent ?? timeOrderedId()
    intents.push({ id, linkType: type, runId: sync.runId, worker, content: stored(content) })
    return { ...operation, intent: id }
  })
  if (intents.length > 0) await sync.repository.intents.add(intents)
  return intended
}

/** What was written down did not happen; something else will be. */
export async function withdraw({ repository }: Applying, page: readonly Applied[]): Promise<void> {
  const ids = page.flatMap(({ intent }) => intent ?? [])
  if (ids.length > 0) await repository.intents.remove(ids)
}

/** The intents that are resolved with their page; not where the target left open whether it has written. */
export function resolved(page: readonly Applied[]): readonly string[] {
  return page.flatMap(({ intent, inDoubt }) => (intent !== undefined && !inDoubt ? [intent] : []))
}

/** Those that are in use are refused: only what was not there before can be recognized as ours later. */
function fixIds(page: readonly Applied[], targets: ObjectSet): readonly Applied[] {
  return page.map((operation) => {
    const { action, desired } = operation
    if (action !== 'CREATE' || !desired) return operation
    const newId = targets.idOf({ operation: 'create', content: desired }, timeOrderedId())
    return newId === undefined ? operation : { ...operation, newId }
  })
}

function contentOf(
  { rules: { mapping }, targets }: Applying,
  operation: Applied,
  isComparable: (name: string) => boolean,
): IntentContent | undefined {
  const { action, target, link, linkQualifier, phase, situation, sourceId, desired } = operation
  if (situation === undefined || sourceId === undefined) return undefined
  const shared = {
    mapping: mapping.name,
    source: mapping.source,
    target: mapping.target,
    links: mapping.links,
    linkQualifier,
    phase,
    situation,
    sourceId,
    attributes: null,
    written: null,
  }
  if (action === 'DELETE')
    return link && target ? { ...shared, action, targetId: target._id, newId: null } : undefined
  if (!desired) return undefined
  if (action === 'UPDATE') {
    if (!target) return undefined
    const newId = targets.idOf({ operation: 'update', content: desired }, target._id)
    if (newId !== undefined && newId !== target._id)
      return { ...shared, action, targetId: target._id, newId, moved: movedBy(target, desired, targets) }
    const written = writtenBy(operation.changes, targets.isSecret)
    return written ? { ...shared, action, targetId: target._id, newId: target._id, written } : undefined
  }
  const newId = operation.newId ?? null
  const attributes = newId === null ? recognizable(operation, desired, targets, isComparable) : null
  return { ...shared, action: 'CREATE', targetId: operation.targetId ?? null, newId, attributes }
}

/** Asked once a page: it is the same for all objects. */
function comparables({ comparison }: ObjectSet): (name: string) => boolean {
  const known = new Map<string, boolean>()
  return (name) => {
    const found = known.get(name) ?? comparison([name]) !== undefined
    known.set(name, found)
    return found
  }
}

/** The values that the target can be asked for; secrets are not among them. */
function recognizable(
  { changes }: Applied,
  desired: JsonObject,
  { isSecret }: ObjectSet,
  isComparable: (name: string) => boolean,
): JsonObject {
  const secret = changes.filter((change) => isMasked(change, isSecret))
  const names = new Set(secret.map(({ pointer }) => pointer[0]))
  const asked = Object.entries(desired).filter(
    ([name, value]) =>
      !name.startsWith('_') &&
      !names.has(name) &&
      ['string', 'number', 'boolean'].includes(typeof value) &&
      isComparable(name),
  )
  return Object.fromEntries(asked)
}

/** By what an interrupted update is recognized: a digest of the values it was to set, never the values. Plain data. */
export interface Written {
  readonly pointers: readonly Pointer[]
  readonly digest: string
  readonly changes: JsonObject
}

/** Null where nothing of what changes can be read again: secrets are not. */
function writtenBy(
  changes: readonly Change[],
  isSecret: ((pointer: Pointer) => boolean) | undefined,
): Written | null {
  const readable = changes.filter((change) => !isMasked(change, isSecret))
  if (readable.length === 0) return null
  const pointers = readable.map(({ pointer }) => pointer)
  const digest = digestOf(readable.map(({ after }) => after))
  return { pointers, digest, changes: recordedChanges(changes, isSecret) }
}

/** True if the object has the values now that the update was to set. */
export function looksWritten(
  { pointers, digest }: Pick<Written, 'pointers' | 'digest'>,
  object: JsonObject,
): boolean {
  return digestOf(pointers.map((pointer) => getAt(object, pointer))) === digest
}

/** What an object shows before and after it was given another id: digests of the values of all that can be read. Plain data. */
export interface Moved {
  readonly pointers: readonly Pointer[]
  readonly before: string
  readonly after: string
}

function movedBy(target: JsonObject, desired: JsonObject, { isSecret }: ObjectSet): Moved {
  const names = [...new Set([...Object.keys(target), ...Object.keys(desired)])]
  const pointers = names
    .filter((name) => !name.startsWith('_'))
    .map((name): Pointer => [name])
    .filter((pointer) => !isSecret?.(pointer))
  const shown = (object: JsonObject) => digestOf(pointers.map((pointer) => getAt(object, pointer)))
  return { pointers, before: shown(target), after: shown(desired) }
}

/**
 * Where the object stands, of which these are what is under its old id and its new one; undefined if both or neither look like it.
 */
export function standing(
  { pointers, before, after }: Moved,
  underOld: JsonObject | undefined,
  underNew: JsonObject | undefined,
): 'moved' | 'stayed' | undefined {
  const shows = (object: JsonObject | undefined, digest: string) =>
    object !== undefined && looksWritten({ pointers, digest }, object)
  const [hasMoved, hasStayed] = [shows(underNew, after), shows(underOld, before)]
  return hasMoved === hasStayed ? undefined : hasMoved ? 'moved' : 'stayed'
}

/** Null and absent are alike to a target. */
function digestOf(values: readonly (Json | undefined)[]): string {
  return hash('sha256', JSON.stringify(values.map((value) => value ?? null)), 'base64url')
}
