import { createHash, timingSafeEqual } from 'node:crypto'
import type { Authentication, Identity } from './authentication.ts'
import type { Credentials } from './credentials.ts'

/** A user with a fixed name and password, who may do what anybody may. */
export type StaticUser = Credentials

/**
 * Stock configurations have a user `anonymous` whose password everybody knows, for clients that nobody has logged in to
 * (platform §10). It has the role openidm-reg and no other, whatever the configuration says.
 */
export function withStaticUsers(
  authentication: Authentication,
  users: () => readonly StaticUser[],
): Authentication {
  const known = (credentials: Credentials): Identity | undefined => {
    const user = users().find(({ username }) => username === credentials.username)
    if (!user || !timingSafeEqual(digest(user.password), digest(credentials.password))) return undefined
    return { userId: user.username, roles: ['openidm-reg'] }
  }
  return {
    recall: async (credentials) => known(credentials) ?? authentication.recall(credentials),
    authenticate: async (credentials) => known(credentials) ?? authentication.authenticate(credentials),
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
