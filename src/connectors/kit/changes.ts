import type { Json } from '../../model/json.ts'
import { ConnectorError } from './errors.ts'
import type { ConnectorObject } from './query.ts'

/**
 * Up to where changes are known. `epoch` names what `position` is counted in: the instance of the server, the database, the
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
      readonly object: ConnectorObject
      /** The id before a rename. */
      readonly previousId?: string
    }
  | { readonly kind: 'DELETE'; readonly id: string }

export interface ChangesPage {
  readonly changes: readonly ConnectorChange[]
  /**
   * From where to go on after this page; null, or the token that was asked for: only from where this reading began. The
   * last page has the token up to which everything has been told.
   */
  readonly token: SyncToken | null
}

export interface Changes {
  /** The present: what changes from now on is told by `changesSince` it. */
  latestToken(objectClass: string, signal?: AbortSignal): Promise<SyncToken>
  /**
   * What has changed since, in order; without a token, everything that there is; no page if nothing has. A token that is of
   * no use any more is a `staleToken`, never "no changes".
   */
  changesSince(objectClass: string, token: SyncToken | null, signal?: AbortSignal): AsyncIterable<ChangesPage>
}

/** Refuses a token of another epoch. `what` begins a sentence: `The server ldap.example.com`. */
export function requireEpoch(token: SyncToken, epoch: string, what: string): void {
  if (token.epoch === epoch) return
  throw new ConnectorError(
    'staleToken',
    `${what} has been restored or replaced since changes were last read: they cannot be told from there`,
  )
}
