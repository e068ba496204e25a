import type { JsonObject } from '../model/json.ts'

/**
 * A name that one process holds for a while, as the store has it. What takes one is `Locks.lease`; this is what it needs of
 * a store. Time is the store's own: several nodes have several clocks.
 */
export interface StoredLease {
  readonly name: string
  /** Of all leases there ever were, each has a higher one than those before it. */
  readonly epoch: number
  /** What for, in words. */
  readonly owner: string
  /** Which process holds it, as that one describes itself. */
  readonly process: JsonObject
  /** Its time is over: it can be taken, and until then it can be renewed. */
  readonly expired: boolean
}

export interface NewLease extends Pick<StoredLease, 'name' | 'owner' | 'process'> {
  /** For how long, in ms. */
  readonly ttl: number
}

export interface Leases {
  read(name: string): Promise<StoredLease | undefined>
  list(): Promise<readonly StoredLease[]>
  /** The epoch, if the name was free or its lease is the one of epoch `insteadOf`; undefined: somebody else was faster. */
  take(lease: NewLease, insteadOf?: number): Promise<number | undefined>
  /** Begins its time anew, over or not; false if the name is not under this epoch any more. */
  renew(name: string, epoch: number, ttl: number): Promise<boolean>
  /**
   * True if nobody else has taken or ended it, over or not. Inside a transaction, nobody does before that has ended: what it
   * writes is refused or stays.
   */
  holds(name: string, epoch: number): Promise<boolean>
  /** The name is free, if it is under this epoch still. */
  end(name: string, epoch: number): Promise<boolean>
}
