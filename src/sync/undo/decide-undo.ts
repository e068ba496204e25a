import { diff } from '../../model/diff.ts'
import { equalIgnoringNull } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { parted } from '../../model/unreadable.ts'
import { type Done, type Inverse, inverseOf } from '../../plan/inverse.ts'
import type { Resource } from '../../router/resources.ts'
import type { MappingLink } from '../page/links.ts'
import { type Decided, nothingDecided } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { RunRecord } from './records.ts'

interface Found {
  readonly target: Resource | undefined
  readonly problem: Problem | undefined
  /** The link of the two objects of the record. */
  readonly link: MappingLink | undefined
  readonly linkedElsewhere: boolean
  readonly sourceExists: boolean
}

/** What undoes a page of recorded operations, as things are now; no target occurs twice. Reads, never writes. */
export async function decideUndo(
  sync: Synchronization,
  page: readonly RunRecord[],
): Promise<readonly Decided[]> {
  const found = await foundNow(sync, page)
  const decided: Decided[] = []
  for (const [place, record] of page.entries()) {
    const now = found[place]
    if (!now) continue
    const { target, link, linkedElsewhere, sourceExists } = now
    const { _id, _rev, ...attributes } = target ?? {}
    const about = {
      target: target ? attributes : null,
      linked: link !== undefined || !expectsLink(sync, record),
      linkedElsewhere,
      sourceExists,
    }
    for (const inverse of inverseOf(doneBy(sync, record), about))
      decided.push(await operationOf(sync, record, now, inverse))
  }
  return decided
}

/** False where nothing was ever linked. */
function expectsLink({ rules: { mapping } }: Synchronization, { sourceId }: RunRecord): boolean {
  return mapping.links.enabled && sourceId !== undefined
}

function doneBy(
  { rules: { mapping } }: Synchronization,
  { action, changes, situation, isUndo }: RunRecord,
): Done {
  const madeLink = isUndo ? action === 'LINK' : situation === 'FOUND'
  return { action, changes, madeLink: mapping.links.enabled && madeLink }
}

async function foundNow(sync: Synchronization, page: readonly RunRecord[]): Promise<readonly Found[]> {
  const { targets, sources, links, signal } = sync
  const targetIds = page.flatMap(({ targetId }) => targetId ?? [])
  const entries = targetIds.length > 0 ? await targets.readMany(targetIds, signal) : new Map()
  const relinked = page.flatMap(({ action, sourceId }) => (action === 'UNLINK' && sourceId ? [sourceId] : []))
  const known = relinked.length > 0 ? await sources.readMany(relinked, signal) : new Map()
  const qualifiers = [...new Set(page.map(({ linkQualifier }) => linkQualifier))]
  const linksOf = new Map<string, readonly [Links, Links]>()
  for (const qualifier of qualifiers) {
    const own = page.filter(({ linkQualifier }) => linkQualifier === qualifier)
    const ids = own.flatMap(({ sourceId }) => sourceId ?? [])
    const ofTargets = await links.ofTargets(
      qualifier,
      own.flatMap(({ targetId }) => targetId ?? []),
    )
    linksOf.set(qualifier, [await links.ofSources(qualifier, ids), ofTargets])
  }
  return page.map(({ linkQualifier, sourceId, targetId }) => {
    const [bySource, byTarget] = linksOf.get(linkQualifier) ?? []
    const ofSource = sourceId === undefined ? undefined : bySource?.get(sourceId)
    const ofTarget = targetId === undefined ? undefined : byTarget?.get(targetId)
    const isSame = ofSource !== undefined && ofSource.stored._id === ofTarget?.stored._id
    const { object: target, problem } = parted(targetId === undefined ? undefined : entries.get(targetId))
    return {
      ...{ target, problem, link: isSame ? ofSource : undefined },
      linkedElsewhere: !isSame && (ofSource ?? ofTarget) !== undefined,
      sourceExists: sourceId !== undefined && known.has(sourceId),
    }
  })
}

type Links = ReadonlyMap<string, MappingLink>

async function operationOf(
  sync: Synchronization,
  { id, linkQualifier, situation, sourceId, targetId }: RunRecord,
  { target, problem, link }: Found,
  inverse: Inverse,
): Promise<Decided> {
  const { action, unforeseen, refusal } = inverse
  const ends =
    sourceId === undefined
      ? ({ phase: 'target', sourceId, targetId: targetId ?? '' } as const)
      : ({ phase: 'source', sourceId, targetId } as const)
  const { done = inverse.done, ...shape } = await shapeOf(sync, target, targetId, inverse)
  return {
    ...{ ...nothingDecided, ...ends, ...shape, stage: 'decided', linkQualifier, situation, action, link },
    ...{ source: undefined, correlation: undefined, candidates: [], target, qualifies: true },
    ...{ disqualifiedBy: undefined, failure: problem, unforeseen, undoes: id },
    ...(done !== undefined && { stale: { why: done, done: true } }),
    refusal: done ?? (refusal === undefined ? shape.refusal : `cannot be undone: ${refusal}`),
  }
}

/** What is written; or that others have changed the target since. */
async function shapeOf(
  { targets }: Synchronization,
  target: Resource | undefined,
  targetId: string | undefined,
  { action, desired, expected, refusal, done }: Inverse,
): Promise<Pick<Decided, 'desired' | 'changes' | 'refusal'> & Pick<Inverse, 'done'>> {
  const nothing = { desired: undefined, changes: [], refusal: undefined }
  if (refusal !== undefined || done !== undefined) return nothing
  if (action === 'CREATE' && desired) {
    const whole = { ...desired, ...(targetId !== undefined && { _id: targetId }) }
    return { ...nothing, desired: whole, changes: diff({}, desired) }
  }
  if (!target) return nothing
  const { _id, _rev, ...attributes } = target
  const held = async (content: JsonObject) => {
    const [same = content] =
      (await targets.asHeld?.([{ content: { ...content, _id }, existing: target }])) ?? []
    const { _id: _own, _rev: _none, ...rest } = same
    return rest
  }
  const back = desired && (await held(desired))
  const changes = back ? diff(attributes, back) : []
  if (back && equalIgnoringNull(attributes, back)) return { ...nothing, done: 'it is as it was already' }
  if (expected) {
    const asItWas = await held(expected)
    const moved = equalIgnoringNull(attributes, asItWas) ? [] : diff(attributes, asItWas)
    const names = moved.map(({ pointer }) => pointer.join('/')).join(', ')
    if (moved.length > 0) return { ...nothing, refusal: `cannot be undone: it has changed since: ${names}` }
  }
  return back ? { ...nothing, desired: { ...back, _id }, changes } : nothing
}
