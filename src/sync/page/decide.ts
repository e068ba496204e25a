import { defaultAction } from '../../mapping/situation.ts'
import { diff } from '../../model/diff.ts'
import type { Json } from '../../model/json.ts'
import { revivedProblem } from '../../model/plain-problem.ts'
import { Problem } from '../../model/problem.ts'
import { SecretValues } from '../../model/secret-values.ts'
import {
  awaitsOnLink,
  type Decision,
  type Extent,
  type Facts,
  shapeInputOf,
  type Wanted,
} from '../../plan/decide.ts'
import type { Shaped, ShapeInput } from '../../plan/shape.ts'
import { type Applied, type Decided, goesOn, type Joined, nothingDecided } from './operation.ts'
import { askThose, onThose } from './places.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Decides a page of joined operations: situation, action and what it writes, in one crossing into the sandbox. Where scripts may
 * change the world, shaping is a crossing of its own: what ends one script by force must not make another run again.
 */
export async function decidePage(
  sync: Synchronization,
  page: readonly Joined[],
): Promise<readonly Decided[]> {
  const undecided = page.map((joined): Decided => ({ ...joined, ...nothingDecided, stage: 'decided' }))
  return onThose(undecided, goesOn, async (due) => {
    if (sync.until !== 'shape' || !sync.rules.oneByOne) return decideUntil(sync, due, sync.until)
    return shapePage(sync, await decideUntil(sync, due, 'action'))
  })
}

const shorter = { shape: 'action', action: 'situation', situation: undefined } as const satisfies Record<
  Extent,
  Extent | undefined
>

/** A decision that was broken off, because a script ran out of time or memory, is made as far as it goes without it. */
async function decideUntil(
  sync: Synchronization,
  page: readonly Decided[],
  until: Extent,
): Promise<readonly Decided[]> {
  const wanted = wantedOf(sync, until)
  const inputs = page.map((operation) => factsOf(operation, wanted))
  const outcomes = await sync.rules.ask('decide', inputs, sync.scripts)
  const broken = page.filter((_, place) => !outcomes[place]?.ok)
  const before = shorter[until]
  const known = (before && broken.length > 0 ? await decideUntil(sync, broken, before) : broken).values()
  return Promise.all(
    page.map((operation, place) => {
      const outcome = outcomes[place]
      if (outcome?.ok) return withDecision(sync, operation, outcome.value, outcome.decrypted)
      const failure = outcome?.error ?? new Problem('INTERNAL', 'no decision was made')
      return brokenOff(sync, known.next().value ?? operation, until, failure)
    }),
  )
}

/** What is known of an operation whose decision was broken off at this point. */
async function brokenOff<T extends Decided | Applied>(
  sync: Synchronization,
  known: T,
  until: Extent,
  failure: Problem,
): Promise<T> {
  if (!goesOn(known)) return known
  if (until === 'situation' || known.situation === undefined) return { ...known, failure }
  // Recorded with the action that would have applied.
  if (until === 'action') return { ...known, action: defaultAction[known.situation], failure }
  if (sync.hooks !== 'foresee') return { ...known, failure, shapingFailed: true }
  const [without = known] = await shapePage({ ...sync, hooks: 'skip' }, [known])
  return without.failure ? without : { ...without, unforeseen: failure.message }
}

function withDecision(
  sync: Synchronization,
  operation: Decided,
  decision: Decision,
  decrypted: readonly Json[] | undefined,
): Decided {
  const { qualifies, disqualifiedBy, situation, action, policy, refusal, problem } = decision
  const failure = problem && revivedProblem(problem, hiding(decrypted))
  const decided = { ...operation, qualifies, disqualifiedBy, situation, action, policy, refusal, failure }
  return withShape(sync, decided, decision, decrypted)
}

function withShape<T extends Decided | Applied>(
  sync: Synchronization,
  operation: T,
  { shape, unforeseen, shapingProblem }: Shaped,
  decrypted: readonly Json[] | undefined,
): T {
  const hidden = hiding(decrypted)
  if (shapingProblem)
    return { ...operation, failure: revivedProblem(shapingProblem, hidden), shapingFailed: true }
  if (!shape) return operation
  const linkedTarget = linkedTargetOf(operation)
  const linked = linkedTarget ? diff(operation.target ?? {}, linkedTarget) : []
  const hooked = [...(shape.hooked ?? []), ...linked.map(({ pointer }) => pointer)]
  const isSecret = sync.secrets.ofOperation(operation, { decrypted, hooked })
  return {
    ...operation,
    desired: shape.desired,
    changes: shape.changes.map((change) => (isSecret(change) ? { ...change, secret: true } : change)),
    unforeseen: unforeseen === undefined ? operation.unforeseen : hidden(unforeseen),
  }
}

/** The error of a script may contain values that it decrypted. */
function hiding(decrypted: readonly Json[] | undefined): (text: string) => string {
  if (!decrypted) return (text) => text
  const secrets = new SecretValues(decrypted)
  return (text) => secrets.hiddenIn(text)
}

function linkedTargetOf(operation: Decided | Applied) {
  return operation.stage === 'applied' ? operation.linkedTarget : undefined
}

/** Desired objects and changes anew, of those operations that write attributes: on what was read since, or changed by `onLink`. */
export async function shapePage<T extends Decided | Applied>(
  sync: Synchronization,
  page: readonly T[],
): Promise<readonly T[]> {
  const wanted = wantedOf(sync, 'shape')
  const outcomes = await askThose(
    page,
    (operation) => shapingOf(sync, operation, wanted),
    (inputs) => sync.rules.ask('shape', inputs, sync.scripts),
  )
  return Promise.all(
    page.map((operation, place) => {
      const outcome = outcomes[place]
      if (!outcome) return operation
      if (outcome.ok) return withShape(sync, operation, outcome.value, outcome.decrypted)
      return brokenOff(sync, operation, 'shape', outcome.error)
    }),
  )
}

function shapingOf(
  { rules: { mapping } }: Synchronization,
  operation: Decided | Applied,
  wanted: Wanted,
): ShapeInput | undefined {
  const { situation, action } = operation
  if (!goesOn(operation) || situation === undefined || action === undefined) return undefined
  const facts = factsOf(operation, wanted)
  if (operation.stage === 'decided' && awaitsOnLink(facts, action, mapping)) return undefined
  const input = shapeInputOf(facts, situation, action)
  return input && { ...input, linkedTarget: linkedTargetOf(operation) }
}

export function wantedOf({ runId, hooks, secrets, action }: Synchronization, until: Extent): Wanted {
  return { reconId: runId, hooks, until, tellsHooked: secrets.hooks, action }
}

/** Everything that was read of an operation, as the decision takes it. */
export function factsOf(operation: Decided | Applied, wanted: Wanted): Facts {
  const { phase, linkQualifier, source, oldSource, link, candidates, target } = operation
  const { qualifies, disqualifiedBy } = operation
  const known = {
    linkQualifier,
    sourceId: operation.sourceId ?? null,
    oldSource,
    link: link ? { targetId: link.targetId } : null,
    candidates,
    targetId: operation.targetId ?? null,
    target: target ?? null,
    wanted,
  }
  if (phase === 'target') return { ...known, kind: 'target', source: source ?? null }
  if (!source) return { ...known, kind: 'deleted', source: null, qualifies, disqualifiedBy }
  return { ...known, kind: 'source', source, qualifies, disqualifiedBy }
}
