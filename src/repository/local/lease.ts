import { Problem } from '../../model/problem.ts'
import type { Leases, NewLease } from '../leases.ts'
import type { Lease } from '../locks.ts'
import type { Store } from '../repository.ts'

/**
 * A lease of this process: HELD until it is RELEASED here, or LOST because another process took or ended it. An expired lease
 * is still HELD, as long as no other process has asked for the name.
 */
export class HeldLease implements Lease {
  readonly name: string
  readonly epoch: number
  readonly #leases: Leases
  readonly #ttl: number
  readonly #ended: () => void
  readonly #lost = new AbortController()
  #released = false

  constructor(
    leases: Leases,
    { name, ttl }: Pick<NewLease, 'name' | 'ttl'>,
    epoch: number,
    ended: () => void,
  ) {
    this.name = name
    this.epoch = epoch
    this.#leases = leases
    this.#ttl = ttl
    this.#ended = ended
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async renew(): Promise<boolean> {
    if (this.#released || this.lost.aborted) return false
    const isHeld = await this.#leases.renew(this.name, this.epoch, this.#ttl)
    if (!isHeld && !this.#released) this.#lose()
    return isHeld
  }

  async require({ leases }: Pick<Store, 'leases'>): Promise<void> {
    if (!this.#released && (await leases.holds(this.name, this.epoch))) return
    if (!this.#released) this.#lose()
    throw this.#problem()
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    this.#ended()
    if (!this.lost.aborted) await this.#leases.end(this.name, this.epoch)
  }

  #lose(): void {
    this.#ended()
    this.#lost.abort(this.#problem())
  }

  #problem(): Problem {
    return new Problem(
      'CONFLICT',
      `${this.name}: this process was considered dead, and another has taken over its work`,
      { hint: 'Look whether the machine was stopped, or the store could not be written to, for a minute.' },
    )
  }
}
