import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { assessDeleted } from '../../plan/assess-deleted.ts'
import { assessSource, boundTarget } from '../../plan/assess-source.ts'
import type { ScriptOutcome } from '../../scripts/engine.ts'
import { chooseActions } from './chosen-action.ts'
import { goesOn, type Operation } from './operation.ts'
import { awaitsOnLink, shapePage } from './shape-page.ts'
import { holdBack } from './split-conflicts.ts'
import type { Synchronization } from './synchronization.ts'
import type { TargetIds } from './target-ids.ts'

/** Decided operations, in order, and those that must wait until these are applied. */
export interface Decided {
  readonly operations: readonly Operation[]
  readonly heldBack: readonly Operation[]
}

/**
 * Joins, assesses, decides and shapes a page of source operations (engine §3.2, §4.1). Reads, never
 * writes. Operations whose outcome depends on another one of the page come back as held back: a page must come to
 * what its objects would come to one after the other.
 */
export async function decideSources(sync: Synchronization, page: readonly Operation[]): Promise<Decided> {
  await qualify(
    sync,
    page.filter(({ source }) => source !== undefined),
  )
  await joinLinks(sync, page)
  await sync.correlator.correlate(
    page.filter(
      (operation) => !operation.link && (operation.source ?? operation.oldSource) && goesOn(operation),
    ),
  )
  bindTargets(sync, page)
  await readTargets(sync, page)
  await assess(sync, page)
  await chooseActions(sync, page)
  await shapePage(
    sync,
    page.filter((operation) => !awaitsOnLink(sync, operation)),
  )
  return holdBack(page)
}

/** `validSource` and `sourceCondition`; a rule that throws fails its own object only. */
async function qualify(sync: Synchronization, page: readonly Operation[]): Promise<void> {
  const inputs = page.map(({ source, linkQualifier }) => ({ source, linkQualifier }))
  const outcomes = await sync.rules.ask('qualify', inputs, sync.scripts)
  page.forEach((operation, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) {
      operation.failure = outcome?.error as Problem
      return
    }
    const { qualifies, reason } = outcome.value as { qualifies: boolean; reason: string | null }
    operation.qualifies = qualifies
    operation.disqualifiedBy = reason ?? undefined
  })
}

/** One links query a qualifier. */
async function joinLinks({ links }: Synchronization, page: readonly Operation[]): Promise<void> {
  for (const [qualifier, group] of Map.groupBy(page, ({ linkQualifier }) => linkQualifier)) {
    const found = await links.ofSources(
      qualifier,
      group.map(({ sourceId }) => sourceId as string),
    )
    for (const operation of group) operation.link = found.get(operation.sourceId as string)
  }
}

function bindTargets({ targetIds }: Synchronization, page: readonly Operation[]): void {
  for (const operation of page) {
    const id = boundTarget(operation)
    operation.targetId = id === undefined ? undefined : (targetIds?.spelling(id) ?? id)
  }
}

/**
 * The bound targets of the page, one read. In a run that queried the targets a linked one exists only if the query
 * returned it (engine §3.1): with a restricting `targetQuery`, targets outside it appear as gone.
 */
async function readTargets(
  { targets, targetIds, signal, looksAtTargets }: Synchronization,
  page: readonly Operation[],
): Promise<void> {
  if (!looksAtTargets && targetIds) return seeTargets(targetIds, page)
  const outsideQuery = ({ link, targetId, overtaken }: Operation) =>
    link && targetIds && !overtaken && !targetIds.has(targetId as string)
  const wanted = page.filter((operation) => operation.targetId !== undefined && !outsideQuery(operation))
  if (wanted.length === 0) return
  const found = await targets.readMany(
    wanted.map(({ targetId }) => targetId as string),
    signal,
  )
  for (const operation of wanted) {
    operation.target = found.get(operation.targetId as string)
    // A link may have it in another case; from here on it is as the target spells it.
    if (operation.target) operation.targetId = operation.target._id
  }
}

/** As far as the target query tells. */
function seeTargets(targetIds: TargetIds, page: readonly Operation[]): void {
  for (const operation of page) {
    const { targetId } = operation
    if (targetId !== undefined && targetIds.has(targetId)) operation.target = { _id: targetId }
  }
}

async function assess(sync: Synchronization, page: readonly Operation[]): Promise<void> {
  const deleted = page.filter(({ source }) => source === undefined)
  const valid = await acceptedTargets(sync, deleted)
  const accepted = await acceptedOldSources(sync, deleted)
  for (const operation of page.filter(goesOn)) {
    const facts = { ...operation, targetExists: operation.target !== undefined }
    operation.situation = operation.source
      ? assessSource(facts)
      : assessDeleted({
          ...facts,
          targetIsValid: valid.has(operation),
          oldValue: operation.oldSource,
          oldValueIsValid: accepted.has(operation),
        })
  }
}

/** `validSource` of deleted objects without a link, as they were. */
async function acceptedOldSources(
  sync: Synchronization,
  deleted: readonly Operation[],
): Promise<ReadonlySet<Operation>> {
  const asked = deleted.filter(({ link, oldSource }) => !link && oldSource !== undefined)
  const inputs = asked.map(({ oldSource, linkQualifier }) => ({
    source: oldSource as JsonObject,
    linkQualifier,
  }))
  return accepting(asked, await sync.rules.ask('acceptSource', inputs, sync.scripts))
}

/** `validTarget` for operations whose target is there. */
export async function acceptedTargets(
  sync: Synchronization,
  operations: readonly Operation[],
): Promise<ReadonlySet<Operation>> {
  const present = operations.filter(({ target }) => target !== undefined)
  const inputs = present.map(({ target, linkQualifier }) => ({ target, linkQualifier }))
  return accepting(present, await sync.rules.ask('acceptTarget', inputs, sync.scripts))
}

function accepting(
  operations: readonly Operation[],
  outcomes: readonly ScriptOutcome[],
): ReadonlySet<Operation> {
  const accepted = new Set<Operation>()
  operations.forEach((operation, position) => {
    const outcome = outcomes[position]
    if (!outcome?.ok) operation.failure = outcome?.error
    else if (outcome.value === true) accepted.add(operation)
  })
  return accepted
}
