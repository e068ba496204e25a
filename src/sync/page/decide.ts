import { defaultAction } from '../../mapping/situation.ts'
import { type Change, diff } from '../../model/diff.ts'
import type { Json } from '../../model/json.ts'
import { revivedProblem } from '../../model/plain-problem.ts'
import { Problem } from '../../model/problem.ts'
import {
  awaitsOnLink,
  type Decision,
  type Extent,
  type Facts,
  shapeInputOf,
  type Wanted,
} from '../../plan/decide.ts'
import type { Shape, Shaped, ShapeInput } from '../../plan/shape.ts'
import { requireKnownAbsence } from './absence.ts'
import { withCertainty } from './certain.ts'
import { withGrace } from './grace.ts'
import { asHeld } from './held.ts'
import { type Applied, type Decided, goesOn, type Joined, nothingDecided } from './operation.ts'
import { askThose } from './places.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Decides a page of joined operations: situation, action and what it writes, in one crossing into the sandbox. Where scripts may
 * change the world, shaping is a crossing of its own: what ends one script by force must not make another run again.
 */
export async function decidePage(
  sync: Synchronization,
  page: readonly Joined[],
): Promise<readonly Decided[]> {
  const due = page.filter(({ failure }) => failure === undefined)
  const decided = due.length === 0 ? [] : await decideDue(sync, due)
  const { listings } = sync
  const known = listings ? decided.map((operation) => requireKnownAbsence(listings, operation)) : decided
  const done = await withGrace(sync, known)
  if (due.length === page.length) return done
  let next = 0
  return page.map((joined) => (joined === due[next] ? done[next++] : undefined) ?? undecided(joined))
}

async function decideDue(sync: Synchronization, page: readonly Joined[]): Promise<readonly Decided[]> {
  if (sync.until !== 'shape' || !sync.rules.oneByOne) return decideUntil(sync, page, sync.until)
  return shapePage(sync, await decideUntil(sync, page, 'action'))
}

function undecided(joined: Joined): Decided {
  return { ...joined, ...nothingDecided, stage: 'decided' }
}

const shorter = { shape: 'action', action: 'situation', situation: undefined } as const satisfies Record<
  Extent,
  Extent | undefined
>

/** A decision that was broken off, because a script ran out of time or memory, is made as far as it goes without it. */
async function decideUntil(
  sync: Synchronization,
  page: readonly Joined[],
  until: Extent,
): Promise<readonly Decided[]> {
  const wanted = wantedOf(sync, until)
  const inputs = page.map((operation) => factsOf(operation, wanted))
  const asked = await withCertainty(sync, (scripts) => sync.rules.ask('decide', inputs, scripts))
  const outcomes = await asHeld(sync.targets, page, asked)
  const broken = page.filter((_, place) => !outcomes[place]?.ok)
  const before = shorter[until]
  const known = (before && broken.length > 0 ? await decideUntil(sync, broken, before) : []).values()
  const decided: Decided[] = []
  for (const [place, joined] of page.entries()) {
    const outcome = outcomes[place]
    if (outcome?.ok) decided.push(withDecision(sync, joined, outcome.value, outcome.decrypted))
    else {
      const failure = outcome?.error ?? new Problem('INTERNAL', 'no decision was made')
      decided.push(await brokenOff(sync, known.next().value ?? undecided(joined), until, failure))
    }
  }
  return decided
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
  joined: Joined,
  decision: Decision,
  decrypted: readonly Json[] | undefined,
): Decided {
  const { qualifies, disqualifiedBy, situation, action, policy, refusal, problem } = decision
  const failure = problem && revivedProblem(problem, hiding(sync, joined, decrypted))
  const written = toWrite(sync, joined, { ...nothingToWrite, failure }, decision, decrypted)
  return {
    ...joined,
    stage: 'decided',
    qualifies,
    disqualifiedBy,
    failure: written.failure,
    situation,
    action,
    policy,
    refusal,
    desired: written.desired,
    changes: written.changes,
    unforeseen: written.unforeseen,
    shapingFailed: written.shapingFailed,
  }
}

/** What an operation is to write. */
type ToWrite = Pick<Decided, 'desired' | 'changes' | 'unforeseen' | 'shapingFailed' | 'failure'>

const nothingToWrite = { desired: undefined, changes: [], unforeseen: undefined, shapingFailed: false }

/** `before` if nothing was shaped. */
function toWrite(
  sync: Synchronization,
  operation: Joined | Decided | Applied,
  before: ToWrite,
  { shape, unforeseen, shapingProblem }: Shaped,
  decrypted: readonly Json[] | undefined,
): ToWrite {
  const hidden = hiding(sync, operation, decrypted)
  if (shapingProblem)
    return { ...before, failure: revivedProblem(shapingProblem, hidden), shapingFailed: true }
  if (!shape) return before
  return {
    desired: shape.desired,
    changes: withSecrets(sync, operation, shape, decrypted),
    unforeseen: unforeseen === undefined ? before.unforeseen : hidden(unforeseen),
    shapingFailed: before.shapingFailed,
    failure: before.failure,
  }
}

/** The changes, those of secrets marked. */
function withSecrets(
  sync: Synchronization,
  operation: Joined | Decided | Applied,
  { changes, hooked = [] }: Shape,
  decrypted: readonly Json[] | undefined,
): readonly Change[] {
  if (changes.length === 0) return changes
  const linkedTarget = linkedTargetOf(operation)
  const linked = linkedTarget ? diff(operation.target ?? {}, linkedTarget) : []
  const seen = { decrypted, hooked: [...hooked, ...linked.map(({ pointer }) => pointer)] }
  const isSecret = sync.secrets.ofOperation(operation, seen)
  return changes.map((change) => (isSecret(change) ? { ...change, secret: true } : change))
}

function withShape<T extends Decided | Applied>(
  sync: Synchronization,
  operation: T,
  shaped: Shaped,
  decrypted: readonly Json[] | undefined,
): T {
  const written = toWrite(sync, operation, operation, shaped, decrypted)
  if (written === operation) return operation
  const { desired, changes, unforeseen, shapingFailed, failure } = written
  return { ...operation, desired, changes, unforeseen, shapingFailed, failure }
}

/** The error of a script may contain secrets of the source, and what it decrypted. */
function hiding(
  { secrets }: Synchronization,
  operation: Joined | Decided | Applied,
  decrypted: readonly Json[] | undefined,
): (text: string) => string {
  return (text) => secrets.valuesOf(operation, decrypted).hiddenIn(text)
}

function linkedTargetOf(operation: Joined | Decided | Applied) {
  return operation.stage === 'applied' ? operation.linkedTarget : undefined
}

/** Desired objects and changes anew, of those operations that write attributes: on what was read since, or changed by `onLink`. */
export async function shapePage<T extends Decided | Applied>(
  sync: Synchronization,
  page: readonly T[],
): Promise<readonly T[]> {
  const wanted = wantedOf(sync, 'shape')
  const shaped = await askThose(
    page,
    (operation) => shapingOf(sync, operation, wanted),
    (inputs) => withCertainty(sync, (scripts) => sync.rules.ask('shape', inputs, scripts)),
  )
  const outcomes = await asHeld(sync.targets, page, shaped)
  const done: T[] = []
  for (const [place, operation] of page.entries()) {
    const outcome = outcomes[place]
    if (!outcome) done.push(operation)
    else if (outcome.ok) done.push(withShape(sync, operation, outcome.value, outcome.decrypted))
    else done.push(await brokenOff(sync, operation, 'shape', outcome.error))
  }
  return done
}

function shapingOf(
  { rules: { mapping } }: Synchronization,
  operation: Decided | Applied,
  wanted: Wanted,
): ShapeInput | undefined {
  const { situation, action } = operation
  if (!goesOn(operation) || situation === undefined || action === undefined || operation.grace)
    return undefined
  const facts = factsOf(operation, wanted)
  if (operation.stage === 'decided' && awaitsOnLink(facts, action, mapping)) return undefined
  const input = shapeInputOf(facts, situation, action)
  return input && { ...input, linkedTarget: linkedTargetOf(operation) }
}

export function wantedOf({ runId, hooks, secrets, action }: Synchronization, until: Extent): Wanted {
  return { reconId: runId, hooks, until, tellsHooked: secrets.hooks, action }
}

/** Everything that was read of an operation, as the decision takes it. */
export function factsOf(operation: Joined | Decided | Applied, wanted: Wanted): Facts {
  const { phase, linkQualifier, source, oldSource, link, candidates, target } = operation
  const { qualifies, disqualifiedBy, holder } = operation
  const known = {
    linkQualifier,
    sourceId: operation.sourceId ?? null,
    oldSource,
    link: link ? { targetId: link.targetId } : null,
    candidates,
    ...(holder && { holder: { sourceId: holder.sourceId, isGone: holder.isGone } }),
    targetId: operation.targetId ?? null,
    target: target ?? null,
    wanted,
  }
  if (phase === 'target') return { ...known, kind: 'target', source: source ?? null }
  if (!source) return { ...known, kind: 'deleted', source: null, qualifies, disqualifiedBy }
  return { ...known, kind: 'source', source, qualifies, disqualifiedBy }
}
