/**
 * Whether a listing holds all there is. What is absent from a listing may be taken for gone only if it is complete.
 * `suspect`: it ended regularly, but something does not add up; `partial`: the system did not give everything.
 */
export type Listing = { readonly state: 'complete' } | IncompleteListing

export interface IncompleteListing {
  readonly state: 'suspect' | 'partial'
  readonly reason: string
}

export const completeListing: Listing = { state: 'complete' }

/** The worse of two statements about one listing; of two alike the first. */
export function worseListing(one: Listing, other: Listing): Listing {
  if (other.state === 'complete' || one.state === 'partial') return one
  return one.state === 'complete' || other.state === 'partial' ? other : one
}

/** Which of two objects of one id is meant, nobody knows; the other may be another object under a wrong id. */
export function listedTwice(set: string, id: string): Listing {
  return { state: 'suspect', reason: `${set} listed "${id}" more than once` }
}

/** Pages, and what the generator returned about their listing. Reports after the last page. */
export async function* heeding<T>(
  // biome-ignore lint/suspicious/noConfusingVoidType: a generator without `return` gives void.
  pages: AsyncIterable<T, Listing | undefined | void>,
  onEnd: (listing: Listing) => void,
): AsyncGenerator<T, undefined> {
  const iterator = pages[Symbol.asyncIterator]()
  let ended = false
  try {
    for (let next = await iterator.next(); ; next = await iterator.next()) {
      if (next.done) {
        ended = true
        onEnd(next.value ?? completeListing)
        return
      }
      yield next.value
    }
  } finally {
    if (!ended) await iterator.return?.()
  }
}
