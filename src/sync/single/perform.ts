import { type Action, isAction, isSituation } from '../../mapping/situation.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext } from '../../router/resources.ts'
import { applyPage, type Recorder } from '../page/apply/apply.ts'
import type { Correlator } from '../page/correlate.ts'
import { joinTargetLinks } from '../page/decide-targets.ts'
import { type Operation, sourceOperation, targetOperation } from '../page/operation.ts'
import type { Rules } from '../page/rules.ts'
import { holdingSources } from '../page/source-locks.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { singleRecorder } from '../reconciliation/record.ts'
import { decideSource, decideTarget, openSingle, type SingleOptions, sourceOf } from './look.ts'

/** The parameters of `sync?_action=performAction` (engine §8.6), as they come with a request. */
export type PerformParameters = Readonly<Record<string, string | undefined>>

/**
 * Performs one action on one source object, or on a target without source, whatever the policies say: for people and
 * workflows that decide what a run left to them. Assessed anew; a `situation` that does not hold any more is refused.
 */
export async function performAction(
  options: SingleOptions,
  parameters: PerformParameters,
  context: RequestContext,
): Promise<Json> {
  const asked = request(parameters)
  const opened = await openSingle(options, asked.mapping, context, {
    analysis: false,
    runId: parameters.reconId,
  })
  const sync = {
    ...opened,
    rules: deciding(opened.rules, asked.action),
    correlator: asked.sourceId === undefined ? opened.correlator : forcing(opened, asked.targetId),
  }
  const operations = await about(sync, asked)
  const perform = async (held: Synchronization) => {
    const operation = await decided(held, asked)
    if (asked.situation !== undefined && operation.situation !== asked.situation) {
      const found = `Expected: ${asked.situation}, Found: ${operation.situation ?? 'none'}`
      throw new Problem('SYNC_FAILED', `Expected situation does not match. ${found}`)
    }
    if (asked.ignorePostAction) operation.policy = undefined
    await applyPage(held, [operation], recorderOf(held, asked.recorded, context))
    const failure = operation.failure ?? refused(operation)
    if (failure) throw failure
    return { status: 'OK' }
  }
  return options.underway.during(sync.runId, () => holdingSources(sync, operations, perform))
}

/** The operation as far as it says whose turn it is; decided when it is this one's. */
async function about(
  sync: Synchronization,
  { sourceId, targetId, linkQualifier }: Asked,
): Promise<readonly Operation[]> {
  if (sourceId !== undefined) return [sourceOperation(sourceId, undefined, linkQualifier)]
  const operation = targetOperation(targetId as string, linkQualifier)
  await joinTargetLinks(sync, [operation])
  return [operation]
}

interface Asked {
  readonly mapping: string
  readonly action: Action
  readonly sourceId: string | undefined
  readonly targetId: string | undefined
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
  const isTarget = target === 'true'
  if (isTarget ? !targetId : !sourceId)
    throw new Problem('BAD_REQUEST', 'performAction needs sourceId, or target=true with targetId')
  return {
    mapping,
    action: name,
    sourceId: isTarget ? undefined : sourceId,
    targetId,
    linkQualifier: linkQualifier || 'default',
    situation: situation?.toUpperCase(),
    ignorePostAction: parameters.ignorePostAction === 'true',
    recorded: Boolean(reconId),
  }
}

/** The named objects must be there; then the operation is assessed like any other. */
async function decided(sync: Synchronization, asked: Asked): Promise<Operation> {
  const { sourceId, targetId, linkQualifier } = asked
  if (targetId !== undefined && !(await sync.targets.readMany([targetId])).has(targetId))
    throw absent('Target', `${sync.rules.mapping.target}/${targetId}`)
  if (sourceId === undefined) return decideTarget(sync, targetId as string, linkQualifier)
  const source = await sourceOf(sync, asked)
  if (!source) throw absent('Source', `${sync.rules.mapping.source}/${sourceId}`)
  return decideSource(sync, sourceId, source, linkQualifier)
}

function absent(side: 'Source' | 'Target', path: string): Problem {
  return new Problem('SYNC_FAILED', `${side} object ${path} does not exist`)
}

/** Policies do not decide; the first whose condition holds lends its `postAction` (engine §8.6, [D]). */
function deciding(rules: Rules, action: Action): Rules {
  return {
    ...rules,
    async ask(procedure, inputs, context) {
      if (procedure !== 'choose') return rules.ask(procedure, inputs, context)
      const matched = await rules.ask('matchPolicy', inputs, context)
      return matched.map((outcome) =>
        outcome.ok ? { ok: true, value: { ...(outcome.value as object), action } } : outcome,
      )
    },
  }
}

/** A target that the caller names is the one that correlation finds (engine §6.5). */
function forcing({ correlator, links }: Synchronization, targetId: string | undefined): Correlator {
  if (targetId === undefined) return correlator
  return {
    ...correlator,
    async correlate(operations) {
      for (const operation of operations) {
        const linked = (await links.ofTargets(operation.linkQualifier, [targetId])).has(targetId)
        operation.candidates = [{ id: targetId, linked }]
      }
    },
  }
}

function recorderOf(sync: Synchronization, recorded: boolean, { userId }: RequestContext): Recorder {
  return recorded ? singleRecorder(sync, userId) : { async record() {}, forget() {} }
}

/** An EXCEPTION that was asked for is what was wanted. */
function refused({ refusal, action }: Operation): Problem | undefined {
  if (refusal === undefined || action === 'EXCEPTION') return undefined
  return new Problem('SYNC_FAILED', refusal)
}
