import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Credentials } from './login-module.ts'

const rememberedFor = 5 * 60_000
const rememberedUsers = 1_000

/**
 * Hashes of passwords are slow on purpose, so a success is kept for a few minutes: as a digest under a key that exists only in this
 * process, together with the hash that it was checked against. So a new password is effective at once. The number of users is
 * limited; the oldest success is dropped first. `now` must never go back.
 */
export class Successes {
  readonly #key = randomBytes(32)
  readonly #of = new Map<string, { readonly digest: Buffer; readonly until: number }>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  remember(credentials: Credentials, hashed: string): void {
    const { username } = credentials
    this.#of.delete(username)
    this.#of.set(username, { digest: this.#digest(credentials, hashed), until: this.#now() + rememberedFor })
    const oldest = this.#of.keys().next().value
    if (this.#of.size > rememberedUsers && oldest !== undefined) this.#of.delete(oldest)
  }

  has(credentials: Credentials, hashed: string): boolean {
    const success = this.#of.get(credentials.username)
    if (!success || this.#now() >= success.until) return false
    return timingSafeEqual(success.digest, this.#digest(credentials, hashed))
  }

  #digest({ username, password }: Credentials, hashed: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([username, password, hashed]))
      .digest()
  }
}
