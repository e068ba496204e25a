/**
 * Whether a listing holds all there is. What is absent from a listing may be taken for gone only if it is complete.
 * `suspect`: it ended regularly, but something does not add up; `partial`: the system did not give everything.
 */
export type Listing =
  | { readonly state: 'complete' }
  | { readonly state: 'suspect' | 'partial'; readonly reason: string }

export const completeListing: Listing = { state: 'complete' }
