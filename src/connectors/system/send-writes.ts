import { parallel } from '../../kit/parallel.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import { offers } from '../kit/connector.ts'
import { ConnectorError, connectorError, errorCode } from '../kit/errors.ts'
import type { ConnectorEntry } from '../kit/query.ts'
import { attribute, Secret } from '../kit/values.ts'
import { type ConnectorWrite, type ConnectorWriteOutcome, settingOf, type Write } from '../kit/write.ts'
import { holdsAfter, idKnown, presentObjects } from './present-objects.ts'
import type { TypeAccess } from './type-access.ts'

/**
 * Sends the writes of a page. A write that failed for a while is sent again, as often as `resilience.retries` says, but never blindly:
 *
 * - nothing was done (the system was busy, another program was in the way, the connection was never there): sent again;
 * - nobody knows (the connection broke, no answer in time): the object is read first. If it is as the write wanted it, the write
 *   succeeded. Otherwise an update or delete is sent again, since twice is as good as once; a create only where its id is known
 *   beforehand and the connection is gone, so that no second object can come of it. All else stays unknown.
 *
 * Writes of an object that has several in the page are not repeated: their order says something.
 */
export async function sendWrites(
  access: TypeAccess,
  connector: Write,
  writes: readonly ConnectorWrite[],
  signal: AbortSignal | undefined,
): Promise<readonly ConnectorWriteOutcome[]> {
  const lanes = lanesOf(access, writes)
  if (lanes.length <= 1) return new Sending(access, connector, writes, signal).outcomes()
  const outcomes: ConnectorWriteOutcome[] = []
  await parallel(lanes, lanes.length, async (places) => {
    const own = places.map((place) => writes[place]).filter((write) => write !== undefined)
    const done = await new Sending(access, connector, own, signal).outcomes().catch((error: unknown) => {
      // The other lanes are written all the same.
      signal?.throwIfAborted()
      return own.map(() => failed(error))
    })
    places.forEach((place, at) => {
      const outcome = done[at]
      if (outcome) outcomes[place] = outcome
    })
  })
  return outcomes
}

/** Places of writes that go one after the other; the lanes go side by side. */
function lanesOf(access: TypeAccess, writes: readonly ConnectorWrite[]): readonly (readonly number[])[] {
  const { connector, type } = access
  const exchanges = offers(connector, 'exchangesIds') && connector.exchangesIds(type.objectClass)
  const count = exchanges ? 1 : Math.min(access.facts.calls.writesAtOnce, writes.length)
  if (count <= 1) return [[...writes.keys()]]
  const lanes = Array.from({ length: count }, (): number[] => [])
  const laneOf = new Map<string, number[]>()
  writes.forEach((write, place) => {
    const id = idKnown(access, write)
    const shortest = lanes.reduce((best, lane) => (lane.length < best.length ? lane : best))
    const lane = (id === undefined ? undefined : laneOf.get(id)) ?? shortest
    if (id !== undefined) laneOf.set(id, lane)
    lane.push(place)
  })
  return lanes
}

const operations = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE' } as const

/** What is known of a write that is to be sent: at its place in the page, and whether an earlier attempt may have done it. */
interface Pending {
  readonly place: number
  readonly write: ConnectorWrite
  readonly isUncertain: boolean
}

class Sending {
  readonly #access: TypeAccess
  readonly #connector: Write
  readonly #signal: AbortSignal | undefined
  readonly #writes: readonly ConnectorWrite[]
  readonly #outcomes: ConnectorWriteOutcome[] = []
  /** How many writes of the page are about each object; only asked for when some have failed. */
  #counts: ReadonlyMap<string | undefined, number> | undefined

  constructor(
    access: TypeAccess,
    connector: Write,
    writes: readonly ConnectorWrite[],
    signal: AbortSignal | undefined,
  ) {
    this.#access = access
    this.#connector = connector
    this.#writes = writes
    this.#signal = signal
  }

  /** Rejects if no write of the page has another outcome than the failure of the page. */
  async outcomes(): Promise<readonly ConnectorWriteOutcome[]> {
    const { calls } = this.#access.facts
    let pending: readonly Pending[] = this.#writes.map((write, place) => ({
      place,
      write,
      isUncertain: false,
    }))
    for (let failures = 0; pending.length > 0; failures++) {
      const thrown = await this.#send(pending)
      const passing = pending.filter((one) => this.#mayPass(one))
      const [first] = passing
      const reason = first && this.#errorAt(first)
      const isAgain = reason !== undefined && (await calls.waitsAfter(reason, failures, this.#signal))
      this.#signal?.throwIfAborted()
      if (isAgain) pending = await this.#toSendAgain(passing)
      else if (thrown !== undefined && !this.#outcomes.some(({ ok }) => ok)) throw thrown
      else break
    }
    return this.#outcomes
  }

  /** Sends, and keeps the outcomes. Returns the failure of the page as a whole. */
  async #send(pending: readonly Pending[]): Promise<unknown> {
    const writes = pending.map(({ write }) => write)
    const [first] = writes
    const isUniform = writes.every(({ operation }) => operation === first?.operation)
    const name = operations[isUniform && first ? first.operation : 'update']
    const { objectClass } = this.#access.type
    const work = (both?: AbortSignal) => this.#connector.writeMany(objectClass, writes, both)
    try {
      const outcomes = await this.#access.call(name, this.#signal, work, { count: writes.length })
      pending.forEach(({ place, write, isUncertain }, at) => {
        const outcome = outcomes[at]
        if (!outcome) return
        if (!outcome.ok) this.#access.facts.calls.heed(outcome.error)
        const isGone = isUncertain && write.operation === 'delete' && kindOf(outcome) === 'unknownId'
        this.#outcomes[place] = isGone ? { ok: true, id: write.id } : outcome
      })
      return undefined
    } catch (error) {
      for (const { place } of pending) this.#outcomes[place] = failed(error)
      return error
    }
  }

  #errorAt({ place }: Pending): ConnectorError | undefined {
    const outcome = this.#outcomes[place]
    return outcome && !outcome.ok ? reasonOf(outcome.error) : undefined
  }

  #mayPass(one: Pending): boolean {
    if (standingOf(this.#errorAt(one), one) === 'final') return false
    const id = idKnown(this.#access, one.write)
    this.#counts ??= countsOf(this.#writes.map((write) => idKnown(this.#access, write)))
    return id === undefined || this.#counts.get(id) === 1
  }

  /** What is still to be done, after a look at what may be done already. */
  async #toSendAgain(passing: readonly Pending[]): Promise<readonly Pending[]> {
    const { uncertain = [], certain = [] } = Object.groupBy(passing, (one) =>
      standingOf(this.#errorAt(one), one) === 'unknown' ? 'uncertain' : 'certain',
    )
    if (uncertain.length === 0) return certain
    const { facts, path } = this.#access
    const writes = uncertain.map(({ write }) => write)
    const present = await presentObjects(this.#access, writes, this.#signal).catch(() => undefined)
    if (!present) return certain
    const again = uncertain.flatMap((one, at) => this.#afterLook(one, present[at]))
    const done = uncertain.length - again.length
    facts.log(
      `${uncertain.length} writes to ${path} had no answer; of these ${again.length} are sent again, ${done} are not`,
    )
    return [...certain, ...again]
  }

  #afterLook(one: Pending, present: ConnectorEntry | 'absent' | 'unknown' | undefined): readonly Pending[] {
    const { place, write } = one
    if (present === undefined || present === 'unknown') return []
    const again = [{ ...one, isUncertain: true }]
    if (write.operation === 'delete') {
      if (present !== 'absent') return again
      this.#outcomes[place] = { ok: true, id: write.id }
      return []
    }
    if (present === 'absent') return write.operation === 'create' && this.#isLost(one) ? again : []
    if (isUnreadable(present)) return []
    const isDone = holdsAfter(this.#access, present, write)
    const secrets = write.operation === 'create' ? secretsIn(write) : []
    if (!isDone) return write.operation === 'update' ? again : []
    this.#outcomes[place] = { ok: true, id: present._id }
    // Whether the password has arrived, nobody can see.
    return secrets.length === 0
      ? []
      : [{ place, write: { operation: 'update', id: present._id, changes: secrets }, isUncertain: true }]
  }

  /** The connection of this write is gone: unlike one that is only late, it will not be done any more. */
  #isLost(one: Pending): boolean {
    return this.#errorAt(one)?.kind === 'connection'
  }
}

function countsOf<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

function secretsIn({ attributes }: Extract<ConnectorWrite, { operation: 'create' }>) {
  return settingOf(attributes).filter(({ attribute: name }) => attribute(attributes, name) instanceof Secret)
}

/** Codes of connections that were never there. */
const neverThere: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** Can a write be repeated after this error? `unknown`: it may have been done. */
function standingOf(
  error: ConnectorError | undefined,
  { write, isUncertain }: Pending,
): 'not done' | 'unknown' | 'final' {
  if (!error) return 'final'
  if (error.kind === 'busy' || error.kind === 'conflict') return 'not done'
  if (error.kind === 'alreadyExists' && isUncertain && write.operation === 'create') return 'unknown'
  if (error.kind !== 'connection' && error.kind !== 'timeout') return 'final'
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (neverThere.has(errorCode(cause))) return 'not done'
  return 'unknown'
}

/** The error of the connector in what a call reports. */
function reasonOf(error: unknown): ConnectorError | undefined {
  const known = connectorError(error)
  if (known instanceof ConnectorError) return known
  return known.cause instanceof ConnectorError ? known.cause : undefined
}

function kindOf(outcome: ConnectorWriteOutcome): ConnectorError['kind'] | undefined {
  return outcome.ok ? undefined : reasonOf(outcome.error)?.kind
}

function failed(error: unknown): ConnectorWriteOutcome {
  return { ok: false, error: connectorError(error) }
}
