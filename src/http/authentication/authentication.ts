import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { Problem } from '../../model/problem.ts'
import type { Settings } from '../../repository/settings.ts'
import type { Credentials } from './credentials.ts'

/**
 * Who may access the server (platform §10): currently one static administrator. The password is stored
 * only as an Argon2id hash and has no default.
 */
export interface Identity {
  readonly userId: string
  readonly roles: readonly string[]
  /** The request contains the password a second time, as protected properties require. */
  readonly reauthenticated?: boolean
}

/** `recall` returns a recently checked identity, or undefined. `authenticate` checks and throws UNAUTHORIZED. */
export interface Authentication {
  recall(credentials: Credentials): Promise<Identity | undefined>
  authenticate(credentials: Credentials): Promise<Identity>
}

const administrator: Identity = { userId: 'openidm-admin', roles: ['openidm-admin', 'openidm-authorized'] }
const settingsKey = 'administrator.password'

/**
 * Sets the administrator's password: to SYNCLINE_ADMIN_PASSWORD if the environment has it. Otherwise, on the first
 * start, to a random one that is passed to `announce` once and cannot be read again.
 */
export async function ensureAdministrator(options: {
  readonly settings: Settings
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly announce: (username: string, password: string) => void
}): Promise<void> {
  const { settings, environment, announce } = options
  const stored = await storedHash(settings)
  const wanted = environment.SYNCLINE_ADMIN_PASSWORD
  if (wanted) {
    if (stored === undefined || !(await verify(stored, wanted))) await store(settings, wanted)
  } else if (stored === undefined) {
    const password = randomBytes(18).toString('base64url')
    await store(settings, password)
    announce(administrator.userId, password)
  }
}

/** @node-rs/argon2 uses Argon2id by default. */
async function store(settings: Settings, password: string): Promise<void> {
  await settings.write(settingsKey, await hash(password))
}

async function storedHash(settings: Settings): Promise<string | undefined> {
  const value = await settings.read(settingsKey)
  return typeof value === 'string' ? value : undefined
}

const rememberedFor = 5 * 60_000

/**
 * Argon2 is slow on purpose, so a success is cached for a few minutes: as a digest under a key that exists only in this
 * process, together with the hash it was checked against. So a new password is effective at once.
 */
export function administratorAuthentication(
  settings: Settings,
  now: () => number = () => performance.now(),
): Authentication {
  const key = randomBytes(32)
  let success: { readonly digest: Buffer; readonly until: number } | undefined
  const digestOf = ({ username, password }: Credentials, hashed: string): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([username, password, hashed]))
      .digest()
  return {
    async recall(credentials) {
      const hashed = await storedHash(settings)
      if (!success || hashed === undefined || now() >= success.until) return undefined
      return timingSafeEqual(success.digest, digestOf(credentials, hashed)) ? administrator : undefined
    },
    async authenticate(credentials) {
      const hashed = await storedHash(settings)
      // The password is checked even for an unknown name, so that the time reveals nothing.
      const passwordFits = hashed !== undefined && (await verify(hashed, credentials.password))
      if (!passwordFits || credentials.username !== administrator.userId) {
        throw new Problem('UNAUTHORIZED', 'The user name or the password is wrong')
      }
      success = { digest: digestOf(credentials, hashed), until: now() + rememberedFor }
      return administrator
    },
  }
}
