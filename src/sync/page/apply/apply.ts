import type { Mapping } from '../../../mapping/mapping.ts'

import type { Store } from '../../../repository/repository.ts'
import { type Applied, type Decided, dueOf, goesOn, linksAnyway } from '../operation.ts'
import { onThose } from '../places.ts'
import type { Applying, Synchronization } from '../synchronization.ts'
import { carryOutConsequences } from './consequences.ts'
import { foresee } from './foresee.ts'
import { runErrorHook, runHook, runPostAction } from './hooks.ts'
import { resolved } from './intents.ts'
import { judged, unapplied } from './judged.ts'
import { rememberAssignments } from './last-sync.ts'
import { nameHolders } from './name-holders.ts'
import { order, type Step, takes } from './steps.ts'
import { leaveBehind, linkTargets, storeLinksAfter } from './store-links.ts'
import { refuseTakenIds } from './taken-ids.ts'
import { writeTargets } from './write-targets.ts'

export interface Recorder {
  /**
   * Writes down what became of a page, with its own writers. Called again, with other operations, if the transaction is
   * repeated: it leaves nothing behind but what it writes.
   */
  record(page: readonly Applied[], store: Store): Promise<void>
  /** The page and its record are certain to stay. */
  count?(page: readonly Applied[]): void
}

/**
 * Applies a page of decided operations and records it. Does nothing that the operations do not say. When the
 * target lives in the repository and no hook runs in between, objects, links and records of the page are one
 * transaction; otherwise what is about to be done is written down, and links and records follow the target's answer. What is
 * tried once more at the end of the run is not recorded, and not among the answers.
 */
export async function applyPage(
  deciding: Synchronization,
  page: readonly Decided[],
  recorder: Recorder,
): Promise<readonly Applied[]> {
  const { lost } = deciding
  if (!lost) return applyAll(deciding, page, recorder)
  const settled = (done: readonly Applied[]) => done.filter((operation) => !lost.takes(operation))
  const done = await applyAll(deciding, page, {
    record: (applied, store) => recorder.record(settled(applied), store),
    count: (applied) => recorder.count?.(settled(applied)),
  })
  const rest = settled(done)
  if (rest.length < done.length) lost.add(done.filter((operation) => lost.takes(operation)))
  return rest
}

async function applyAll(
  deciding: Synchronization,
  page: readonly Decided[],
  recorder: Recorder,
): Promise<readonly Applied[]> {
  const sync = uninterrupted(deciding)
  const { repository, targets, rules } = sync
  const begun = sync.dryRun ? await judged(sync, page) : await withFreeIds(sync, page.map(unapplied))
  if (sync.dryRun) {
    await recorder.record(begun, repository)
    recorder.count?.(begun)
    foresee(sync, begun)
    return begun
  }
  const inOne = targets.joining && !rules.interleaved ? targets.joining.bind(targets) : undefined
  if (inOne) {
    const done = await repository.transaction(async (store) => {
      const applied = await takeSteps({ ...sync, store, targets: inOne(store), apart: false }, begun)
      await recorder.record(applied, store)
      return applied
    })
    recorder.count?.(done)
    // What is not committed yet has no consequences.
    return kept(sync, await carryOutConsequences(sync, done))
  }
  const done = await takeSteps({ ...sync, store: repository, apart: true }, begun)
  await repository.transaction(async (store) => {
    await recorder.record(done, store)
    const ids = resolved(done)
    if (ids.length > 0) await store.intents.remove(ids)
  })
  recorder.count?.(done)
  return kept(sync, done)
}

/** A target outside is asked before it is written (intents.ts); the store itself refuses ids that it has, as it compares them. */
function withFreeIds(
  sync: Synchronization,
  page: readonly Applied[],
): Promise<readonly Applied[]> | readonly Applied[] {
  const { rules, targets } = sync
  const asks = rules.mapping.links.targetIgnoresCase && targets.joining !== undefined
  return asks ? refuseTakenIds(sync, page) : page
}

/** Cancelling waits for the page that is being written: a write without its link would be half an operation. */
function uninterrupted(sync: Synchronization): Synchronization {
  return { ...sync, signal: undefined, scripts: { ...sync.scripts, signal: undefined } }
}

/**
 * Later pages correlate against what this one wrote. Only after the writes are certain to stay; what was there before goes first,
 * for one target may have the id of another now.
 */
function kept({ correlator }: Synchronization, page: readonly Applied[]): readonly Applied[] {
  for (const { effect, target, oldTarget } of page) {
    const before = effect === 'updated' ? oldTarget : effect === 'deleted' ? target : undefined
    if (before) correlator.wrote(before._id, before, undefined)
  }
  for (const { effect, targetId, desired } of page) {
    if (targetId === undefined || (effect !== 'created' && effect !== 'updated')) continue
    correlator.wrote(targetId, undefined, { ...desired, _id: targetId })
  }
  return page
}

async function takeSteps(sync: Applying, begun: readonly Applied[]): Promise<readonly Applied[]> {
  let page = begun
  for (const step of order) {
    const isDue = (operation: Applied) =>
      takes(operation.action, step) && (goesOn(operation) || isDueAnyway(operation, step, sync.rules.mapping))
    page = await onThose(page, isDue, (due) => perform[step](sync, due))
  }
  await leaveBehind(sync, page)
  const named = await nameHolders(sync, page)
  await runErrorHook(
    sync,
    named.filter((operation) => hasFailed(operation) && !sync.lost?.takes(operation)),
  )
  return named
}

/** What follows from a page is with its first operation: that this one has failed says nothing about the others. */
function isDueAnyway(operation: Applied, step: Step, mapping: Mapping): boolean {
  if (step === 'consequences') return operation.consequence !== undefined
  return step === 'linkBefore' && linksAnyway(operation, mapping)
}

/** An EXCEPTION is what was asked for, and what a plan leaves out was not tried. */
function hasFailed({ failure, refusal, action, stale }: Applied): boolean {
  return failure !== undefined || (refusal !== undefined && action !== 'EXCEPTION' && stale === undefined)
}

type Perform = (sync: Applying, page: readonly Applied[]) => Promise<readonly Applied[]>

const perform = {
  onDelete: (sync, page) => onThose(page, hasTarget, (some) => runHook(sync, 'onDelete', some)),
  onLink: (sync, page) => onThose(page, lacksLink(sync), (some) => runHook(sync, 'onLink', some)),
  // UPDATE and LINK: link first, then write (engine §4.3, UPDATE 3).
  linkBefore: (sync, page) => onThose(page, lacksLink(sync), (some) => linkTargets(sync, some)),
  writeTarget: writeTargets,
  onLinkAfter: (sync, page) => onThose(page, lacksLink(sync), (some) => runHook(sync, 'onLink', some)),
  onUnlink: (sync, page) => onThose(page, hasLink, (some) => runHook(sync, 'onUnlink', some)),
  linkAfter: storeLinksAfter,
  postMapping: (sync, page) =>
    onThose(page, isMapped, async (some) =>
      rememberAssignments(sync, await runHook(sync, 'postMapping', some)),
    ),
  consequences: async (sync, page) => (sync.apart ? carryOutConsequences(sync, page) : page),
  postAction: runPostAction,
} as const satisfies { [step in Step]: Perform }

/** A target that is disabled until it is deleted is not made by the mapping. */
const isMapped = (operation: Applied) => dueOf(operation) === undefined
const hasTarget = ({ target }: Applied) => target !== undefined
const hasLink = ({ link }: Applied) => link !== undefined

function lacksLink({ rules }: Synchronization): (operation: Applied) => boolean {
  return (operation) => rules.mapping.links.enabled && !hasLink(operation)
}
