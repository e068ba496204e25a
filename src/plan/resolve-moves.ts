/** A change of an id of which it is not known whether it happened. */
export interface Move {
  /** Null: a new object is to have the id. */
  readonly from: string | null
  readonly to: string
  /** What the object itself shows: `moved` or `stayed`; undefined where it shows neither, or both. */
  readonly shows: 'moved' | 'stayed' | undefined
}

/**
 * Which of the moves of one page happened, at their places. Where ids are handed on, an id that is there says nothing about a single
 * move: it may be that of the one who has left, or of the one who has come. So those that depend on each other are judged together.
 * Undefined for a move that depends on no other one, or of which nothing is known. Pure.
 *
 * In a row a → b → c, of which the last id was free, one id is always missing: those behind it have moved, those in front of it have
 * not. In a round a → b → a none is missing; then what the objects show decides, and they have moved all or none.
 */
export function movesDone(
  moves: readonly Move[],
  exists: (id: string) => boolean,
): readonly (boolean | undefined)[] {
  const placeFrom = new Map(moves.map(({ from }, place) => [from, place]))
  const wanted = new Set(moves.map(({ to }) => to))
  const done: (boolean | undefined)[] = moves.map(() => undefined)
  const seen = new Set<number>()
  const follow = (first: number): readonly number[] => {
    const places: number[] = []
    for (let place: number | undefined = first; place !== undefined && !seen.has(place); ) {
      seen.add(place)
      places.push(place)
      place = placeFrom.get(moves[place]?.to ?? null)
    }
    return places
  }
  const isFirst = ({ from }: Move) => from === null || !wanted.has(from)
  for (const [place, move] of moves.entries()) {
    if (!isFirst(move)) continue
    const row = follow(place)
    if (row.length < 2) continue
    const begin = doneFrom(
      row.map((at) => moves[at] as Move),
      exists,
    )
    for (const [position, at] of row.entries()) done[at] = begin === undefined ? undefined : position >= begin
  }
  for (const place of moves.keys()) {
    const round = follow(place)
    if (round.length < 2) continue
    const shown = (what: Move['shows']) => round.filter((at) => moves[at]?.shows === what).length
    for (const at of round) done[at] = shown('moved') > shown('stayed')
  }
  return done
}

/** The first move of a row that happened, and with it all behind it; its length: none did. Undefined: others have been at work. */
function doneFrom(row: readonly Move[], exists: (id: string) => boolean): number | undefined {
  const ids = [row[0]?.from ?? null, ...row.map(({ to }) => to)]
  const missing = ids.flatMap((id, position) => (id !== null && !exists(id) ? [position] : []))
  const [only, ...others] = missing
  if (others.length > 0) return undefined
  if (only !== undefined) return only
  return ids[0] === null ? 0 : undefined
}
