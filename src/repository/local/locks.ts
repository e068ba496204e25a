import { inWords, isGone, thisProcess } from '../../kit/process.ts'
import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { Timer } from '../../kit/timer.ts'
import { Problem } from '../../model/problem.ts'
import type { StoredLease } from '../leases.ts'
import type { Lease, LeaseAnswer, LeaseHolder, Locks } from '../locks.ts'
import type { Store } from '../repository.ts'
import { KeyLocks } from './keys.ts'
import { HeldLease } from './lease.ts'

export interface LocalLocksOptions {
  /** The duration of a lease, in ms. It is renewed four times within it, so that a slow machine does not lose it. */
  readonly ttl?: number
}

/**
 * Locks of the embedded store. Keys are held within this process. Different processes are separated by leases and, in the
 * end, by the uniqueness of links.
 *
 * A lease is a row of the store, renewed by a timer. It ends when it expires, or as soon as its process is known to have
 * ended. That can be known only of processes on this machine: a killed server continues at once when it is started again.
 * A process on another machine is never considered dead before its lease has expired.
 */
export class LocalLocks extends KeyLocks implements Locks, AsyncDisposable {
  readonly #store: Pick<Store, 'leases'>
  readonly #ttl: number
  readonly #leases = new Set<HeldLease>()
  readonly #timer: Timer
  #own: Promise<Lease> | undefined

  constructor(store: Pick<Store, 'leases'>, { ttl = 60_000 }: LocalLocksOptions = {}) {
    super()
    this.#store = store
    this.#ttl = ttl
    this.#timer = new Timer(() => this.#renewAll())
  }

  async lease(name: string, owner: string): Promise<LeaseAnswer> {
    const { leases } = this.#store
    const wanted = { name, owner, process: thisProcess(), ttl: this.#ttl }
    for (;;) {
      const before = await leases.read(name)
      if (before && !isOver(before)) return { taken: false, by: holderOf(before) }
      const epoch = await leases.take(wanted, before?.epoch)
      if (epoch === undefined) continue
      const lease = new HeldLease(leases, wanted, epoch, () => this.#leases.delete(lease))
      this.#leases.add(lease)
      if (this.#leases.size === 1) this.#setTimer()
      return { taken: true, lease }
    }
  }

  async ownLease(): Promise<Lease> {
    this.#own ??= this.#takeOwn()
    const lease = await this.#own
    if (!lease.lost.aborted) return lease
    this.#own = undefined
    return this.ownLease()
  }

  /** Also ends the leases of processes that have ended, so that nothing waits until these expire. */
  async #takeOwn(): Promise<Lease> {
    const { leases } = this.#store
    for (const lease of await leases.list()) if (isOver(lease)) await leases.end(lease.name, lease.epoch)
    const answer = await this.lease(`process ${timeOrderedId()}`, 'a process of Syncline')
    if (!answer.taken) throw new Problem('INTERNAL', 'A name that was made up has been taken by another')
    return answer.lease
  }

  async holder(name: string): Promise<LeaseHolder | undefined> {
    const { leases } = this.#store
    for (;;) {
      const lease = await leases.read(name)
      if (!lease) return undefined
      if (!isOver(lease)) return holderOf(lease)
      await leases.end(name, lease.epoch)
    }
  }

  async #renewAll(): Promise<void> {
    // If the store cannot be written now, the next renewal tries again: a lease lasts four times as long.
    await Promise.allSettled([...this.#leases].map((lease) => lease.renew()))
    this.#setTimer()
  }

  #setTimer(): void {
    if (this.#leases.size > 0) this.#timer.in(this.#ttl / 4)
  }

  /** What is still held is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]()
    for (const lease of [...this.#leases]) await lease.release()
  }
}

function isOver({ expired, process }: StoredLease): boolean {
  return expired || isGone(process)
}

function holderOf({ owner, process }: StoredLease): LeaseHolder {
  return { owner, process: inWords(process) }
}
