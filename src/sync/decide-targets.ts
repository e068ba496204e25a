import { assessTarget } from '../plan/assess-target.ts'
import { chooseActions } from './chosen-action.ts'
import { acceptedTargets } from './decide-sources.ts'
import { goesOn, type Operation, targetOperation } from './operation.ts'
import { awaitsOnLink, shapePage } from './shape-page.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Joins, assesses, decides and shapes a page of targets that no source operation handled, under every qualifier
 * (engine specification §3.4). Reads, never writes. A target that is linked under some qualifier is skipped
 * under those where it is not ([D]): an UNASSIGNED: DELETE must not delete a linked object.
 */
export async function decideTargets(
  sync: Synchronization,
  targetIds: readonly string[],
  qualifiers: readonly string[],
): Promise<readonly Operation[]> {
  const objects = await sync.targets.readMany(targetIds, sync.signal)
  const operations = targetIds.flatMap((id) => qualifiers.map((qualifier) => targetOperation(id, qualifier)))
  for (const operation of operations) operation.target = objects.get(operation.targetId as string)
  await joinLinks(sync, operations)
  const relevant = await withoutOtherQualifiers(sync, operations)
  await readSources(sync, relevant)
  await assess(sync, relevant)
  await chooseActions(sync, relevant)
  await shapePage(
    sync,
    relevant.filter((operation) => !awaitsOnLink(sync, operation)),
  )
  return relevant
}

async function joinLinks({ links }: Synchronization, operations: readonly Operation[]): Promise<void> {
  for (const [qualifier, group] of Map.groupBy(operations, ({ linkQualifier }) => linkQualifier)) {
    const found = await links.ofTargets(
      qualifier,
      group.map(({ targetId }) => targetId as string),
    )
    for (const operation of group) operation.link = found.get(operation.targetId as string)
  }
}

async function withoutOtherQualifiers(
  { links }: Synchronization,
  operations: readonly Operation[],
): Promise<readonly Operation[]> {
  const unlinked = operations.filter(({ link }) => !link)
  if (unlinked.length === 0) return operations
  const linked = await links.linkedTargets([...new Set(unlinked.map(({ targetId }) => targetId as string))])
  return operations.filter(({ link, targetId }) => link || !linked.has(targetId as string))
}

/** Sources are read afresh: they may have appeared since the source phase. */
async function readSources(
  { sources, signal }: Synchronization,
  operations: readonly Operation[],
): Promise<void> {
  const linked = operations.filter(({ link }) => link)
  if (linked.length === 0) return
  const found = await sources.readMany(
    [...new Set(linked.map(({ link }) => link?.sourceId as string))],
    signal,
  )
  for (const operation of linked) operation.source = found.get(operation.link?.sourceId as string)
}

async function assess(sync: Synchronization, operations: readonly Operation[]): Promise<void> {
  const accepted = await acceptedTargets(sync, operations)
  const withSource = operations.filter((operation) => operation.source && goesOn(operation))
  const inputs = withSource.map(({ source, linkQualifier }) => ({ source, linkQualifier }))
  const outcomes = await sync.rules.ask('qualify', inputs, sync.scripts)
  withSource.forEach((operation, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) operation.failure = outcome?.error
    else operation.qualifies = (outcome.value as { qualifies: boolean }).qualifies
  })
  for (const operation of operations.filter(goesOn)) {
    operation.situation = assessTarget({
      targetIsValid: accepted.has(operation),
      linked: operation.link !== undefined,
      sourceExists: operation.source !== undefined,
      sourceQualifies: operation.qualifies,
    })
  }
}
