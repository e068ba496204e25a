import { isSameText } from '../kit/same-text.ts'
import type { Json } from '../model/json.ts'
import { member } from '../model/json.ts'
import type { Resource, Resources } from '../router/resources.ts'
import { type AccountSet, accountAt, accountOf, identityOf } from './accounts.ts'
import { basisOf } from './basis.ts'
import type { Credentials, LoginModule, Success } from './login-module.ts'
import { Successes } from './successes.ts'

/** Passwords as managed objects have them: hashed, encrypted or plain (platform §3.3). */
export interface Passwords {
  decrypt(value: Json): Promise<Json>
  isHashed(value: Json | undefined): boolean
  matches(plain: string, hashed: Json): Promise<boolean>
  hash(value: Json, algorithm: string | null): Promise<Json>
}

export interface ManagedUsers extends AccountSet {
  readonly passwordProperty: string
}

/** `MANAGED_USER`: the owners of managed objects, with the password that the object has. */
export function managedUsers(
  set: ManagedUsers,
  { resources, secrets }: { readonly resources: () => Resources; readonly secrets: Passwords },
): LoginModule {
  const successes = new Successes()
  const passwordOf = (account: Resource | undefined) => account && member(account, set.passwordProperty)
  let unknown: Promise<Json> | undefined
  /** What is compared where there is no account, so that the time reveals nothing. */
  const nobodys = () => (unknown ??= secrets.hash('nobody has this password', null))

  function successOf(account: Resource, username: string): Success {
    return { identity: identityOf(set, account, username), basis: basisOf(textOf(passwordOf(account))) }
  }
  return {
    name: 'MANAGED_USER',
    async recall(credentials) {
      const account = await accountOf(set, credentials.username, resources())
      const password = passwordOf(account)
      if (!account || !successes.has(credentials, JSON.stringify(password))) return undefined
      return successOf(account, credentials.username)
    },
    async check(credentials) {
      const account = await accountOf(set, credentials.username, resources())
      const password = passwordOf(account)
      const isKnown = password !== undefined && password !== null
      const fits = await matches(credentials, isKnown ? password : await nobodys(), secrets)
      if (!account || !isKnown || !fits) return undefined
      successes.remember(credentials, JSON.stringify(password))
      return successOf(account, credentials.username)
    },
    async renew({ userId, account }, basis) {
      if (account?.component !== set.path) return undefined
      const found = await accountAt(set, account.id, resources())
      return found && basisOf(textOf(passwordOf(found))) === basis
        ? identityOf(set, found, userId)
        : undefined
    },
  }
}

async function matches(
  { password }: Credentials,
  stored: Json,
  { isHashed, decrypt, matches }: Passwords,
): Promise<boolean> {
  // An empty password is none, whatever the object has.
  if (password === '') return false
  if (isHashed(stored)) return matches(password, stored)
  const plain = await decrypt(stored)
  return typeof plain === 'string' && isSameText(plain, password)
}

function textOf(password: Json | undefined): string {
  return JSON.stringify(password ?? null)
}
