import { assessTarget } from '../../plan/assess-target.ts'
import { chooseActions } from './chosen-action.ts'
import { acceptedTargets } from './decide-sources.ts'
import { goesOn, type Operation, targetOperation } from './operation.ts'
import { awaitsOnLink, shapePage } from './shape-page.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * The operations on a page of targets that no source operation handled, in rounds: one a qualifier, so that what one
 * qualifier does to a target is done before the next one looks at it. A target that is linked under some qualifier is
 * skipped under those where it is not (engine §3.4, [D]): an UNASSIGNED: DELETE must not delete a
 * linked object.
 */
export async function targetRounds(
  sync: Synchronization,
  targetIds: readonly string[],
  qualifiers: readonly string[],
): Promise<readonly (readonly Operation[])[]> {
  const rounds = qualifiers.map((qualifier) => targetIds.map((id) => targetOperation(id, qualifier)))
  if (qualifiers.length < 2) return rounds
  await joinTargetLinks(sync, rounds.flat())
  const linked = await sync.links.linkedTargets(targetIds)
  return rounds.map((round) => round.filter(({ link, targetId }) => link || !linked.has(targetId as string)))
}

/**
 * Joins, assesses, decides and shapes target operations of one round (engine §3.4). Reads, never
 * writes. `gone` are targets that an earlier round deletes, which a dry run only foresees.
 */
export async function decideTargets(
  sync: Synchronization,
  operations: readonly Operation[],
  gone: ReadonlySet<string>,
): Promise<void> {
  const ids = operations.map(({ targetId }) => targetId as string)
  const objects = await sync.targets.readMany(ids, sync.signal)
  for (const operation of operations) {
    const id = operation.targetId as string
    operation.target = gone.has(id) ? undefined : objects.get(id)
  }
  await joinTargetLinks(sync, operations)
  await readSources(sync, operations)
  await assess(sync, operations)
  await chooseActions(sync, operations)
  await shapePage(
    sync,
    operations.filter((operation) => !awaitsOnLink(sync, operation)),
  )
}

/** Which sources a page of targets is about. Whoever holds these joins again: others may have been at work before. */
export async function joinTargetLinks(
  { links }: Synchronization,
  operations: readonly Operation[],
): Promise<void> {
  for (const [qualifier, group] of Map.groupBy(operations, ({ linkQualifier }) => linkQualifier)) {
    const found = await links.ofTargets(
      qualifier,
      group.map(({ targetId }) => targetId as string),
    )
    for (const operation of group) operation.link = found.get(operation.targetId as string)
  }
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
