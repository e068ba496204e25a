import type { Json } from '../../model/json.ts'
import { ConnectorError } from './errors.ts'
import type { ConnectorEntry, SearchEnd } from './query.ts'

/**
 * The position up to which changes are known. `epoch` names what `position` counts in: the instance of the server, the database, the
 * snapshot. A system that was restored or replaced has another epoch, in which the position means something else.
 */
export interface SyncToken {
  readonly epoch: string
  readonly position: Json
}

export type ConnectorChange =
  | {
      readonly kind: 'CREATE' | 'UPDATE' | 'CREATE_OR_UPDATE'
      readonly id: string
      readonly object: ConnectorEntry
      /** The id before a rename. */
      readonly previousId?: string
    }
  | { readonly kind: 'DELETE'; readonly id: string }

export interface ChangesPage {
  readonly changes: readonly ConnectorChange[]
  /**
   * Where to continue after this page; null, or the token passed in: only from the start of this read. The
   * last page has the token that covers all reported changes.
   */
  readonly token: SyncToken | null
  /**
   * Ids of objects that are there. A read with such pages does not know what was deleted: it lists all that is left, reported or not, and
   * whoever knows what was there before finds what is gone. No conclusion if the listing turns out not to be complete.
   */
  readonly present?: readonly string[]
}

export interface Changes {
  /** The present: pass it to `changesSince` to get all later changes. */
  latestToken(objectClass: string, signal?: AbortSignal): Promise<SyncToken>
  /**
   * Later changes in order; without a token, all objects, those that are only `present` included; no page without either. A token that
   * is of no use any more raises `staleToken`, never "no changes": liveSync then compares everything there is.
   *
   * A connector that finds deletions by comparing listings returns whether the present one is complete. If it is not, no
   * deletions are reported, and no token: what is missing would never be reported later.
   *
   * Objects have at least the attributes in `fields`; without it, those returned by default.
   */
  changesSince(
    objectClass: string,
    token: SyncToken | null,
    signal?: AbortSignal,
    fields?: readonly string[],
  ): AsyncIterable<ChangesPage, SearchEnd>
}

/** Refuses a token of another epoch. `what` begins a sentence: `The server ldap.example.com`. */
export function requireEpoch(token: SyncToken, epoch: string, what: string): void {
  if (token.epoch === epoch) return
  throw new ConnectorError(
    'staleToken',
    `${what} has been restored or replaced since changes were last read: they cannot be told from there`,
  )
}
