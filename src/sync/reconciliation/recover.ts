import { auditEvent } from '../../audit/events.ts'
import type { Log } from '../../kit/log.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { Problem } from '../../model/problem.ts'
import { parted } from '../../model/unreadable.ts'
import { type Resolution, resolveIntent } from '../../plan/resolve-intent.ts'
import { type Move, movesDone } from '../../plan/resolve-moves.ts'
import type { AuditEvent } from '../../repository/audit.ts'
import type { Intent } from '../../repository/intents.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import type { Entry, ObjectSet, Resources } from '../../router/resources.ts'
import { type IntentContent, intentContent, looksWritten, standing } from '../page/apply/intents.ts'
import { type MappingLink, type MappingLinks, mappingLinks } from '../page/links.ts'
import { ignoringCase } from '../page/object-sets.ts'

export interface Recovery {
  readonly repository: Repository
  readonly resources: Resources
  /** True for runs that some process is still working on; their intents are theirs. */
  readonly isActive: (runId: string, worker: string) => Promise<boolean>
  readonly log: Log
}

/** How many are looked for together. */
const pageSize = 500

/**
 * Resolves the intents that broken-off runs of a link set left: by reading the target, never by writing to it. What has
 * happened gets its link and its record; what has not is decided anew by the next run. Fails if a target cannot be read.
 */
export async function recover(recovery: Recovery, linkType: string): Promise<void> {
  const { repository, log } = recovery
  const abandoned = await abandonedAmong(recovery, await allOf(repository, linkType))
  if (abandoned.length === 0) return
  const resolutions: Resolution[] = []
  for (const group of Map.groupBy(abandoned, sameSets).values())
    resolutions.push(...(await resolveGroup(recovery, group)))
  const about = `${linkType}: ${abandoned.length} operations of a run that broke off`
  log('info', `${about}: ${inWords(resolutions)}`)
}

/** Whole pages, for their operations may depend on each other. There are no more of them than were being written. */
async function allOf({ intents }: Repository, linkType: string): Promise<readonly Intent[]> {
  for (let limit = pageSize; ; limit *= 2) {
    const found = await intents.list(linkType, limit)
    if (found.length < limit) return found
  }
}

async function abandonedAmong(
  { isActive }: Recovery,
  intents: readonly Intent[],
): Promise<readonly Intent[]> {
  const active = new Map<string, boolean>()
  for (const { runId, worker } of intents) {
    if (!active.has(runId)) active.set(runId, await isActive(runId, worker))
  }
  return intents.filter(({ runId }) => !active.get(runId))
}

/** Intents that can be looked at together: of one target set and link use. */
function sameSets(intent: Intent): string {
  const { target, links } = intentContent(intent)
  return JSON.stringify([target, links])
}

async function resolveGroup(
  { repository, resources, log }: Recovery,
  intents: readonly Intent[],
): Promise<readonly Resolution[]> {
  const [first] = intents
  if (!first) return []
  const { target, links: use } = intentContent(first)
  const set = resources.objectSet(target)
  const links = mappingLinks(repository.links, use)
  const looked = await resolvedIntents(intents, {
    links,
    set: use.targetIgnoresCase ? ignoringCase(set) : set,
  })
  const resolved = looked.filter(({ unreadable }) => unreadable === undefined)
  for (const { unreadable } of looked)
    if (unreadable) log('warn', `what a run left undone in ${target} waits: ${unreadable.message}`)
  await repository.transaction(async (store) => {
    await repairLinks(store, links, resolved)
    const events = resolved.filter(({ resolution }) => resolution !== 'undone').map(entryEvent)
    if (events.length > 0) await store.audit.append(events)
    await store.intents.remove(resolved.map(({ intent }) => intent.id))
  })
  return resolved.map(({ resolution }) => resolution)
}

/** What stands in the target and in the links where an operation broke off. */
interface Found {
  readonly intent: Intent
  readonly content: IntentContent
  readonly newId: string | null
  readonly link: MappingLink | undefined
  /** The link that leads to the new object. */
  readonly other: MappingLink | undefined
  readonly underOld: Entry | undefined
  readonly underNew: Entry | undefined
  /** Why a target cannot be read: then nobody knows what was done, and the intent stays. */
  readonly unreadable: Problem | undefined
}

interface Resolved extends Found {
  readonly resolution: Resolution
}

/** What is looked at. */
interface Sets {
  readonly links: MappingLinks
  readonly set: ObjectSet
}

async function resolvedIntents(intents: readonly Intent[], sets: Sets): Promise<readonly Resolved[]> {
  const { links } = sets
  const found = await whatIsThere(intents, sets)
  const normal = (id: string | null = null) => (id === null ? null : links.normalTarget(id))
  const moved = movedTogether(found, links)
  const leaving = new Set(
    found.flatMap(({ link, content: { targetId } }, place) =>
      moved[place] && link && normal(link.targetId) === normal(targetId) ? link.stored._id : [],
    ),
  )
  return found.map((one, place): Resolved => {
    const { newId, link, other, underOld, underNew } = one
    const { action, targetId, written } = one.content
    const isTaken = other !== undefined && other.stored._id !== link?.stored._id
    const remains = {
      oldExists: underOld !== undefined,
      newExists: underNew !== undefined,
      linkedTo: normal(link?.targetId),
      looksWritten: written ? looksWritten(written, parted(underOld).object ?? {}) : false,
      newIsTaken: isTaken && !leaving.has(other.stored._id),
      moved: moved[place],
    }
    const brokenOff = { action, targetId: normal(targetId), newId: normal(newId) }
    return { ...one, resolution: resolveIntent(brokenOff, remains) }
  })
}

async function whatIsThere(intents: readonly Intent[], sets: Sets): Promise<readonly Found[]> {
  const { links, set } = sets
  const found = await Promise.all(
    intents.map(async (intent) => {
      const content = intentContent(intent)
      return { intent, content, newId: await newIdOf(content, sets) }
    }),
  )
  const ids = found.flatMap(({ content, newId }) => [content.targetId ?? [], newId ?? []].flat())
  const objects = await set.readMany([...new Set(ids)])
  const byQualifier = new Map<string, LinksFound>()
  for (const [qualifier, some] of Map.groupBy(found, ({ content }) => content.linkQualifier)) {
    const sourceIds = some.map(({ content }) => content.sourceId)
    byQualifier.set(qualifier, {
      bySource: await links.ofSources(qualifier, sourceIds),
      byTarget: await links.ofTargets(
        qualifier,
        some.flatMap(({ newId }) => newId ?? []),
      ),
    })
  }
  const all = found.map((one): Found => {
    const { newId, content } = one
    const own = byQualifier.get(content.linkQualifier)
    const underOld = content.targetId === null ? undefined : objects.get(content.targetId)
    const underNew = newId === null ? undefined : objects.get(newId)
    return {
      ...one,
      link: own?.bySource.get(content.sourceId),
      other: newId === null ? undefined : own?.byTarget.get(newId),
      ...{ underOld, underNew },
      unreadable: parted(underOld).problem ?? parted(underNew).problem,
    }
  })
  return waitingTogether(all, links)
}

interface LinksFound {
  readonly bySource: ReadonlyMap<string, MappingLink>
  readonly byTarget: ReadonlyMap<string, MappingLink>
}

/** Of those that depend on each other nothing is known as long as one cannot be read. */
function waitingTogether(found: readonly Found[], { normalTarget }: MappingLinks): readonly Found[] {
  const problems = new Map<string, Problem>()
  const idsOf = ({ newId, content: { targetId } }: Found) =>
    [targetId ?? [], newId ?? []].flat().map(normalTarget)
  let known = -1
  while (known !== problems.size) {
    known = problems.size
    for (const one of found) {
      const problem = one.unreadable ?? idsOf(one).flatMap((id) => problems.get(id) ?? [])[0]
      if (problem) for (const id of idsOf(one)) if (!problems.has(id)) problems.set(id, problem)
    }
  }
  if (problems.size === 0) return found
  return found.map((one) => ({
    ...one,
    unreadable: one.unreadable ?? idsOf(one).flatMap((id) => problems.get(id) ?? [])[0],
  }))
}

/** Which ids that were handed on within a page were, at their places. */
function movedTogether(
  found: readonly Found[],
  { normalTarget }: MappingLinks,
): readonly (boolean | undefined)[] {
  const moved: (boolean | undefined)[] = found.map(() => undefined)
  const present = new Set<string>()
  const moves = found.flatMap((one, place) => {
    const { newId, underOld, underNew, content, link } = one
    const { action, targetId } = content
    if (underOld !== undefined && targetId !== null) present.add(normalTarget(targetId))
    if (underNew !== undefined && newId !== null) present.add(normalTarget(newId))
    const isRename = action === 'UPDATE' && newId !== targetId
    if (newId === null || !(isRename || action === 'CREATE')) return []
    const isLinked = link !== undefined && normalTarget(link.targetId) === normalTarget(newId)
    const shown = content.moved && standing(content.moved, parted(underOld).object, parted(underNew).object)
    const from = isRename && targetId !== null ? normalTarget(targetId) : null
    const move: Move = { from, to: normalTarget(newId), shows: isLinked ? 'moved' : (shown ?? undefined) }
    return [{ place, move }]
  })
  const done = movesDone(
    moves.map(({ move }) => move),
    (id) => present.has(id),
  )
  for (const [at, { place }] of moves.entries()) moved[place] = done[at]
  return moved
}

/** The id that was fixed beforehand or, where only the system gives ids, the one object that looks as it should. */
async function newIdOf(
  { newId, attributes, linkQualifier }: IntentContent,
  { links, set }: Sets,
): Promise<string | null> {
  if (newId !== null || attributes === null || Object.keys(attributes).length === 0) return newId
  const filters = Object.entries(attributes).map(
    ([name, value = null]): Filter => ({ kind: 'compare', operator: 'eq', pointer: [name], value }),
  )
  const query = { filter: { kind: 'and', filters } as const, fields: [['_id']], pageSize }
  const found: string[] = []
  for await (const page of set.pages(query)) found.push(...page.map(({ _id }) => _id))
  const linked = await links.ofTargets(linkQualifier, found)
  const [only, ...others] = found.filter((id) => !linked.has(id))
  return only !== undefined && others.length === 0 ? only : null
}

/** Links that lead somewhere else now go first, and together: a new one may have the id that one of them leaves. */
async function repairLinks(store: Store, links: MappingLinks, resolved: readonly Resolved[]): Promise<void> {
  const linksOf = (wanted: Resolution) =>
    resolved.flatMap(({ resolution, link, newId }) =>
      resolution === wanted && link ? [{ link, newId }] : [],
    )
  const led = linksOf('retarget').flatMap(({ link, newId }) =>
    newId === null ? [] : [links.retargeted(link, newId)],
  )
  await store.links.update(led)
  await store.links.delete(linksOf('unlink').map(({ link }) => link.stored))
  const drafts = resolved.flatMap(({ resolution, newId, content: { linkQualifier, sourceId } }) =>
    resolution === 'link' && newId !== null ? [links.draft(linkQualifier, sourceId, newId)] : [],
  )
  await store.links.insert(drafts)
}

/** The record that the run could not write (engine §10). */
function entryEvent({ intent: { id, runId }, content, newId }: Resolved): AuditEvent {
  const { mapping, source, target, sourceId, linkQualifier, phase, situation, action, written } = content
  const targetId = newId ?? content.targetId
  return auditEvent.reconEntry({
    ...{ id: `${runId}-${id}`, userId: 'system', runId, phase, mapping, linkQualifier, situation, action },
    sourceObjectId: `${source}/${sourceId}`,
    targetObjectId: targetId === null ? null : `${target}/${targetId}`,
    ambiguousIds: [],
    outcome: {
      ...{ status: 'SUCCESS', message: 'found done after the run broke off' },
      ...{ messageDetail: null, exception: null },
    },
    history: written ? { changes: written.changes } : {},
  })
}

const words = {
  undone: 'did not happen and are decided anew',
  link: 'had created their target and were linked',
  retarget: 'had given their target another id, which the link follows now',
  unlink: 'had deleted their target, and their link went, too',
  done: 'were done but not recorded',
} as const satisfies Record<Resolution, string>

function inWords(resolutions: readonly Resolution[]): string {
  const groups = Map.groupBy(resolutions, (resolution) => resolution)
  return [...groups].map(([resolution, { length }]) => `${length} ${words[resolution]}`).join('; ')
}
