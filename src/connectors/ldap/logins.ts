import { PasswordPolicyControl, PasswordPolicyError } from 'ldapts'
import { ConnectorError } from '../kit/errors.ts'
import type { Secret } from '../kit/values.ts'
import { loginRefusal } from './active-directory/errors.ts'
import { searchBases } from './base-search.ts'
import { Connection } from './connection.ts'
import type { Directory } from './directory.ts'
import { idOf } from './entries.ts'
import { resultCode } from './errors.ts'
import { and, equals, or } from './filter.ts'

/** An account that logs in. */
export interface Login {
  readonly id: string
  readonly name: string
}

/** The one account with this login name; undefined if there is none. */
export async function loginOf(
  directory: Directory,
  objectClass: string,
  username: string,
  signal?: AbortSignal,
): Promise<Login | undefined> {
  const { settings } = directory
  return directory.use(async (connection, facts) => {
    const kind = facts.class(objectClass)
    const filter = and([kind.filter, or(settings.userNames.map((name) => equals(name, username)))])
    const question = {
      filter,
      pageSize: settings.pageSize,
      attributes: [facts.uidAttribute],
      scope: kind.scope,
      binary: kind.attributes.binary,
    }
    const found: Login[] = []
    for await (const page of searchBases(connection, facts, settings, question, signal))
      for (const entry of page) found.push({ id: idOf(entry, facts.uidAttribute) ?? '', name: entry.dn })
    if (found.length > 1)
      throw new ConnectorError(
        'permission',
        `${found.length} accounts of ${facts.server} have the login name "${username}"; nobody can log in with it`,
      )
    return found[0]
  }, signal)
}

/** Binds as the account, on a connection of its own. */
export async function logIn(
  directory: Directory,
  login: Login | undefined,
  password: Secret,
  signal?: AbortSignal,
): Promise<string> {
  const wrong = (cause?: unknown) =>
    new ConnectorError('wrongCredentials', 'The password is wrong, or there is no such account', { cause })
  // A bind with an empty password succeeds as nobody.
  if (login === undefined || password.reveal() === '') throw wrong()
  const connection = await Connection.open(directory.settings, signal)
  const policy = new PasswordPolicyControl()
  try {
    await connection.bind(login.name, password, policy, signal)
    if (policy.value?.error === PasswordPolicyError.ChangeAfterReset && directory.settings.mustChangeCounts)
      throw new ConnectorError(
        'passwordExpired',
        'The password was reset and must be changed before anybody logs in with it',
      )
    return login.id
  } catch (error) {
    if (policy.value?.error === PasswordPolicyError.PasswordExpired)
      throw new ConnectorError('passwordExpired', 'The password has expired', { cause: error })
    const code = resultCode(error)
    const refusal = code === 49 ? loginRefusal(error instanceof Error ? error.message : '') : undefined
    if (refusal) throw new ConnectorError(refusal.kind, refusal.fact, { cause: error })
    if (code === 49 || code === 48 || code === 32) throw wrong(error)
    throw error
  } finally {
    await connection.close()
  }
}
