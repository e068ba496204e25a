import type { Action, Situation } from '../../mapping/situation.ts'
import { completeListing, type Listing } from '../../model/listing.ts'
import type { Decided } from './operation.ts'

/**
 * What a run has listed, as far as it is known so far. Absence from a listing that is not complete is no reason to delete, to
 * unlink, to disable or to create again.
 */
export interface Listings {
  readonly source: Listing
  readonly target: Listing
  /** Of sources without a link: one that cannot be read may be that of any target without a link. */
  readonly unlinked: Listing
}

export const allComplete: Listings = {
  source: completeListing,
  target: completeListing,
  unlinked: completeListing,
}

/** Actions that change nothing. */
const harmless: ReadonlySet<Action> = new Set(['IGNORE', 'REPORT', 'NOREPORT'])

/** The operation, refused where it follows from absence and nobody knows whether that is true. */
export function requireKnownAbsence(listings: Listings, operation: Decided): Decided {
  const { situation, action, phase, failure } = operation
  if (situation === undefined || action === undefined || failure) return operation
  const doubt = (doubted[phase][situation] ?? []).find((name) => listings[name].state !== 'complete')
  const listing = doubt && listings[doubt]
  if (!listing || listing.state === 'complete') return operation
  // A post action may do anything.
  const withoutPolicy = { ...operation, policy: undefined }
  if (harmless.has(action)) return withoutPolicy
  const what = doubt === 'target' ? 'the target is gone' : 'there is no source object'
  const set = doubt === 'target' ? 'target' : 'source'
  const refusal = `nothing is done, because nobody knows whether ${what}: the listing of the ${set} is ${listing.state}: ${listing.reason}`
  return { ...withoutPolicy, refusal, desired: undefined, changes: [] }
}

/** Situations that follow from absence, by the listings that must be complete for them. */
const doubted: Record<Decided['phase'], { readonly [of in Situation]?: readonly (keyof Listings)[] }> = {
  source: { MISSING: ['target'] },
  target: { SOURCE_MISSING: ['source'], UNASSIGNED: ['source', 'unlinked'] },
}
