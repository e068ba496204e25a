/** An operation that is to give its target an id, as ids are compared. */
export interface IdWish {
  readonly wants: string
  /** The id that its target has now and gives up; undefined: the target is new. */
  readonly leaves: string | undefined
  /** Another object has that id now. */
  readonly isTaken: boolean
}

/**
 * Which wishes of a page cannot come true, by their places, with the place of the one that gets the id instead: ids that stay with those who have them, and ids that an earlier
 * operation of the page gets. An id that is given up within the page is free; `exchanges`: also to an operation in front of the one that
 * gives it up, so that ids can be swapped. Who is refused an id keeps its own, and is in the way of whoever wants that. Pure.
 */
export function refusedWishes(
  page: readonly (IdWish | undefined)[],
  exchanges: boolean,
): ReadonlyMap<number, number | undefined> {
  const giverOf = new Map<string, number>()
  for (const [place, wish] of page.entries()) if (wish?.leaves !== undefined) giverOf.set(wish.leaves, place)
  const takerOf = new Map<string, number>()
  const refused = new Map<number, number | undefined>()
  const takerOfId = (id: string | undefined) => (id === undefined ? undefined : takerOf.get(id))
  const refuse = (first: number, winner: number | undefined) => {
    refused.set(first, winner)
    let place = takerOfId(page[first]?.leaves)
    while (place !== undefined && !refused.has(place)) {
      refused.set(place, undefined)
      place = takerOfId(page[place]?.leaves)
    }
  }
  for (const [place, wish] of page.entries()) {
    if (!wish) continue
    const { wants, isTaken } = wish
    const giver = giverOf.get(wants)
    const isGivenUp = giver !== undefined && !refused.has(giver) && (exchanges || giver < place)
    const winner = takerOf.get(wants)
    if (winner !== undefined || (isTaken && !isGivenUp)) refuse(place, winner)
    else takerOf.set(wants, place)
  }
  return refused
}
