import { isSameText } from '../kit/same-text.ts'
import type { Credentials, LoginModule } from './login-module.ts'

/**
 * A user with a fixed name and password. Stock configurations have `anonymous`, whose password everybody knows, for clients that
 * nobody has logged in to (platform §10). It has the role openidm-reg and no other, whatever the configuration says.
 */
export function staticUser({ username, password }: Credentials): LoginModule {
  const identity = { userId: username, roles: ['openidm-reg'] }
  return {
    name: 'STATIC_USER',
    async check(credentials) {
      const fits = isSameText(password, credentials.password)
      return fits && credentials.username === username ? { identity } : undefined
    },
    renew: async ({ userId }) => (userId === username ? identity : undefined),
  }
}
