import { auditEvent } from '../../audit/events.ts'
import type { Log } from '../../kit/log.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { Problem } from '../../model/problem.ts'
import { parted } from '../../model/unreadable.ts'
import { type Resolution, resolveIntent } from '../../plan/resolve-intent.ts'
import type { AuditEvent } from '../../repository/audit.ts'
import type { Intent } from '../../repository/intents.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import type { ObjectSet, Resources } from '../../router/resources.ts'
import { type IntentContent, intentContent, looksWritten } from '../page/apply/intents.ts'
import { type MappingLink, type MappingLinks, mappingLinks } from '../page/links.ts'
import { ignoringCase } from '../page/object-sets.ts'

export interface Recovery {
  readonly repository: Repository
  readonly resources: Resources
  /** True for runs that some process is still working on; their intents are theirs. */
  readonly isActive: (runId: string, worker: string) => Promise<boolean>
  readonly log: Log
}

/** How many are resolved together. */
const pageSize = 500

/**
 * Resolves the intents that broken-off runs of a link set left: by reading the target, never by writing to it. What has
 * happened gets its link and its record; what has not is decided anew by the next run. Fails if a target cannot be read.
 */
export async function recover(recovery: Recovery, linkType: string): Promise<void> {
  const { repository, log } = recovery
  let skipped = 0
  const kept = new Set<string>()
  for (;;) {
    const intents = await repository.intents.list(linkType, skipped + pageSize)
    const abandoned = (await abandonedAmong(recovery, intents)).filter(({ id }) => !kept.has(id))
    if (abandoned.length === 0) return
    skipped = intents.length - abandoned.length
    const resolutions: Resolution[] = []
    for (const group of Map.groupBy(abandoned, sameSets).values())
      resolutions.push(...(await resolveGroup(recovery, group, (id) => kept.add(id))))
    const about = `${linkType}: ${abandoned.length} operations of a run that broke off`
    log('info', `${about}: ${inWords(resolutions)}`)
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

/** Intents that can be looked at together: of one target set, link use and qualifier. */
function sameSets(intent: Intent): string {
  const { target, links, linkQualifier } = intentContent(intent)
  return JSON.stringify([target, links, linkQualifier])
}

async function resolveGroup(
  { repository, resources, log }: Recovery,
  intents: readonly Intent[],
  onUnreadable: (intentId: string) => void,
): Promise<readonly Resolution[]> {
  const [first] = intents
  if (!first) return []
  const { target, links: use, linkQualifier } = intentContent(first)
  const set = resources.objectSet(target)
  const links = mappingLinks(repository.links, use)
  const sets = { links, linkQualifier, set: use.targetIgnoresCase ? ignoringCase(set) : set }
  const looked = await resolvedIntents(intents, sets)
  const resolved = looked.filter(({ unreadable }) => unreadable === undefined)
  for (const { intent, unreadable } of looked) {
    if (!unreadable) continue
    log('warn', `what a run left undone in ${target} waits: ${unreadable.message}`)
    onUnreadable(intent.id)
  }
  await repository.transaction(async (store) => {
    for (const one of resolved) await repairLink(store, links, one)
    const events = resolved.filter(({ resolution }) => resolution !== 'undone').map(entryEvent)
    if (events.length > 0) await store.audit.append(events)
    await store.intents.remove(resolved.map(({ intent }) => intent.id))
  })
  return resolved.map(({ resolution }) => resolution)
}

interface Resolved {
  readonly intent: Intent
  readonly content: IntentContent
  readonly newId: string | null
  readonly link: MappingLink | undefined
  readonly resolution: Resolution
  /** Why a target cannot be read: then nobody knows what was done, and the intent stays. */
  readonly unreadable: Problem | undefined
}

/** What is looked at. */
interface Sets {
  readonly links: MappingLinks
  readonly linkQualifier: string
  readonly set: ObjectSet
}

async function resolvedIntents(intents: readonly Intent[], sets: Sets): Promise<readonly Resolved[]> {
  const { links, linkQualifier, set } = sets
  const found = await Promise.all(
    intents.map(async (intent) => {
      const content = intentContent(intent)
      return { intent, content, newId: await newIdOf(content, sets) }
    }),
  )
  const sourceIds = found.map(({ content }) => content.sourceId)
  const bySource = await links.ofSources(linkQualifier, sourceIds)
  const newIds = found.flatMap(({ newId }) => newId ?? [])
  const ids = [...found.flatMap(({ content }) => content.targetId ?? []), ...newIds]
  const objects = await set.readMany([...new Set(ids)])
  const byTarget = await links.ofTargets(linkQualifier, newIds)
  const normal = (id: string | null = null) => (id === null ? null : links.normalTarget(id))
  return found.map((one): Resolved => {
    const { newId } = one
    const { action, targetId, sourceId, written } = one.content
    const link = bySource.get(sourceId)
    const other = newId === null ? undefined : byTarget.get(newId)
    const old = targetId === null ? undefined : objects.get(targetId)
    const remains = {
      oldExists: old !== undefined,
      newExists: newId !== null && objects.has(newId),
      linkedTo: normal(link?.targetId),
      looksWritten: written ? looksWritten(written, parted(old).object ?? {}) : false,
      newIsTaken: other !== undefined && other.stored._id !== link?.stored._id,
    }
    const brokenOff = { action, targetId: normal(targetId), newId: normal(newId) }
    const unreadable = parted(old).problem ?? parted(objects.get(newId ?? '')).problem
    return { ...one, link, unreadable, resolution: resolveIntent(brokenOff, remains) }
  })
}

/** The id that was fixed beforehand or, where only the system gives ids, the one object that looks as it should. */
async function newIdOf(
  { newId, attributes }: IntentContent,
  { links, linkQualifier, set }: Sets,
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

async function repairLink(
  store: Store,
  links: MappingLinks,
  { content: { linkQualifier, sourceId }, newId, link, resolution }: Resolved,
): Promise<void> {
  if (resolution === 'link' && newId !== null)
    await store.links.insert([links.draft(linkQualifier, sourceId, newId)])
  else if (resolution === 'retarget' && link && newId !== null)
    await store.links.update([links.retargeted(link, newId)])
  else if (resolution === 'unlink' && link) await store.links.delete([link.stored])
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
