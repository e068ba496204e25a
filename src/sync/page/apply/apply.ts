import type { Store } from '../../../repository/repository.ts'
import { goesOn, linksAnyway, type Operation } from '../operation.ts'
import type { Synchronization } from '../synchronization.ts'
import { carryOutConsequences } from './consequences.ts'
import { runErrorHook, runHook, runPostAction } from './hooks.ts'
import { settled } from './intents.ts'
import { rememberAssignments } from './last-sync.ts'
import { order, type Step, takes } from './steps.ts'
import { storeLinksAfter, storeLinksBefore } from './store-links.ts'
import { writeTargets } from './write-targets.ts'
import type { Writers } from './writers.ts'

export interface Recorder {
  /** Records what became of a page, with the same writers as the page itself. */
  record(operations: readonly Operation[], store: Store): Promise<void>
  /** The page and its record were not kept: nothing of it happened. */
  forget(operations: readonly Operation[]): void
}

/**
 * Applies a page of decided operations and records it. Does nothing that the operations do not say. When the
 * target lives in the repository and no hook runs in between, objects, links and records of the page are one
 * transaction; otherwise what is about to be done is written down, and links and records follow the target's answer.
 */
export async function applyPage(
  deciding: Synchronization,
  operations: readonly Operation[],
  recorder: Recorder,
): Promise<void> {
  const sync = uninterrupted(deciding)
  if (sync.dryRun) return recorder.record(operations, sync.repository)
  const { repository, targets, rules } = sync
  if (targets.joining && !rules.interleaved) {
    const join = targets.joining.bind(targets)
    let recorded = false
    try {
      await repository.transaction(async (store) => {
        await takeSteps(sync, operations, { store, targets: join(store), apart: false })
        recorded = true
        await recorder.record(operations, store)
      })
    } catch (error) {
      if (recorded) recorder.forget(operations)
      throw error
    }
    await carryOutConsequences(sync, operations)
  } else {
    await takeSteps(sync, operations, { store: repository, targets, apart: true })
    await repository.transaction(async (store) => {
      await recorder.record(operations, store)
      const ids = settled(operations)
      if (ids.length > 0) await store.intents.remove(ids)
    })
  }
  remember(sync, operations)
}

/** Whoever cancels a run waits for the page that is being written: a write without its link would be half an operation. */
function uninterrupted(sync: Synchronization): Synchronization {
  return { ...sync, signal: undefined, scripts: { ...sync.scripts, signal: undefined } }
}

async function takeSteps(
  sync: Synchronization,
  operations: readonly Operation[],
  writers: Writers,
): Promise<void> {
  for (const step of order) {
    const goingOn = (operation: Operation) =>
      goesOn(operation) || (step === 'linkBefore' && linksAnyway(operation, sync.rules.mapping))
    const due = operations.filter((operation) => goingOn(operation) && takes(operation.action, step))
    if (due.length > 0) await perform[step](sync, due, writers)
  }
  await runErrorHook(sync, operations.filter(hasFailed))
}

/** An EXCEPTION is what was asked for, and what a plan leaves out was not tried. */
function hasFailed({ failure, refusal, action, stale }: Operation): boolean {
  return failure !== undefined || (refusal !== undefined && action !== 'EXCEPTION' && stale === undefined)
}

type Perform = (sync: Synchronization, operations: readonly Operation[], writers: Writers) => Promise<void>

const perform = {
  onDelete: (sync, operations) =>
    runHook(
      sync,
      'onDelete',
      operations.filter(({ target }) => target !== undefined),
    ),
  onLink: (sync, operations) => runHook(sync, 'onLink', operations.filter(lacksLink(sync))),
  linkBefore: (sync, operations, { store }) =>
    storeLinksBefore(sync, operations.filter(lacksLink(sync)), store),
  writeTarget: writeTargets,
  onLinkAfter: (sync, operations) => runHook(sync, 'onLink', operations.filter(lacksLink(sync))),
  onUnlink: (sync, operations) =>
    runHook(
      sync,
      'onUnlink',
      operations.filter(({ link }) => link !== undefined),
    ),
  linkAfter: (sync, operations, { store }) => storeLinksAfter(sync, operations, store),
  postMapping: async (sync, operations, writers) => {
    await runHook(sync, 'postMapping', operations)
    await rememberAssignments(sync, operations, writers)
  },
  consequences: async (sync, operations, { apart }) => {
    // What is not committed yet is not carried on; applyPage does that when it is.
    if (apart) await carryOutConsequences(sync, operations)
  },
  postAction: runPostAction,
} as const satisfies { [step in Step]: Perform }

function lacksLink({ rules }: Synchronization): (operation: Operation) => boolean {
  return ({ link }) => rules.mapping.links.enabled && link === undefined
}

/** Later pages correlate against what this one wrote. Only after the writes are certain to stay. */
function remember({ correlator }: Synchronization, operations: readonly Operation[]): void {
  for (const { effect, targetId, target, oldTarget, desired } of operations) {
    if (targetId === undefined) continue
    if (effect === 'created') correlator.wrote(targetId, undefined, { ...desired, _id: targetId })
    else if (effect === 'updated') correlator.wrote(targetId, oldTarget, { ...desired, _id: targetId })
    else if (effect === 'deleted') correlator.wrote(targetId, target, undefined)
  }
}
