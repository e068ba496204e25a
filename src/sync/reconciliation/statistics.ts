import { type Situation, situations } from '../../mapping/situation.ts'
import type { JsonObject } from '../../model/json.ts'
import { type Operation, sourceIdOf, succeeded } from '../page/operation.ts'

/** How many ids a situation lists for the `result` script: enough to look at, never the whole directory. */
const listedIds = 1000

interface Tally {
  count: number
  readonly ids: string[]
}

/** Counts of one run, both phases (engine §7.7, §7.8). */
export class Statistics {
  readonly #situations: Record<string, number> = Object.fromEntries(situations.map((name) => [name, 0]))
  readonly #phases = { source: new Map<string, Tally>(), target: new Map<string, Tally>() }
  readonly status = { SUCCESS: 0, FAILURE: 0 }
  readonly processed = { source: 0, target: 0, links: 0 }
  readonly totals: { source: number | undefined; target: number | undefined; links: number | undefined } = {
    source: undefined,
    target: undefined,
    links: undefined,
  }
  /** `cleanedUp`: links whose two ends were gone; they belong to neither phase. */
  readonly written = { created: 0, unchanged: 0, updated: 0, deleted: 0, linked: 0, cleanedUp: 0 }

  count(operation: Operation): void {
    this.#add(operation, 1)
  }

  /** Takes back the operation that was counted last. */
  discount(operation: Operation): void {
    this.#add(operation, -1)
  }

  #add(operation: Operation, one: 1 | -1): void {
    const { phase, situation, effect, failure } = operation
    this.processed[phase] += one
    if (operation.link && !operation.linkCreated) this.processed.links += one
    if (situation) {
      this.#situations[situation] = (this.#situations[situation] ?? 0) + one
      this.#tally(operation, situation, one)
    }
    this.status[succeeded(operation) ? 'SUCCESS' : 'FAILURE'] += one
    if (effect !== 'none') this.written[effect] += one
    if (operation.linkCreated) this.written.linked += one
    if (failure && !situation) this.#tally(operation, 'NOTVALID', one)
  }

  #tally(operation: Operation, name: string, one: 1 | -1): void {
    const tallies = this.#phases[operation.phase]
    const tally = tallies.get(name) ?? { count: 0, ids: [] }
    tallies.set(name, tally)
    tally.count += one
    const id = operation.phase === 'source' ? sourceIdOf(operation) : operation.targetId
    if (one > 0 && id !== undefined && tally.ids.length < listedIds) tally.ids.push(id)
    else if (tally.ids.length > tally.count) tally.ids.pop()
  }

  get situationSummary(): Readonly<Record<Situation, number>> {
    return { ...this.#situations } as Record<Situation, number>
  }

  get progress(): JsonObject {
    const { created, unchanged, updated, deleted, linked, cleanedUp } = this.written
    return {
      source: { existing: { processed: this.processed.source, total: text(this.totals.source) } },
      target: {
        existing: { processed: this.processed.target, total: text(this.totals.target) },
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
    const tallies = this.#phases[name]
    const entry = (key: string) => {
      const { count, ids } = tallies.get(key) ?? { count: 0, ids: [] }
      return [key, { count, ids: [...ids] }]
    }
    return {
      processed: this.processed[name],
      entries: this.totals[name] ?? this.processed[name],
      ...Object.fromEntries(['NOTVALID', ...situations].map(entry)),
    }
  }
}

function text(total: number | undefined): string {
  return total === undefined ? '?' : String(total)
}
