import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import { authenticationSettings } from './configuration.ts'
import { standardSessions } from './sessions.ts'

const module = (name: string, properties: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  ...{ name, enabled: true, properties },
  ...more,
})
const read = (...authModules: JsonObject[]) => authenticationSettings({ serverAuthContext: { authModules } })
const anonymous = { username: 'anonymous', password: 'a', defaultUserRoles: ['openidm-reg'] }

describe('authentication.json', () => {
  it.each<[string, JsonObject, unknown]>([
    [
      'STATIC_USER of stock configurations',
      module('STATIC_USER', anonymous),
      { kind: 'STATIC_USER', user: { username: 'anonymous', password: 'a' } },
    ],
    [
      'STATIC_USER with a role as newer ones write it',
      module('STATIC_USER', { ...anonymous, defaultUserRoles: ['internal/role/openidm-reg'] }),
      { kind: 'STATIC_USER', user: { username: 'anonymous', password: 'a' } },
    ],
    [
      'MANAGED_USER with the names that stock configurations use',
      module('MANAGED_USER', {
        ...{ queryOnResource: 'managed/user', queryId: 'credential-query' },
        propertyMapping: {
          authenticationId: 'username',
          userCredential: 'password',
          userRoles: 'authzRoles',
        },
        defaultUserRoles: ['internal/role/openidm-authorized'],
      }),
      {
        kind: 'MANAGED_USER',
        set: {
          ...{ path: 'managed/user', nameProperty: 'userName', passwordProperty: 'password' },
          ...{ rolesProperty: 'authzRoles', defaultRoles: ['openidm-authorized'] },
        },
      },
    ],
    [
      'PASSTHROUGH with roles by groups',
      module('PASSTHROUGH', {
        passThroughAuth: 'system/ad/account',
        propertyMapping: { authenticationId: 'sAMAccountName', groupMembership: 'memberOf' },
        groupRoleMapping: { 'internal/role/openidm-admin': ['CN=Admins,DC=example,DC=com'] },
        defaultUserRoles: ['openidm-authorized'],
      }),
      {
        kind: 'PASSTHROUGH',
        set: {
          ...{ path: 'system/ad/account', nameProperty: 'sAMAccountName', groupsProperty: 'memberOf' },
          ...{ rolesProperty: undefined, defaultRoles: ['openidm-authorized'] },
          groupRoles: new Map([['openidm-admin', ['CN=Admins,DC=example,DC=com']]]),
        },
      },
    ],
  ])('reads %s', (_what, one, settings) => {
    expect(read(one)).toMatchObject({ value: { modules: [settings] }, findings: [] })
  })

  it.each<[string, JsonObject]>([
    ['what is switched off', module('MANAGED_USER', {}, { enabled: false })],
    [
      'the administrator, who is there anyway',
      module('STATIC_USER', { ...anonymous, username: 'openidm-admin' }),
    ],
    ['internal users, of whom the administrator is the only one', module('INTERNAL_USER')],
  ])('passes over %s', (_what, one) => {
    expect(read(one)).toMatchObject({ value: { modules: [] }, findings: [] })
  })

  it.each<[string, JsonObject, RegExp, readonly (string | number)[]]>([
    ['a kind of login that is not there', module('CLIENT_CERT'), /no login by "CLIENT_CERT"/, ['name']],
    [
      'a fixed password with more than the role openidm-reg',
      module('STATIC_USER', { ...anonymous, defaultUserRoles: ['openidm-admin'] }),
      /gets the role openidm-reg and no other/,
      ['properties', 'defaultUserRoles'],
    ],
    [
      'a fixed password that is not readable',
      module('STATIC_USER', { ...anonymous, password: { $crypto: {} } }),
      /no name and password that can be read/,
      ['properties', 'password'],
    ],
    ['PASSTHROUGH to nowhere', module('PASSTHROUGH'), /needs "passThroughAuth"/, ['properties']],
  ])('says that there is no effect of %s', (_what, one, message, place) => {
    const { value, findings } = read(module('STATIC_USER', anonymous), one)
    expect(value.modules).toHaveLength(1)
    expect(findings).toMatchObject([
      { message: expect.stringMatching(message), place: ['serverAuthContext', 'authModules', 1, ...place] },
    ])
  })

  it.each<[string, JsonObject | null, typeof standardSessions]>([
    ['nothing', null, standardSessions],
    ['minutes', { maxTokenLifeMinutes: 10, tokenIdleTimeMinutes: 2 }, { longest: 600_000, idle: 120_000 }],
    ['seconds', { maxTokenLifeSeconds: 90, tokenIdleTimeSeconds: 30 }, { longest: 90_000, idle: 30_000 }],
    ['nonsense', { maxTokenLifeMinutes: -1, tokenIdleTimeMinutes: 'x' }, standardSessions],
    ['a year', { maxTokenLifeMinutes: 525_600 }, { ...standardSessions, longest: 30 * 86_400_000 }],
  ])('lets sessions last as long as %s says', (_what, properties, sessions) => {
    const sessionModule = { name: 'JWT_SESSION', ...(properties && { properties }) }
    expect(authenticationSettings({ serverAuthContext: { sessionModule } }).value.sessions).toEqual(sessions)
  })
})
