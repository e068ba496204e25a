import { type Cell, type Column, uuidTypes } from './column.ts'
import type { Draft } from './drafts.ts'
import { keyOf } from './table.ts'

/**
 * Updates that change the key of their rows. An id is free if no row has it when the group is done; then they are ordered so
 * that no step meets a taken one: each row moves after the one that had its new id. In a ring, one row steps aside first.
 */
export interface Moves {
  /** Of each ring or chain the steps, in order. */
  readonly chains: readonly (readonly Step[])[]
}

export type Step =
  | { readonly kind: 'move'; readonly draft: Draft; readonly from: string }
  /** The row of this draft gets an id that nobody has. */
  | { readonly kind: 'aside'; readonly draft: Draft; readonly to: string }

/** Drafts whose new id another row has and keeps. */
export function contested(drafts: readonly Draft[], present: ReadonlySet<string>): readonly Draft[] {
  const refused = new Set<Draft>()
  for (;;) {
    const leaving = new Set(
      drafts.filter((draft) => !refused.has(draft) && leaves(draft)).map(({ from }) => from),
    )
    const taken = new Set<string>([...present].filter((id) => !leaving.has(id)))
    const before = refused.size
    for (const draft of drafts) {
      if (refused.has(draft) || draft.to === undefined || draft.to === draft.from) continue
      if (taken.has(draft.to)) refused.add(draft)
      else taken.add(draft.to)
    }
    // Who is refused keeps the id, which others may have counted on.
    if (refused.size === before) return [...refused]
  }
}

function leaves({ from, to }: Draft): boolean {
  return from !== undefined && from !== to
}

/** Undefined for a chain that cannot be ordered: no id can be made up for a row to step aside. */
export function movesOf(
  drafts: readonly Draft[],
  freeId: (place: number) => string | undefined,
): { readonly chains: readonly (readonly Step[])[]; readonly stuck: readonly Draft[] } {
  const moving = drafts.filter((draft) => draft.kind === 'update' && draft.from !== draft.to)
  const byFrom = new Map(moving.map((draft) => [draft.from, draft]))
  const done = new Set<Draft>()
  const chains: (readonly Step[])[] = []
  const stuck: Draft[] = []
  for (const start of moving) {
    if (done.has(start)) continue
    // From here to the one who moves to a free id, or around the ring.
    const path: Draft[] = []
    let next: Draft | undefined = start
    while (next && !done.has(next)) {
      done.add(next)
      path.push(next)
      next = byFrom.get(next.to)
    }
    const chain = path.toReversed()
    const [first] = chain
    if (next !== start || !first) {
      const head =
        next === undefined ? undefined : chains.findIndex((one) => one.some(({ draft }) => draft === next))
      const steps = chain.map((draft): Step => ({ kind: 'move', draft, from: draft.from ?? '' }))
      // It ends where a chain that was found before begins.
      if (head === undefined || head < 0) chains.push(steps)
      else chains[head] = [...(chains[head] ?? []), ...steps]
      continue
    }
    const aside = freeId(chains.length)
    if (aside === undefined) stuck.push(...chain)
    else
      chains.push([
        { kind: 'aside', draft: first, to: aside },
        ...chain.slice(1).map((draft): Step => ({ kind: 'move', draft, from: draft.from ?? '' })),
        { kind: 'move', draft: first, from: aside },
      ])
  }
  return { chains, stuck }
}

/** Ids that no row should have, to be looked up before they are used. */
export function candidatesFor({ kind, type, length }: Column, count: number): readonly string[] {
  const random = () => crypto.randomUUID()
  return Array.from({ length: count }, (_, place) => {
    if (kind === 'integer') return String(-1 - place - Math.floor(Math.random() * 30_000))
    if (uuidTypes.has(type)) return random()
    return kind === 'text' ? random().slice(0, length) : ''
  }).filter((id) => id !== '')
}

export function keyCell(id: string, key: Column): Cell {
  return keyOf(id, key) ?? null
}
