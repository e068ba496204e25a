import type { Finding } from '../model/finding.ts'
import { asObject, elementsOf, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { AccountSet } from './accounts.ts'
import { type BearerSettings, bearerSettings } from './bearer-settings.ts'
import { type Credentials, roleNames } from './login-module.ts'
import type { ManagedUsers } from './managed-users.ts'
import type { PassThrough } from './pass-through.ts'
import { type SessionSettings, standardSessions } from './sessions.ts'

/** What `conf/authentication.json` says (platform §10). */
export interface AuthenticationSettings {
  readonly modules: readonly ModuleSettings[]
  readonly sessions: SessionSettings
  /** Undefined: no bearer token is accepted. */
  readonly bearer?: BearerSettings | undefined
}

export type ModuleSettings =
  | { readonly kind: 'STATIC_USER'; readonly user: Credentials }
  | { readonly kind: 'MANAGED_USER'; readonly set: ManagedUsers }
  | { readonly kind: 'PASSTHROUGH'; readonly set: PassThrough }

interface ReadSettings {
  readonly value: AuthenticationSettings
  readonly findings: readonly Finding[]
}

export const standardSettings: AuthenticationSettings = { modules: [], sessions: standardSessions }

/** The modules that are switched on, in their order; what of the file has no effect is found. */
export function authenticationSettings({ serverAuthContext, rsFilter }: JsonObject): ReadSettings {
  const { sessionModule, authModules } = asObject(serverAuthContext)
  const findings: Finding[] = []
  const modules: ModuleSettings[] = []
  for (const [index, content] of elementsOf(authModules ?? []).entries()) {
    if (!isJsonObject(content) || content.enabled === false) continue
    const place = ['serverAuthContext', 'authModules', index]
    const read = moduleSettings(content)
    if ('kind' in read) modules.push(read)
    else if (read.message !== undefined) findings.push({ ...read, place: [...place, ...read.place] })
  }
  const bearer = bearerSettings(rsFilter)
  const value = { modules, sessions: sessionSettings(sessionModule), bearer: bearer.settings }
  return { value, findings: [...findings, ...bearer.findings] }
}

type NoModule = Finding | { readonly message?: undefined }

function moduleSettings({ name, properties }: JsonObject): ModuleSettings | NoModule {
  const given = asObject(properties)
  switch (name) {
    case 'STATIC_USER':
      return staticUserSettings(given)
    case 'MANAGED_USER':
      return { kind: 'MANAGED_USER', set: managedUserSettings(given) }
    case 'PASSTHROUGH':
      return passThroughSettings(given)
    // Of these there is one, the administrator, and it is always there.
    case 'INTERNAL_USER':
      return {}
    default:
      return withoutEffect(['name'], `there is no login by ${JSON.stringify(name ?? null)}`)
  }
}

/** The administrator has a password that no file knows, and no other user gets more than the role openidm-reg. */
function staticUserSettings({ username, password, defaultUserRoles }: JsonObject): ModuleSettings | NoModule {
  if (username === 'openidm-admin') return {}
  if (!roleNames(defaultUserRoles).includes('openidm-reg'))
    return withoutEffect(
      ['properties', 'defaultUserRoles'],
      'a user with a fixed password gets the role openidm-reg and no other: without it, it cannot log in',
    )
  if (typeof username === 'string' && typeof password === 'string')
    return { kind: 'STATIC_USER', user: { username, password } }
  return withoutEffect(['properties', 'password'], 'the user has no name and password that can be read')
}

/** Stock configurations call the name of the login `username`, a parameter of their query; the property is `userName`. */
function accountSet(path: string, { propertyMapping, defaultUserRoles }: JsonObject): AccountSet {
  const { authenticationId, userRoles } = asObject(propertyMapping)
  const named = text(authenticationId) ?? 'username'
  return {
    path,
    nameProperty: named === 'username' && path.startsWith('managed/') ? 'userName' : named,
    rolesProperty: text(userRoles),
    defaultRoles: roleNames(defaultUserRoles),
  }
}

function managedUserSettings(properties: JsonObject): ManagedUsers {
  const { userCredential } = asObject(properties.propertyMapping)
  const path = text(properties.queryOnResource) ?? 'managed/user'
  return { ...accountSet(path, properties), passwordProperty: text(userCredential) ?? 'password' }
}

function passThroughSettings(properties: JsonObject): ModuleSettings | NoModule {
  const path = text(properties.passThroughAuth) ?? text(properties.queryOnResource)
  if (path === undefined)
    return {
      place: ['properties'],
      message:
        'PASSTHROUGH needs "passThroughAuth": the object set whose system checks the password, such as "system/ldap/account"',
    }
  const { groupMembership } = asObject(properties.propertyMapping)
  const groupRoles = Object.entries(asObject(properties.groupRoleMapping)).flatMap(([role, groups]) =>
    roleNames([role]).map((name) => [name, elementsOf(groups ?? []).map(String)] as const),
  )
  return {
    kind: 'PASSTHROUGH',
    set: {
      ...accountSet(path, properties),
      groupsProperty: text(groupMembership),
      groupRoles: new Map(groupRoles),
    },
  }
}

function sessionSettings(sessionModule: Json | undefined): SessionSettings {
  const { maxTokenLifeMinutes, maxTokenLifeSeconds, tokenIdleTimeMinutes, tokenIdleTimeSeconds } = asObject(
    asObject(sessionModule).properties,
  )
  return {
    longest: milliseconds(maxTokenLifeMinutes, maxTokenLifeSeconds) ?? standardSessions.longest,
    idle: milliseconds(tokenIdleTimeMinutes, tokenIdleTimeSeconds) ?? standardSessions.idle,
  }
}

function milliseconds(minutes: Json | undefined, seconds: Json | undefined): number | undefined {
  const given = seconds === undefined ? Number(minutes ?? Number.NaN) * 60 : Number(seconds)
  return given > 0 ? Math.min(given, 30 * 24 * 3600) * 1000 : undefined
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function withoutEffect(place: readonly (string | number)[], message: string): Finding {
  return { place, message, severity: 'warning' }
}
