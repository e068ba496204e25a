import { type Situation, situations } from '../../mapping/situation.ts'
import type { JsonObject } from '../../model/json.ts'
import { type Cause, causeOf } from '../page/cause.ts'
import { type Applied, succeeded, wasLinked } from '../page/operation.ts'

/** How many ids a situation lists for the `result` script: enough to look at, never the whole directory. */
const listedIds = 1000

/** How many objects that cannot be read a run names; its entries name all. */
const listedMessages = 20

/** How many causes a run tells apart; what fails for yet another one is counted as `others`. */
const toldCauses = 100

/** A script may throw a text of any length. */
const longestMessage = 2000

/** The failures of one cause: one object of them stands for all. */
export interface Failures {
  /** `others`: of all causes beyond those that are told apart. */
  readonly cause: string
  readonly code: Cause['code']
  readonly count: number
  readonly message: string
  readonly hint: string
  /** The first that failed so. */
  readonly example: Pick<Applied, 'phase' | 'sourceId' | 'targetId'>
}

export interface Unread {
  readonly count: number
  readonly messages: readonly string[]
}

interface Tally {
  readonly count: number
  readonly ids: readonly string[]
}

/** Counts of one run, both phases (engine §7.7, §7.8). */
export class Statistics {
  readonly #phases = { source: new Map<string, Tally>(), target: new Map<string, Tally>() }
  /** How many operations are recorded: their numbers are counted on from here. */
  entries = 0
  readonly status = { SUCCESS: 0, FAILURE: 0 }
  /** `handled`: targets that operations of the source phase were about. */
  readonly processed = { source: 0, target: 0, links: 0, handled: 0 }
  readonly totals: { [of in 'source' | 'target' | 'links']?: number | undefined } = {}
  /** Objects that were left out because they cannot be read. */
  unreadable: Unread = { count: 0, messages: [] }
  #failures: ReadonlyMap<string, Failures> = new Map()
  /** `cleanedUp`: links whose two ends were gone; they belong to neither phase. */
  readonly written = { created: 0, unchanged: 0, updated: 0, deleted: 0, linked: 0, cleanedUp: 0 }

  /** What the counts are with a page more; these stay as they are, in case that the page is not kept. */
  plus(page: readonly Applied[]): Statistics {
    const sum = new Statistics()
    for (const phase of ['source', 'target'] as const)
      for (const [name, tally] of this.#phases[phase]) sum.#phases[phase].set(name, tally)
    for (const counts of ['status', 'processed', 'totals', 'written'] as const)
      Object.assign(sum[counts], this[counts])
    sum.entries = this.entries + page.length
    sum.unreadable = this.unreadable
    sum.#failures = this.#failures
    for (const operation of page) sum.#add(operation)
    return sum
  }

  #add(operation: Applied): void {
    const { phase, situation, effect, failure, linkCreated, cleanUp } = operation
    if (cleanUp) {
      this.written.cleanedUp++
      return
    }
    this.processed[phase]++
    if (failure?.code === 'UNREADABLE') this.#addUnreadable(failure.message)
    const cause = causeOf(operation)
    if (cause) this.#addFailure(operation, cause)
    if (wasLinked(operation)) this.processed.links++
    if (phase === 'source') this.processed.handled += handledTargets(operation)
    if (situation ?? failure) this.#tally(operation, situation ?? 'NOTVALID')
    this.status[succeeded(operation) ? 'SUCCESS' : 'FAILURE']++
    if (effect !== 'none') this.written[effect]++
    if (linkCreated) this.written.linked++
  }

  #addFailure({ phase, sourceId, targetId }: Applied, { id, code, hint, message }: Cause): void {
    const isTold = this.#failures.has(id) || this.#failures.size < toldCauses
    const cause = isTold ? id : 'others'
    const before = this.#failures.get(cause)
    const example = { phase, sourceId, targetId }
    const failures = before ?? {
      cause,
      code,
      count: 0,
      message: message.slice(0, longestMessage),
      hint,
      example,
    }
    this.#failures = new Map(this.#failures).set(cause, { ...failures, count: failures.count + 1 })
  }

  /** Failures by their cause, the most frequent first. */
  get failures(): readonly Failures[] {
    return [...this.#failures.values()].toSorted((one, other) => other.count - one.count)
  }

  /** How many operations failed; what a plan leaves out has not. */
  get failed(): number {
    return this.#failures.values().reduce((sum, { count }) => sum + count, 0)
  }

  #addUnreadable(message: string): void {
    const { count, messages } = this.unreadable
    const listed = messages.length < listedMessages && !messages.includes(message)
    this.unreadable = { count: count + 1, messages: listed ? [...messages, message] : messages }
  }

  #tally({ phase, sourceId, targetId }: Applied, name: string): void {
    const { count, ids } = this.#tallyOf(phase, name)
    const id = phase === 'source' ? sourceId : targetId
    const listed = id !== undefined && ids.length < listedIds ? [...ids, id] : ids
    this.#phases[phase].set(name, { count: count + 1, ids: listed })
  }

  #tallyOf(phase: 'source' | 'target', name: string): Tally {
    return this.#phases[phase].get(name) ?? { count: 0, ids: [] }
  }

  get situationSummary(): Readonly<Record<string, number>> {
    const countOf = (name: Situation) =>
      this.#tallyOf('source', name).count + this.#tallyOf('target', name).count
    return Object.fromEntries(situations.map((name) => [name, countOf(name)]))
  }

  /** One target may be that of several qualifiers. */
  get #processedTargets(): number {
    const { target, handled } = this.processed
    return Math.min(target + handled, this.totals.target ?? Number.POSITIVE_INFINITY)
  }

  get progress(): JsonObject {
    const { created, unchanged, updated, deleted, linked, cleanedUp } = this.written
    return {
      source: { existing: { processed: this.processed.source, total: text(this.totals.source) } },
      target: {
        existing: { processed: this.#processedTargets, total: text(this.totals.target) },
        created,
        unchanged,
        updated,
        deleted,
      },
      links: {
        existing: { processed: this.processed.links, total: text(this.totals.links) },
        created: linked,
        ...(cleanedUp > 0 ? { cleanedUp } : {}),
      },
    }
  }

  /** The `result` script's variable of one phase, without times. */
  phase(name: 'source' | 'target'): JsonObject {
    return {
      processed: this.processed[name],
      entries: this.totals[name] ?? this.processed[name],
      ...Object.fromEntries(['NOTVALID', ...situations].map((key) => [key, { ...this.#tallyOf(name, key) }])),
    }
  }
}

/** How many targets that were there before a source operation was about: its own, or all that might be. */
function handledTargets({ targetId, target, oldTarget, effect, candidates }: Applied): number {
  if (targetId === undefined) return candidates.length
  return effect !== 'created' && (target ?? oldTarget) ? 1 : 0
}

function text(total: number | undefined): string {
  return total === undefined ? '?' : String(total)
}
