import type { JsonObject } from '../model/json.ts'

/**
 * A name that one process holds for a time, as stored. `Locks.lease` takes leases; this is the part that it needs from a
 * store. Times are by the store's clock, because nodes have different clocks.
 */
export interface StoredLease {
  readonly name: string
  /** Grows with every new lease: no two leases ever have the same epoch. */
  readonly epoch: number
  /** What for, in words. */
  readonly owner: string
  /** Which process holds it, as that one describes itself. */
  readonly process: JsonObject
  /** Its time is over: another process may take it; until then it can still be renewed. */
  readonly expired: boolean
}

export interface NewLease extends Pick<StoredLease, 'name' | 'owner' | 'process'> {
  /** For how long, in ms. */
  readonly ttl: number
}

export interface Leases {
  read(name: string): Promise<StoredLease | undefined>
  list(): Promise<readonly StoredLease[]>
  /** The new epoch, if the name was free or its lease has the epoch `insteadOf`; undefined: another process was faster. */
  take(lease: NewLease, insteadOf?: number): Promise<number | undefined>
  /** Restarts its time, even if it has expired; false if the name no longer has this epoch. */
  renew(name: string, epoch: number, ttl: number): Promise<boolean>
  /**
   * True if no other process has taken or ended it, even if it has expired. Inside a transaction, this stays true until the
   * transaction ends: its writes are either refused or kept.
   */
  holds(name: string, epoch: number): Promise<boolean>
  /** Frees the name, if it still has this epoch. */
  end(name: string, epoch: number): Promise<boolean>
}
