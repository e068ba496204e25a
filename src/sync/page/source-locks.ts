import type { Postpone } from '../../router/resources.ts'
import { type Operation, sourceIdOf } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/** How long one waits who holds something himself, in ms: perhaps those he waits for wait for him. */
const patience = 30_000

/**
 * Does `work` while nobody else works on the sources of these operations; what it causes may work on them. A dry run
 * changes nothing and waits for nobody.
 */
export async function holdingSources<T>(
  sync: Synchronization,
  operations: readonly Operation[],
  work: (held: Synchronization) => Promise<T>,
): Promise<T> {
  if (sync.dryRun) return work(sync)
  const { request } = sync.scripts
  const before = request.chain?.held ?? new Set()
  const keys = new Set(operations.flatMap((operation) => keyOf(sync, operation) ?? [])).difference(before)
  const postponed: Parameters<Postpone>[0][] = []
  const flowing = new Map(request.chain?.flowing)
  for (const operation of operations) {
    const key = flowKey(sync.rules.mapping.name, sourceIdOf(operation))
    if (!flowing.has(key)) flowing.set(key, (work) => postponed.push(work))
  }
  const chain = { ...request.chain, held: before.union(keys), flowing }
  const held = { ...sync, scripts: { ...sync.scripts, request: { ...request, chain } } }
  const options = { own: sync.watch, patience: before.size > 0 ? patience : undefined }
  const result = await sync.locks.hold([...keys], () => work(held), options)
  for (const later of postponed) await later(request.chain ?? {})
  return result
}

/** One source object on its way through one mapping. */
export function flowKey(mapping: string, sourceId: string | undefined): string {
  return JSON.stringify([mapping, sourceId])
}

/** Operations whose object others have worked on since the sets were queried, with their source as it is now. */
export async function refreshed(
  sync: Synchronization,
  operations: readonly Operation[],
): Promise<readonly Operation[]> {
  const { sources, signal } = sync
  const overtaken = operations.filter((operation) => isOvertaken(sync, operation))
  if (overtaken.length === 0) return operations
  const ids = [...new Set(overtaken.map(({ sourceId }) => sourceId as string))]
  const found = await sources.readMany(ids, signal)
  for (const operation of overtaken) {
    operation.overtaken = true
    operation.source = found.get(operation.sourceId as string)
  }
  // What is gone was worked by whoever saw it go; its target is left to the target phase.
  return operations.filter(({ overtaken: again, source }) => !again || source !== undefined)
}

/** True if others have worked on its source since the sets were queried. */
export function isOvertaken(sync: Synchronization, operation: Operation): boolean {
  return sync.watch?.touched(keyOf(sync, operation) ?? '') === true
}

/** Undefined for a target that no link leads to: nobody else can be working on its source. */
function keyOf({ links, rules }: Synchronization, operation: Operation): string | undefined {
  const sourceId = sourceIdOf(operation)
  if (sourceId === undefined) return undefined
  return lockKey(rules.mapping.links.type, operation.linkQualifier, links.normalSource(sourceId))
}

/** One object of one link set under one qualifier; `sourceId` as links compare it. */
export function lockKey(linkType: string, linkQualifier: string, sourceId: string): string {
  return JSON.stringify([linkType, linkQualifier, sourceId])
}
