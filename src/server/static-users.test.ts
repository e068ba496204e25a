import { describe, expect, it } from 'vitest'
import type { ConfigurationDocument } from '../config/project.ts'
import type { JsonObject } from '../model/json.ts'
import { staticUsers } from './static-users.ts'

const module = (more: JsonObject, properties: JsonObject = {}): JsonObject => ({
  ...{ name: 'STATIC_USER', enabled: true, ...more },
  properties: { username: 'anonymous', password: 'a', defaultUserRoles: ['openidm-reg'], ...properties },
})

function found(...authModules: JsonObject[]) {
  const content = { serverAuthContext: { authModules } }
  return staticUsers({ documents: [{ id: 'authentication', content } as unknown as ConfigurationDocument] })
}

describe('static users of authentication.json', () => {
  it.each<[string, JsonObject]>([
    ['as stock configurations have one', module({})],
    ['with a role as newer ones write it', module({}, { defaultUserRoles: ['internal/role/openidm-reg'] })],
  ])('are accounts %s', (_how, one) => {
    expect(found(one)).toEqual([{ username: 'anonymous', password: 'a' }])
  })
  it.each<[string, JsonObject]>([
    ['that is switched off', module({ enabled: false })],
    ['of another kind', module({ name: 'INTERNAL_USER' })],
    ['with other roles only', module({}, { defaultUserRoles: ['openidm-admin'] })],
    ['in the place of the administrator', module({}, { username: 'openidm-admin' })],
    ['with a password that is not readable', module({}, { password: { $crypto: {} } })],
    ['without roles', module({}, { defaultUserRoles: null })],
  ])('are none %s', (_why, one) => {
    expect(found(one)).toEqual([])
  })
  it('are none without the file', () => {
    expect(staticUsers({ documents: [] })).toEqual([])
  })
})
