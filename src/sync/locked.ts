import { lockKey } from './object-locks.ts'
import { type Operation, sourceIdOf } from './operation.ts'
import type { Synchronization } from './synchronization.ts'

/** Does `work` while nobody else works on the sources of these operations. A dry run changes nothing and waits for nobody. */
export async function holdingSources<T>(
  sync: Synchronization,
  operations: readonly Operation[],
  work: () => Promise<T>,
): Promise<T> {
  if (sync.dryRun) return work()
  return sync.locks.hold(
    [...new Set(operations.flatMap((operation) => keyOf(sync, operation) ?? []))],
    work,
    sync.watch,
  )
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
