import { lostToAnother } from './contention.ts'
import type { Applied } from './operation.ts'

/** How many are tried once more; those beyond fail at once. */
const most = 50_000

/**
 * The operations of a run that another object stood in the way of, so that the order of its objects does not decide: they are
 * recorded when they have been tried once more at its end. Without the objects: these are read again.
 */
export class LostOperations {
  readonly #lost = new Map<string, Applied>()
  /** Target → those that have what it wants. */
  readonly #heldBy = new Map<string, readonly string[]>()
  readonly #takesStale: boolean
  #isOpen = true

  /** `takesStale`: also what was left out, because it was not yet as its plan says. */
  constructor({ takesStale = true }: { readonly takesStale?: boolean } = {}) {
    this.#takesStale = takesStale
  }

  /** True for one that is not recorded now. */
  takes(operation: Applied): boolean {
    if (!this.#isOpen || operation.phase !== 'source' || this.#lost.size >= most) return false
    const { stale } = operation
    return lostToAnother(operation) || (this.#takesStale && stale !== undefined && !stale.done)
  }

  add(page: readonly Applied[]): void {
    for (const operation of page) {
      this.#lost.set(keyOf(operation), {
        ...operation,
        source: undefined,
        target: undefined,
        desired: undefined,
      })
      const { targetId, heldBy } = operation
      if (targetId !== undefined && heldBy) this.#heldBy.set(targetId, heldBy)
    }
  }

  /** The operation of this object that is tried once more. */
  of(turn: {
    readonly linkQualifier: string
    readonly sourceId: string | null | undefined
  }): Applied | undefined {
    return this.#lost.get(keyOf(turn))
  }

  /**
   * Those that are to be tried once more, in parts: each after what it waits for, and those that wait for each other together,
   * for in one transaction they can swap. What is lost from now on has failed.
   */
  close(): readonly (readonly Applied[])[] {
    this.#isOpen = false
    const ofTarget = new Map([...this.#lost.values()].map((operation) => [operation.targetId, operation]))
    const ordered = new Set<Applied>()
    const parts: (readonly Applied[])[] = []
    for (const operation of this.#lost.values()) {
      const waiting: Applied[] = []
      let one: Applied | undefined = operation
      while (one && !ordered.has(one)) {
        ordered.add(one)
        waiting.unshift(one)
        one = one.heldBy?.map((id) => ofTarget.get(id)).find((holder) => holder !== undefined)
      }
      if (one && waiting.includes(one)) parts.push(waiting)
      else parts.push(...waiting.map((alone) => [alone]))
    }
    return parts
  }

  /** True if those that have what the target wants wait for what the target has. */
  isSwap(targetId: string): boolean {
    const seen = new Set<string>()
    const next = [...(this.#heldBy.get(targetId) ?? [])]
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      if (id === targetId) return true
      if (seen.has(id)) continue
      seen.add(id)
      next.push(...(this.#heldBy.get(id) ?? []))
    }
    return false
  }
}

/** What is tried once more: many at once, whatever the pages before; one by one where scripts may look at what is in between. */
export function lostParts({
  lost,
  rules,
}: {
  readonly lost?: LostOperations | undefined
  readonly rules: { readonly oneByOne: boolean }
}): readonly (readonly Applied[])[] {
  const parts = lost?.close() ?? []
  return rules.oneByOne ? parts : packed(parts)
}

/** How many are worked together, unless more wait for each other. */
const portion = 500

/** Those that wait for each other stay together. */
function packed(parts: readonly (readonly Applied[])[]): readonly (readonly Applied[])[] {
  const pages: Applied[][] = []
  for (const part of parts) {
    const last = pages.at(-1)
    if (last && last.length + part.length <= portion) last.push(...part)
    else pages.push([...part])
  }
  return pages
}

function keyOf({ linkQualifier, sourceId }: Parameters<LostOperations['of']>[0]): string {
  return `${linkQualifier}\n${sourceId}`
}
