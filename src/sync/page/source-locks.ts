import type { Postpone } from '../../router/resources.ts'
import { type ReadSource, readSource } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/** How long to wait while holding other locks, in ms: perhaps their holder waits for these. */
const patience = 30_000

/** Whose turn it is: a source object under a qualifier. Undefined for a target that no link leads to. */
interface Turn {
  readonly linkQualifier: string
  readonly sourceId: string | undefined
}

/** Does `work` with these sources locked; what it causes may work on them. A dry run changes nothing and waits for nothing. */
export async function withSourceLocks<T>(
  sync: Synchronization,
  turns: readonly Turn[],
  work: (held: Synchronization) => Promise<T>,
): Promise<T> {
  if (sync.dryRun) return work(sync)
  const { request } = sync.scripts
  const before = request.chain?.held ?? new Set()
  const keys = new Set(turns.flatMap((turn) => keyOf(sync, turn) ?? [])).difference(before)
  const postponed: Parameters<Postpone>[0][] = []
  const inProgress = new Map(request.chain?.inProgress)
  for (const { sourceId } of turns) {
    const key = progressKey(sync.rules.mapping.name, sourceId)
    if (!inProgress.has(key)) inProgress.set(key, (work) => postponed.push(work))
  }
  const chain = { ...request.chain, held: before.union(keys), inProgress }
  const held = { ...sync, scripts: { ...sync.scripts, request: { ...request, chain } } }
  const options = { own: sync.watch, patience: before.size > 0 ? patience : undefined }
  const result = await sync.locks.hold([...keys], () => work(held), options)
  for (const later of postponed) await later(request.chain ?? {})
  return result
}

/** One source object that is synchronized by one mapping. */
export function progressKey(mapping: string, sourceId: string | undefined): string {
  return JSON.stringify([mapping, sourceId])
}

/** Those on whose object others have worked since the sets were queried, with their source as it is now. */
export async function refreshed(
  sync: Synchronization,
  page: readonly ReadSource[],
): Promise<readonly ReadSource[]> {
  const overtaken = page.filter((read) => isOvertaken(sync, read))
  if (overtaken.length === 0) return page
  const ids = [...new Set(overtaken.map(({ sourceId }) => sourceId))]
  const found = await sync.sources.readMany(ids, sync.signal)
  return page.flatMap((read) => {
    if (!overtaken.includes(read)) return [read]
    const source = found.get(read.sourceId)
    // What is gone was worked when it went; its target is left to the target phase.
    if (!source) return []
    return [{ ...readSource(read.sourceId, source, read.linkQualifier, read.oldSource), overtaken: true }]
  })
}

/** True if others have worked on the source since the sets were queried. */
export function isOvertaken(sync: Synchronization, turn: Turn): boolean {
  return sync.watch?.touched(keyOf(sync, turn) ?? '') === true
}

function keyOf({ links, rules }: Synchronization, { linkQualifier, sourceId }: Turn): string | undefined {
  if (sourceId === undefined) return undefined
  return lockKey(rules.mapping.links.type, linkQualifier, links.normalSource(sourceId))
}

/** One object of one link set under one qualifier; `sourceId` as links compare it. */
export function lockKey(linkType: string, linkQualifier: string, sourceId: string): string {
  return JSON.stringify([linkType, linkQualifier, sourceId])
}
