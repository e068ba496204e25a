import { type GuardLimits, limitsOf } from '../../mapping/guard.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { type Counts, exceeded, excessInWords } from '../../plan/guard.ts'
import type { Links } from '../../repository/links.ts'
import { countedOf, linkedTargets } from '../page/counted.ts'
import { type Decided, goesOn } from '../page/operation.ts'

/** What was done within a part of the window. */
interface Part {
  readonly begun: number
  readonly counts: Counts
  /** How many targets were linked before. */
  readonly linked: number
}

/** A window is counted in so many parts, which leave it one after the other. */
const parts = 60
/** For how many ms the number of linked targets is not counted again. */
const fresh = 10_000

/**
 * Holds the guard for changes that come one by one: counts, by mapping, what they do within a window of time, so that behind a mass
 * change of the source not all targets are deleted. What is over a limit is not for today: it waits until a person releases it.
 * Percentages are of the most that were linked within the window. Times are monotonic; each process has its own count.
 */
export class ChangeWindows {
  readonly #links: Links
  readonly #now: () => number
  readonly #parts = new Map<string, Part[]>()
  readonly #linked = new Map<string, { readonly count: number; readonly at: number }>()

  constructor(links: Links, now: () => number = () => performance.now()) {
    this.#links = links
    this.#now = now
  }

  /** Counts decided operations; answers why, of those that are over a limit. They are not counted, for they are not performed. */
  async admit(mapping: Mapping, page: readonly Decided[]): Promise<ReadonlyMap<Decided, string>> {
    const limits = mapping.reconciliation.guard
    const limited = new Set(limitsOf(limits).map(([what]) => what))
    const counted = page.flatMap((operation) => {
      const all = goesOn(operation) ? countedOf(operation, limits).filter((what) => limited.has(what)) : []
      return all.length > 0 ? [{ operation, all }] : []
    })
    const over = new Map<Decided, string>()
    if (counted.length === 0) return over
    const part = this.#current(mapping, limits, await this.#linkedNow(mapping))
    for (const { operation, all } of counted) {
      const why = this.#excess(mapping, limits, all)
      if (why !== undefined) over.set(operation, why)
      else for (const what of all) part.counts[what] = (part.counts[what] ?? 0) + 1
    }
    return over
  }

  async #linkedNow(mapping: Mapping): Promise<number> {
    const known = this.#linked.get(mapping.name)
    if (known && this.#now() - known.at < fresh) return known.count
    const count = await linkedTargets(mapping, this.#links)
    this.#linked.set(mapping.name, { count, at: this.#now() })
    return count
  }

  /** The part of the window that is now; those that have left it are forgotten. */
  #current({ name }: Mapping, { window }: GuardLimits, linked: number): Part {
    const now = this.#now()
    const kept = (this.#parts.get(name) ?? []).filter(({ begun }) => begun > now - window)
    const last = kept.at(-1)
    if (last && last.begun > now - window / parts) {
      this.#parts.set(name, kept)
      return last
    }
    const part: Part = { begun: now, counts: {}, linked }
    this.#parts.set(name, [...kept, part])
    return part
  }

  /** Why one more would be too much. */
  #excess({ name }: Mapping, limits: GuardLimits, all: readonly (keyof Counts)[]): string | undefined {
    const within = this.#parts.get(name) ?? []
    const sum = (what: keyof Counts) => within.reduce((count, { counts }) => count + (counts[what] ?? 0), 1)
    const counts: Counts = Object.fromEntries(all.map((what) => [what, sum(what)]))
    const linked = Math.max(...within.map((part) => part.linked))
    const excess = exceeded(limits, { counts, linked, samples: {} })
    if (excess.length === 0) return undefined
    const window = `within ${Math.round(limits.window / 60_000)} minutes`
    return `the guard holds it back: ${excess.map(excessInWords).join('; ')} ${window}`
  }
}
