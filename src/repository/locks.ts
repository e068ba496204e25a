import type { Store } from './repository.ts'

/**
 * Who works on what, so that two do not work on the same: for a moment (`hold`), and for as long as a process lives (`lease`).
 */
export interface Locks {
  /**
   * Does `work` when nobody else has any of the keys, and tells the watches of others that these were touched. All keys are taken
   * at once and in the order of asking, so nobody waits in a circle.
   * UNAVAILABLE if it takes longer than `patience`: then somebody may be waiting for what the caller holds.
   */
  hold<T>(keys: readonly string[], work: () => Promise<T>, options?: HoldOptions): Promise<T>
  /** Remembers, from now on, which objects others worked on: what was read of these before is not to be relied on. */
  watch(): Watch
  /** Takes a name, if it is free, and keeps it until it is released or lost. `owner` says in words what for. */
  lease(name: string, owner: string): Promise<LeaseAnswer>
  /** The lease that says that this process lives: taken when it is first asked for, and the same from then on. */
  ownLease(): Promise<Lease>
  /**
   * Who holds the name; undefined if it is free. What its holder has let expire is ended by the asking: the holder has lost it
   * before the answer is there, and none of its transactions that require it can commit any more.
   */
  holder(name: string): Promise<LeaseHolder | undefined>
}

export interface HoldOptions {
  /** Of the caller: what he does himself is not news to him. */
  readonly own?: Watch | undefined
  /** For how many milliseconds to wait; absent: as long as it takes. */
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
  /** Of all leases there ever were, each has a higher one than those before it. */
  readonly epoch: number
  /** Aborted, with the Problem, when somebody else has taken or ended it: what it protects must not go on. */
  readonly lost: AbortSignal
  /** Asks the store now; false if it is lost. It is renewed by itself as long as the process is alive. */
  renew(): Promise<boolean>
  /** First thing in a transaction whose writes need the lease: CONFLICT, and nothing of it is kept, if it is lost. */
  require(store: Pick<Store, 'leases'>): Promise<void>
  /** Does nothing if it is lost or released already. */
  release(): Promise<void>
}
