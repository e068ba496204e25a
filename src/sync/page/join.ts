import { parted } from '../../model/unreadable.ts'
import { boundTarget } from '../../plan/assess-source.ts'
import type { Question } from '../../plan/question.ts'
import type { Entry } from '../../router/resources.ts'
import type { ScriptOutcome } from '../../scripts/engine.ts'
import { collisionsOf, holdersOf } from './holders.ts'
import type { MappingLink } from './links.ts'
import { type Joined, type ReadSource, type ReadTarget, readTarget } from './operation.ts'
import { askThose } from './places.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Joins a page of sources: links, questions (one crossing into the sandbox), correlation, bound targets. Reads, never writes.
 */
export async function joinSources(
  sync: Synchronization,
  page: readonly ReadSource[],
): Promise<readonly Joined[]> {
  const links = await sourceLinks(sync, page)
  const collisions = await collisionsOf(sync, page, links)
  const questions = await ask(sync, page, links)
  const found = await correlate(sync, page, links, questions)
  const holders = await holdersOf(sync, found)
  const ids = page.map((_, place) =>
    boundTarget({ link: links[place], candidates: found[place]?.candidates ?? [] }),
  )
  const queried = await sync.targetIds?.known(ids.filter((id) => id !== undefined))
  const bound = page.map((read, place): Bound => {
    const link = links[place]
    const { candidates = [], failure } = found[place] ?? {}
    const id = ids[place]
    const spelling = id === undefined ? undefined : queried?.get(id)
    const isGone = queried !== undefined && spelling === undefined
    return { read, link, candidates, failure, targetId: spelling ?? id, isGone }
  })
  const targets = await readTargets(sync, bound)
  return bound.map(({ read, link, candidates, failure, targetId }, place): Joined => {
    const { phase, linkQualifier, sourceId, source, oldSource } = read
    const outcome = questions[place]
    const { qualifies = true, disqualifiedBy, correlation } = outcome?.ok ? outcome.value : {}
    const { object: target, problem } = parted(targets[place])
    return {
      stage: 'joined',
      phase,
      linkQualifier,
      sourceId,
      source,
      oldSource,
      link,
      correlation: correlation?.kind === 'filter' ? correlation.filter : undefined,
      candidates,
      holder: holders[place],
      // A link may have it in another case; from here on it is as the target spells it.
      targetId: target?._id ?? targetId,
      target,
      qualifies,
      disqualifiedBy,
      failure:
        read.unreadable ??
        collisions[place] ??
        (outcome && !outcome.ok ? outcome.error : (failure ?? problem)),
    }
  })
}

interface Bound extends Pick<Joined, 'link' | 'candidates' | 'failure' | 'targetId'> {
  readonly read: ReadSource
  /** The run's target query did not return it. */
  readonly isGone: boolean
}

/** One query a qualifier. Links stand at the places of their operations. */
async function linksOf<T extends { readonly linkQualifier: string }>(
  page: readonly T[],
  idOf: (operation: T) => string,
  find: (qualifier: string, ids: readonly string[]) => Promise<ReadonlyMap<string, MappingLink>>,
): Promise<readonly (MappingLink | undefined)[]> {
  const found = new Map<string, ReadonlyMap<string, MappingLink>>()
  for (const [qualifier, group] of Map.groupBy(page, ({ linkQualifier }) => linkQualifier))
    found.set(qualifier, await find(qualifier, group.map(idOf)))
  return page.map((operation) => found.get(operation.linkQualifier)?.get(idOf(operation)))
}

/** A dry run foresees that an operation before has taken a link over: it is not this source's any more. */
async function sourceLinks(sync: Synchronization, page: readonly ReadSource[]) {
  const stored = await linksOf(page, ({ sourceId }) => sourceId, sync.links.ofSources)
  const links = await withLinksLeftBehind(sync, page, stored)
  return links.map((link, place) => {
    const qualifier = page[place]?.linkQualifier
    const holder = link && qualifier !== undefined && sync.foreseen.linkedTo(qualifier, link.targetId)
    const read = page[place]
    // In another spelling it is there, and the link is that one's.
    if (read && !read.source && isRespelled(sync, read)) return undefined
    const isAnothers =
      typeof holder === 'string' &&
      sync.links.normalSource(holder) !== sync.links.normalSource(link?.sourceId ?? '')
    return isAnothers ? undefined : link
  })
}

/** Those of sources that are gone, for another attempt; and of those that are coming back, because their deletion is undone. */
async function withLinksLeftBehind(
  sync: Synchronization,
  page: readonly ReadSource[],
  links: readonly (MappingLink | undefined)[],
): Promise<readonly (MappingLink | undefined)[]> {
  const isUndone = sync.scripts.request.chain?.compensating !== undefined
  const left = await askThose(
    page,
    (read, place) => (!links[place] && (isUndone || !read.source) ? read : undefined),
    (reads) => linksOf(reads, ({ sourceId }) => sourceId, sync.links.leftBySources),
  )
  return links.map((link, place) => link ?? left[place])
}

function isRespelled({ foreseen }: Synchronization, { linkQualifier, sourceId }: ReadSource): boolean {
  const spelling = foreseen.linkedAs(linkQualifier, sourceId)
  return spelling !== undefined && spelling !== sourceId
}

/** A rule that throws fails its own object only. Of an object that is gone and linked there is nothing to ask. */
function ask(
  { rules, scripts, correlator, namedTarget }: Synchronization,
  page: readonly ReadSource[],
  links: readonly (MappingLink | undefined)[],
) {
  return askThose(
    page,
    ({ source = null, oldSource, linkQualifier, unreadable }, place) => {
      if (unreadable) return undefined
      const linked = links[place] !== undefined
      if (!source && (linked || !oldSource)) return undefined
      const correlates = !linked && namedTarget === undefined && correlator.asks
      return { source, oldSource, linkQualifier, correlates }
    },
    (questions) => rules.ask('question', questions, scripts),
  )
}

/** Asked for those without a link, about which there is something to ask. */
function correlate(
  { correlator, namedTarget }: Synchronization,
  page: readonly ReadSource[],
  links: readonly (MappingLink | undefined)[],
  questions: readonly (ScriptOutcome<Question> | undefined)[],
) {
  const named = namedTarget === undefined ? undefined : ({ kind: 'found', ids: [namedTarget] } as const)
  return askThose(
    page,
    ({ linkQualifier }, place) => {
      const outcome = questions[place]
      const correlation = outcome?.ok && !links[place] ? (named ?? outcome.value.correlation) : null
      return correlation ? { linkQualifier, correlation } : undefined
    },
    (asked) => correlator.find(asked),
  )
}

/**
 * The bound targets of the page, one read. In a run that queried the targets a linked one exists only if the query returned it
 * (engine §3.1): with a restricting `targetQuery`, targets outside it appear as gone.
 */
async function readTargets(
  { targets, targetIds, signal, looksAtTargets }: Synchronization,
  page: readonly Bound[],
): Promise<readonly (Entry | undefined)[]> {
  if (!looksAtTargets && targetIds)
    return page.map(({ targetId, isGone }) =>
      targetId === undefined || isGone ? undefined : { _id: targetId },
    )
  return askThose(
    page,
    ({ read, link, targetId, isGone }) => (link && isGone && !read.overtaken ? undefined : targetId),
    async (ids) => {
      const found = await targets.readMany(ids, signal)
      return ids.map((id) => found.get(id))
    },
  )
}

/**
 * The operations on a page of targets that no source operation handled, in rounds: one a qualifier, each done before the next
 * one looks. A target linked under some qualifier is skipped under the others (engine §3.4, [D]): an UNASSIGNED: DELETE must
 * not delete a linked object.
 */
export async function targetRounds(
  sync: Synchronization,
  targetIds: readonly string[],
  qualifiers: readonly string[],
): Promise<readonly (readonly ReadTarget[])[]> {
  const rounds = qualifiers.map((linkQualifier) =>
    targetIds.map((targetId) => readTarget(targetId, linkQualifier)),
  )
  if (qualifiers.length < 2) return rounds
  const linked = await sync.links.linkedTargets(targetIds)
  return Promise.all(
    rounds.map(async (round) => {
      const links = await targetLinks(sync, round)
      return round.filter(({ targetId }, place) => links[place] || !linked.has(targetId))
    }),
  )
}

/** Which sources a page of targets is about. With these locked, the page is joined again: others may have been at work before. */
export async function linkedSources(sync: Synchronization, page: readonly ReadTarget[]) {
  const links = await targetLinks(sync, page)
  return page.map(({ linkQualifier }, place) => ({ linkQualifier, sourceId: links[place]?.sourceId }))
}

function targetLinks({ links }: Synchronization, page: readonly ReadTarget[]) {
  return linksOf(page, ({ targetId }) => targetId, links.ofTargets)
}

/**
 * Joins target operations of one round (engine §3.4). Sources are read afresh: they may have appeared since the source phase.
 * `gone`: targets that an earlier round deletes, which a dry run only foresees.
 */
export async function joinTargets(
  sync: Synchronization,
  page: readonly ReadTarget[],
  gone: ReadonlySet<string>,
): Promise<readonly Joined[]> {
  const ids = page.map(({ targetId }) => targetId)
  const targets = await sync.targets.readMany(ids, sync.signal)
  const links = await targetLinks(sync, page)
  const sourceIds = [...new Set(links.flatMap((link) => (link ? [link.sourceId] : [])))]
  const sources =
    sourceIds.length > 0 ? await sync.sources.readMany(sourceIds, sync.signal) : new Map<string, Entry>()
  return page.map(({ phase, linkQualifier, targetId }, place): Joined => {
    const link = links[place]
    const source = parted(link && sources.get(link.sourceId))
    const target = parted(gone.has(targetId) ? undefined : targets.get(targetId))
    return {
      stage: 'joined',
      phase,
      linkQualifier,
      sourceId: link?.sourceId,
      source: source.object,
      link,
      correlation: undefined,
      candidates: [],
      targetId,
      target: target.object,
      qualifies: true,
      disqualifiedBy: undefined,
      failure: target.problem ?? source.problem,
    }
  })
}
