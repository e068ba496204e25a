import { type Situation, situations } from '../../mapping/situation.ts'
import type { JsonObject } from '../../model/json.ts'
import { type Recorded, succeeded, wasLinked } from '../page/operation.ts'

/** How many ids a situation lists for the `result` script: enough to look at, never the whole directory. */
const listedIds = 1000

interface Tally {
  readonly count: number
  readonly ids: readonly string[]
}

/** Counts of one run, both phases (engine §7.7, §7.8). */
export class Statistics {
  readonly #situations = new Map<Situation, number>(situations.map((name) => [name, 0]))
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

  /** What the counts are with a page more; these stay as they are, in case that the page is not kept. */
  plus(page: readonly Recorded[]): Statistics {
    const sum = new Statistics()
    for (const [name, count] of this.#situations) sum.#situations.set(name, count)
    for (const phase of ['source', 'target'] as const)
      for (const [name, tally] of this.#phases[phase]) sum.#phases[phase].set(name, tally)
    for (const counts of ['status', 'processed', 'totals', 'written'] as const)
      Object.assign(sum[counts], this[counts])
    for (const operation of page) sum.#add(operation)
    return sum
  }

  #add(operation: Recorded): void {
    const { phase, situation, effect, failure } = operation
    this.processed[phase]++
    if (wasLinked(operation)) this.processed.links++
    if (situation) {
      this.#situations.set(situation, (this.#situations.get(situation) ?? 0) + 1)
      this.#tally(operation, situation)
    }
    this.status[succeeded(operation) ? 'SUCCESS' : 'FAILURE']++
    if (effect !== 'none') this.written[effect]++
    if (operation.linkCreated) this.written.linked++
    if (failure && !situation) this.#tally(operation, 'NOTVALID')
  }

  #tally({ phase, sourceId, targetId }: Recorded, name: string): void {
    const { count, ids } = this.#phases[phase].get(name) ?? { count: 0, ids: [] }
    const id = phase === 'source' ? sourceId : targetId
    const listed = id !== undefined && ids.length < listedIds ? [...ids, id] : ids
    this.#phases[phase].set(name, { count: count + 1, ids: listed })
  }

  get situationSummary(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#situations)
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
