import { elementsOf, isJsonObject, member } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { Resource, Resources } from '../router/resources.ts'
import { type AccountSet, accountAt, identityOf, ownWork } from './accounts.ts'
import type { Credentials, Identity, LoginModule } from './login-module.ts'

export interface PassThrough extends AccountSet {
  /** A list of what gives roles, e.g. `memberOf`. */
  readonly groupsProperty: string | undefined
  /** For each role the groups whose members have it, as the system spells them. */
  readonly groupRoles: ReadonlyMap<string, readonly string[]>
}

/** `PASSTHROUGH`: the system itself checks the password, e.g. a directory by a bind (platform §10). */
export function passThrough(set: PassThrough, resources: () => Resources): LoginModule {
  return {
    name: 'PASSTHROUGH',
    async check(credentials) {
      // Directories take an empty password for an anonymous bind, which succeeds.
      if (credentials.password === '') return undefined
      const id = await authenticated(set.path, credentials, resources())
      if (id === undefined) return undefined
      const account = await accountAt(set, id, resources())
      return (
        account && { identity: withGroupRoles(set, account, identityOf(set, account, credentials.username)) }
      )
    },
    async renew({ userId, account }) {
      if (account?.component !== set.path) return undefined
      const found = await accountAt(set, account.id, resources())
      return found && withGroupRoles(set, found, identityOf(set, found, userId))
    },
  }
}

/** The id of the account; undefined if the system does not know the name or the password. */
async function authenticated(
  path: string,
  { username, password }: Credentials,
  resources: Resources,
): Promise<string | undefined> {
  try {
    const action = { name: 'authenticate', content: null, parameters: { username, password } }
    const answer = await resources.action(path, action, ownWork)
    const id = isJsonObject(answer) ? answer._id : undefined
    return typeof id === 'string' ? id : undefined
  } catch (error) {
    const { code, message } = asProblem(error)
    if (code === 'UNAUTHORIZED') return undefined
    // It is right, and not to be used any more: whoever has it may be told so.
    if (code === 'FORBIDDEN') throw error
    throw new Problem('UNAVAILABLE', `${path}, which checks passwords, cannot be asked: ${message}`, {
      cause: error,
    })
  }
}

function withGroupRoles(
  { groupsProperty, groupRoles }: PassThrough,
  account: Resource,
  identity: Identity,
): Identity {
  const groups = new Set(
    elementsOf((groupsProperty && member(account, groupsProperty)) ?? []).map((one) =>
      String(one).toLowerCase(),
    ),
  )
  const given = [...groupRoles].flatMap(([role, its]) =>
    its.some((group) => groups.has(group.toLowerCase())) ? [role] : [],
  )
  return { ...identity, roles: [...new Set([...identity.roles, ...given])] }
}
