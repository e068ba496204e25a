import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import type { Settings } from '../repository/settings.ts'
import { basisOf } from './basis.ts'
import type { Identity, LoginModule, Success } from './login-module.ts'
import { Successes } from './successes.ts'

const administrator: Identity = { userId: 'openidm-admin', roles: ['openidm-admin', 'openidm-authorized'] }
const settingsKey = 'administrator.password'

/**
 * Sets the administrator's password: to SYNCLINE_ADMIN_PASSWORD if the environment has it. Otherwise, on the first
 * start, to a random one that is passed to `announce` once and cannot be read again. It is stored only as an Argon2id hash and has
 * no default (platform §10).
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

/** The static administrator. */
export function administratorLogin(settings: Settings, now?: () => number): LoginModule {
  const successes = new Successes(now)
  const success = (hashed: string): Success => ({ identity: administrator, basis: basisOf(hashed) })
  return {
    name: 'STATIC_USER',
    async recall(credentials) {
      const hashed = await storedHash(settings)
      if (hashed === undefined || credentials.username !== administrator.userId) return undefined
      return successes.has(credentials, hashed) ? success(hashed) : undefined
    },
    async check(credentials) {
      const hashed = await storedHash(settings)
      // The password is checked even for an unknown name, so that the time reveals nothing.
      const passwordFits = hashed !== undefined && (await verify(hashed, credentials.password))
      if (!passwordFits || credentials.username !== administrator.userId) return undefined
      successes.remember(credentials, hashed)
      return success(hashed)
    },
    async renew({ userId }, basis) {
      const hashed = await storedHash(settings)
      const isSame = userId === administrator.userId && hashed !== undefined && basis === basisOf(hashed)
      return isSame ? administrator : undefined
    },
  }
}
