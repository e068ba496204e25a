import { asProblem, Problem } from '../model/problem.ts'
import type { BearerLogin } from './bearer.ts'
import type { Credentials, Identity, LoginModule, Success } from './login-module.ts'
import type { Session, SessionSettings } from './sessions.ts'

/** The ways to log in that are in force, in the order in which they are tried. */
export interface Logins {
  readonly modules: readonly LoginModule[]
  readonly sessions: SessionSettings
  /** Absent: no bearer token is accepted. */
  readonly bearer?: BearerLogin | undefined
}

export interface LoggedIn extends Success {
  /** The module that knew the user. */
  readonly module: string
}

/** A recent login with the same credentials; undefined: they are to be checked. */
export async function recalled({ modules }: Logins, credentials: Credentials): Promise<LoggedIn | undefined> {
  for (const module of modules) {
    const success = await module.recall?.(credentials)
    if (success) return { ...success, module: module.name }
  }
  return undefined
}

/**
 * The first module that knows the user decides who it is. UNAUTHORIZED if none does; a problem of a module that could not be asked, if
 * no other knows the user.
 */
export async function loggedIn({ modules }: Logins, credentials: Credentials): Promise<LoggedIn> {
  let problem: Problem | undefined
  for (const module of modules) {
    try {
      const success = await module.check(credentials)
      if (success) return { ...success, module: module.name }
    } catch (error) {
      problem ??= asProblem(error)
    }
  }
  throw problem ?? new Problem('UNAUTHORIZED', 'The user name or the password is wrong')
}

/** Who has a session, as it is now: roles may have changed, the account may be gone. Undefined: the session has ended. */
export async function renewed({ modules }: Logins, session: Session): Promise<Identity | undefined> {
  for (const module of modules.filter(({ name }) => name === session.module)) {
    const identity = await module.renew?.(session.identity, session.basis)
    if (identity) return identity
  }
  return undefined
}
