import type { Json, JsonObject } from '../../model/json.ts'
import type { Settings } from '../../repository/settings.ts'
import type { Identity, LoginModule } from '../login-module.ts'
import type { Logins } from '../logins.ts'
import { type SessionSettings, Sessions, standardSessions } from '../sessions.ts'

/** Settings in memory, and what was written. */
export function emptySettings(): Settings & { readonly values: Map<string, Json> } {
  const values = new Map<string, Json>()
  return {
    values,
    read: async (key) => values.get(key),
    write: async (key, value) => void values.set(key, value),
  }
}

/** Encryption that is none. */
export const plainSecrets = {
  encrypt: async (value: Json): Promise<JsonObject> => ({ $crypto: value }),
  decrypt: async (value: Json): Promise<Json> => (value as { $crypto: Json }).$crypto,
}

/** Lets those in who have this password; `identity` undefined: everybody under their own name. */
export function passwordLogin(password: string | undefined, identity?: Identity): LoginModule {
  return {
    name: 'STATIC_USER',
    async check(credentials) {
      const isKnown = identity === undefined || credentials.username === identity.userId
      if (!isKnown || (password !== undefined && credentials.password !== password)) return undefined
      return { identity: identity ?? { userId: credentials.username, roles: [] } }
    },
    renew: async (known) => known,
  }
}

/** What an HTTP server is opened with. */
export function authenticating(
  modules: readonly LoginModule[],
  {
    now,
    settings = emptySettings(),
    sessions = standardSessions,
  }: { readonly now?: () => number; readonly settings?: Settings; readonly sessions?: SessionSettings } = {},
): { readonly logins: () => Logins; readonly sessions: Sessions } {
  return {
    logins: () => ({ modules, sessions }),
    sessions: new Sessions({ settings, secrets: plainSecrets, log: () => {}, ...(now && { now }) }),
  }
}
