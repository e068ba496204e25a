import type { Store } from './repository.ts'

/**
 * Mutual exclusion of work on the same thing: for a short time (`hold`), and for as long as a process lives (`lease`).
 */
export interface Locks {
  /**
   * Runs `work` when no other caller holds any of the keys, and notifies the watches of other callers. All keys are taken at
   * once, in the order of the calls, so there is no deadlock among these keys.
   * UNAVAILABLE after `patience`: the holder may be waiting for something that the caller holds.
   */
  hold<T>(keys: readonly string[], work: () => Promise<T>, options?: HoldOptions): Promise<T>
  /** Records from now on which objects other callers lock: values of these objects that were read before may be outdated. */
  watch(): Watch
  /** Takes a name, if it is free, and keeps it until it is released or lost. `owner` is a text that names the purpose. */
  lease(name: string, owner: string): Promise<LeaseAnswer>
  /** The lease that shows that this process is alive. It is taken at the first call; later calls return the same one. */
  ownLease(): Promise<Lease>
  /**
   * The holder of the name; undefined if it is free. If the lease has expired, this call ends it: before the call returns,
   * the holder has lost it, and none of its transactions that require it can commit.
   */
  holder(name: string): Promise<LeaseHolder | undefined>
}

export interface HoldOptions {
  /** The caller's own watch, which is not notified of the caller's own locks. */
  readonly own?: Watch | undefined
  /** How many milliseconds to wait; absent: no limit. */
  readonly patience?: number | undefined
}

export interface Watch extends Disposable {
  touched(key: string): boolean
}

export type LeaseAnswer =
  | { readonly taken: true; readonly lease: Lease }
  | { readonly taken: false; readonly by: LeaseHolder }

export interface LeaseHolder {
  readonly owner: string
  /** In words, e.g. `process 4711`. */
  readonly process: string
}

export interface Lease {
  readonly name: string
  /** Grows with every new lease: no two leases ever have the same epoch. */
  readonly epoch: number
  /** Aborted, with the Problem, when another process has taken or ended it: the protected work must stop. */
  readonly lost: AbortSignal
  /** Renews it in the store now; false if it is lost. It is also renewed automatically while the process is alive. */
  renew(): Promise<boolean>
  /** Call this first in a transaction whose writes need the lease: if it is lost, CONFLICT rolls the transaction back. */
  require(store: Pick<Store, 'leases'>): Promise<void>
  /** Does nothing if it is already lost or released. */
  release(): Promise<void>
}
