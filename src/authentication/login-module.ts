import type { Json } from '../model/json.ts'

/** A name and a password, as a client sends them. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** Who sends a request, as authorization and the audit see it (platform §10). */
export interface Identity {
  /** The name that was given at login, e.g. `openidm-admin`. */
  readonly userId: string
  readonly roles: readonly string[]
  /** The object that is the account. Absent: the name is its id, and no object set has it. */
  readonly account?: Account
  /** The request contains the password a second time, as protected properties require. */
  readonly reauthenticated?: boolean
}

/** `{component: 'managed/user', id: 'a1b2'}` */
export interface Account {
  readonly component: string
  readonly id: string
}

/** What a login says besides who it is. */
export interface Success {
  readonly identity: Identity
  /**
   * Stands for the password and the state with which the login succeeded: when it changes, sessions that began with it end. Never the
   * password. Absent: nothing here says so.
   */
  readonly basis?: string
}

/** One way to log in: an entry of `authModules` in `conf/authentication.json`, or the administrator. */
export interface LoginModule {
  /** As the audit names it, e.g. `MANAGED_USER`. */
  readonly name: string
  /**
   * Undefined: not an account of this module, or another password; nothing tells the two apart, the time that it takes included.
   * Problems say that it could not be found out.
   */
  check(credentials: Credentials): Promise<Success | undefined>
  /** What a recent check of the same credentials found, if it would find the same now and a new one takes long on purpose. */
  recall?(credentials: Credentials): Promise<Success | undefined>
  /** Who it is now, of a session that began earlier; undefined: it has ended. Absent: nobody can be asked. */
  renew?(identity: Identity, basis: string | undefined): Promise<Identity | undefined>
}

/** A role as it is written in one of three ways: `openidm-admin`, `internal/role/openidm-admin`, `{_ref: …}`. */
export function roleNames(value: Json | undefined): readonly string[] {
  const all = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : []
  return all.flatMap((one) => {
    const text = typeof one === 'string' ? one : refOf(one)
    return text.trim() === '' ? [] : [text.trim().replace(/^(?:repo\/)?internal\/role\//, '')]
  })
}

function refOf(value: Json): string {
  const ref = typeof value === 'object' && value !== null && !Array.isArray(value) ? value._ref : undefined
  return typeof ref === 'string' ? ref : ''
}
