import type { Filter } from '../model/filter/filter.ts'
import type { JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { asProblem, Problem } from '../model/problem.ts'
import { joinPath } from '../model/resource-path.ts'
import type { RequestContext, Resource, Resources } from '../router/resources.ts'
import { type Identity, roleNames } from './login-module.ts'

/** Where the objects are whose owners log in, and what stands in which of their properties (platform §10). */
export interface AccountSet {
  /** `managed/user` */
  readonly path: string
  /** The property with the name that is given at login. */
  readonly nameProperty: string
  /** A list of roles, or a text with commas. Undefined: only the default roles. */
  readonly rolesProperty: string | undefined
  readonly defaultRoles: readonly string[]
}

/** A login looks for accounts by itself: no rule of access says who may log in. */
export const ownWork: RequestContext = {
  ...{ external: false, userId: 'system', roles: ['openidm-admin'] },
  ...{ transactionId: 'login', whole: true },
}

/**
 * The one active account of a name; undefined if there is none, or it is inactive (`accountStatus` other than `active`).
 * CONFLICT if there are several: nobody may log in then.
 */
export async function accountOf(
  { path, nameProperty, rolesProperty }: AccountSet,
  username: string,
  resources: Resources,
): Promise<Resource | undefined> {
  const pointer = parsePointer(nameProperty)
  const filter: Filter = { kind: 'compare', operator: 'eq', pointer, value: username }
  const { result } = await resources.query(
    path,
    { filter, fields: fieldsFor(rolesProperty), pageSize: 2 },
    ownWork,
  )
  if (result.length > 1)
    throw new Problem('CONFLICT', `several objects of ${path} have the ${nameProperty} "${username}"`, {
      hint: `Give each a ${nameProperty} of its own: nobody can log in with this one meanwhile.`,
    })
  return result.find(isActive)
}

/** The account as it is now; undefined if it is gone or inactive. */
export async function accountAt(
  { path, rolesProperty }: AccountSet,
  id: string,
  resources: Resources,
): Promise<Resource | undefined> {
  try {
    const request = { ...ownWork, fields: fieldsFor(rolesProperty) }
    const account = await resources.read(`${path}/${joinPath(id)}`, request)
    return isActive(account) ? account : undefined
  } catch (error) {
    if (asProblem(error).code === 'NOT_FOUND') return undefined
    throw error
  }
}

/** Everything, and the roles, which may be relationships: those come only where they are named. */
function fieldsFor(rolesProperty: string | undefined): readonly Pointer[] {
  return [parsePointer('*'), ...(rolesProperty === undefined ? [] : [parsePointer(rolesProperty)])]
}

export function identityOf(set: AccountSet, account: Resource, userId: string): Identity {
  const own = set.rolesProperty === undefined ? [] : roleNames(account[set.rolesProperty])
  return {
    userId,
    roles: [...new Set([...set.defaultRoles, ...own])],
    account: { component: set.path, id: account._id },
  }
}

function isActive({ accountStatus }: JsonObject): boolean {
  return accountStatus === undefined || accountStatus === null || /^active$/i.test(String(accountStatus))
}
