import { type Action, isAction, isSituation } from '../../mapping/situation.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext } from '../../router/resources.ts'
import { syncRecorder } from '../changes/implicit/result.ts'
import { applyPage } from '../page/apply/apply.ts'
import { linkedSources } from '../page/join.ts'
import { type Decided, readTarget } from '../page/operation.ts'
import { withSourceLocks } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { singleRecorder } from '../reconciliation/record.ts'
import type { SyncServices } from '../services.ts'
import { decideSource, decideTarget, openSingle, sourceOf } from './look.ts'

/** The parameters of `sync?_action=performAction` (engine §8.6), as they come with a request. */
type PerformParameters = Readonly<Record<string, string | undefined>>

/**
 * Performs one action on one source object, or on a target without source, whatever the policies say: for decisions that a run
 * left to people and workflows. On record in any case, with the `reason` that is given. Assessed anew; a `situation` that has changed is refused.
 */
export async function performAction(
  options: SyncServices,
  parameters: PerformParameters,
  context: RequestContext,
): Promise<Json> {
  const asked = request(parameters)
  const single = { analysis: false, runId: parameters.reconId }
  const opened = await openSingle(options, asked.mapping, context, single)
  const { about, action, linkQualifier } = asked
  const sync = { ...opened, action, namedTarget: about.targetId }
  const turns =
    'sourceId' in about
      ? [{ sourceId: about.sourceId, linkQualifier }]
      : await linkedSources(sync, [readTarget(about.targetId, linkQualifier)])
  const perform = async (held: Synchronization) => {
    const decided = await decide(held, asked)
    if (asked.situation !== undefined && decided.situation !== asked.situation) {
      const found = `Expected: ${asked.situation}, Found: ${decided.situation ?? 'none'}`
      throw new Problem('SYNC_FAILED', `Expected situation does not match. ${found}`)
    }
    const wanted = asked.ignorePostAction ? { ...decided, policy: undefined } : decided
    const by = { reason: parameters.reason }
    const recorder = asked.recorded
      ? singleRecorder(held, context.userId)
      : syncRecorder(held, () => context, by)
    const [done] = await applyPage(held, [wanted], recorder)
    if (done?.failure) throw done.failure
    // An EXCEPTION that was asked for is what was wanted.
    if (done?.refusal !== undefined && action !== 'EXCEPTION') throw new Problem('SYNC_FAILED', done.refusal)
    return { status: 'OK' }
  }
  return options.activeOperations.during(sync.runId, () => withSourceLocks(sync, turns, perform))
}

interface Asked {
  readonly mapping: string
  readonly action: Action
  /** A source object, with the target that it is to have; or a target without one. */
  readonly about:
    | { readonly sourceId: string; readonly targetId: string | undefined }
    | { readonly targetId: string }
  readonly linkQualifier: string
  readonly situation: string | undefined
  readonly ignorePostAction: boolean
  /** True if a run is named in whose records the action belongs. */
  readonly recorded: boolean
}

function request(parameters: PerformParameters): Asked {
  const { mapping, action, sourceId, targetId, target, linkQualifier, situation, reconId } = parameters
  if (!mapping || !action)
    throw new Problem('BAD_REQUEST', 'performAction needs the parameters mapping and action')
  const name = action.toUpperCase()
  if (!isAction(name)) throw new Problem('BAD_REQUEST', `"${action}" is no action`)
  if (situation !== undefined && !isSituation(situation.toUpperCase()))
    throw new Problem('BAD_REQUEST', `"${situation}" is no situation`)
  const about = target === 'true' ? targetId && { targetId } : sourceId && { sourceId, targetId }
  if (!about) throw new Problem('BAD_REQUEST', 'performAction needs sourceId, or target=true with targetId')
  return {
    mapping,
    action: name,
    about,
    linkQualifier: linkQualifier || 'default',
    situation: situation?.toUpperCase(),
    ignorePostAction: parameters.ignorePostAction === 'true',
    recorded: Boolean(reconId),
  }
}

/** The named objects must be there; then the operation is assessed like any other. */
async function decide(sync: Synchronization, { about, linkQualifier }: Asked): Promise<Decided> {
  const { targetId } = about
  if (targetId !== undefined && !(await sync.targets.readMany([targetId])).has(targetId))
    throw absent('Target', `${sync.rules.mapping.target}/${targetId}`)
  if (!('sourceId' in about)) return decideTarget(sync, about.targetId, linkQualifier)
  const source = await sourceOf(sync, about.sourceId)
  if (!source) throw absent('Source', `${sync.rules.mapping.source}/${about.sourceId}`)
  return decideSource(sync, about.sourceId, source, linkQualifier)
}

function absent(side: 'Source' | 'Target', path: string): Problem {
  return new Problem('SYNC_FAILED', `${side} object ${path} does not exist`)
}
