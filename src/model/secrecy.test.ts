import { describe, expect, it } from 'vitest'
import type { Json } from './json.ts'
import {
  carriesCredentials,
  declaresPassword,
  declaresSecret,
  mask,
  maskChanges,
  maskFilter,
  maskSettings,
  namedSecretsIn,
  namesSecret,
  namesSecretSetting,
  passwordAttributes,
  redact,
} from './secrecy.ts'

const encrypted = { $crypto: { type: 'x-simple-encryption', value: {} } }

describe('a secret by its name', () => {
  it.each([
    // name, as an attribute, as a setting
    ['password', true, true],
    ['userPassword', true, true],
    ['userPasswd', true, true],
    ['__PASSWORD__', true, false],
    ['unicodePwd', true, true],
    ['passphrase', true, true],
    ['pass-phrase', true, true],
    ['pass_word', true, true],
    ['passCode', true, true],
    ['pin', true, true],
    ['doorPin', true, true],
    ['door_PIN', true, true],
    ['userPIN', true, true],
    ['pin-code', true, true],
    ['pinCode', true, true],
    ['clientSecret', true, true],
    ['clientSecret2', true, true],
    ['credentials', true, true],
    ['apiToken', true, true],
    ['privateKey', true, true],
    ['private-key', true, true],
    ['x-api-key', true, true],
    ['API_KEY', true, true],
    ['sharedKey', true, true],
    ['signing-key', true, true],
    ['encryption_key', true, true],
    ['passwordAttribute', true, false],
    ['headerPassword', true, false],
    ['userCredential', true, false],
    ['tokenIntrospectUrl', true, false],
    ['maxTokenLifeMinutes', true, false],
    ['resetSyncToken', true, false],
    ['SPINNING', false, false],
    ['passage', false, false],
    ['spinning', false, false],
    ['shipping', false, false],
    ['secretary', false, false],
    ['key', false, false],
    ['mail', false, false],
  ])('%s', (name, attribute, setting) => {
    expect([namesSecret(name), namesSecretSetting(name)]).toEqual([attribute, setting])
  })

  it('gives what stands under it, at any depth', () => {
    const value = {
      user: 'u',
      pin: 7,
      list: [{ apiKey: 'a', note: 'n' }, 'x'],
      deep: { token: { a: ['t'] } },
    }
    expect(namedSecretsIn(value)).toEqual([7, 'a', { a: ['t'] }])
  })

  it.each([
    ['Authorization', true],
    ['proxy-authorization', true],
    ['set-cookie', true],
    ['X-Api-Token', true],
    ['x-doorpin', true],
    ['x-pin-code', true],
    ['pinned', false],
    ['accept', false],
  ])('of a header: %s', (header, expected) => {
    expect(carriesCredentials(header)).toBe(expected)
  })
})

describe('a secret by its destination', () => {
  it.each([
    [{ scope: 'private' }, true],
    [{ encryption: { key: 'k' } }, true],
    [{ secureHash: { algorithm: 'SHA-256' } }, true],
    [{ scope: 'public', encryption: null }, false],
    [{ type: 'string' }, false],
  ])('is a managed property with %j', (property, expected) => {
    expect(declaresSecret(property)).toBe(expected)
  })

  it.each([
    [{ nativeName: '__PASSWORD__' }, true],
    [{ nativeName: '__CURRENT_PASSWORD__' }, true],
    [{ nativeType: 'JAVA_TYPE_GUARDEDSTRING' }, true],
    [{ type: 'array', items: { nativeType: 'JAVA_TYPE_GUARDEDBYTEARRAY' } }, true],
    [{ key: 'openidm-sym-default' }, true],
    [{ nativeName: 'passwordHint', nativeType: 'string' }, false],
  ])('is a property of a system with %j', (property, expected) => {
    expect(declaresPassword(property)).toBe(expected)
  })

  it('is what the settings of a connector name as its password', () => {
    const settings = { headerPassword: 'pwd', passwordAttribute: 'unicodePwd', password: 'x', headerUid: 'u' }
    expect(passwordAttributes(settings)).toEqual(['pwd', 'unicodePwd'])
  })
})

describe('changes that are shown or kept', () => {
  it.each<[string, string[], Json]>([
    ['is called a password', ['password'], 'open sesame'],
    ['is called a password further down', ['accounts', 'userPasswd'], 'open sesame'],
    ['is called a secret', ['clientSecret'], 'open sesame'],
    ['is called a token', ['apiToken'], 'open sesame'],
    ['is encrypted', ['any'], { $crypto: { value: { data: 'open sesame' } } }],
    ['is within an encryption', ['any', '$crypto', 'value'], 'open sesame'],
    ['is secret to its object set', ['number'], 'open sesame'],
  ])('do not tell the value of what %s, only that it changes', (_what, pointer, after) => {
    const shown = maskChanges([{ pointer, before: undefined, after }], ([name]) => name === 'number')
    expect(JSON.stringify(shown)).not.toContain('open sesame')
    expect(shown).toEqual([{ pointer, before: undefined, after: mask }])
  })

  it('do not tell the value of what was made from a secret', () => {
    const change = { pointer: ['door'], before: 'old', after: 'open sesame', secret: true }
    expect(maskChanges([change])).toEqual([{ pointer: ['door'], before: mask, after: mask }])
  })

  it('do not tell the value that was there before either', () => {
    const [shown] = maskChanges([{ pointer: ['password'], before: 'old', after: null }])
    expect(shown).toEqual({ pointer: ['password'], before: mask, after: null })
  })

  it('are otherwise as they are', () => {
    const changes = [{ pointer: ['name'], before: 'a', after: 'b' }]
    expect(maskChanges(changes)).toEqual(changes)
  })
})

describe('a filter that is shown', () => {
  it('does not tell with what a secret is compared', () => {
    const compare = (name: string) =>
      ({ kind: 'compare', operator: 'eq', pointer: [name], value: 'v' }) as const
    const filter = (value: string) =>
      ({
        kind: 'and',
        filters: [
          compare('sn'),
          { kind: 'not', filter: { ...compare('door'), value } },
          { ...compare('pwd'), value },
        ],
      }) as const
    expect(maskFilter(filter('v'), ([name]) => name === 'door')).toEqual(filter(mask))
  })
})

describe('settings that are shown', () => {
  it('hide texts and numbers that are called secrets, and what is encrypted', () => {
    const settings = {
      ...{ user: 'u', apiToken: 't', pin: 7, key: encrypted, list: [{ password: 'x' }], code: 'c' },
      ...{ passwordAttribute: 'pwd', properties: { password: { type: 'string' } }, secret: true },
    }
    expect(maskSettings(settings, (name) => name === 'code')).toEqual({
      ...settings,
      ...{ apiToken: mask, pin: mask, key: mask, list: [{ password: mask }], code: mask },
    })
  })
})

describe('an audit entry', () => {
  it.each([
    ['a password', { after: { password: 'x', sn: 'A' } }, { after: { sn: 'A' } }],
    ['a password under another name', { userPassword: 'x', __PASSWORD__: 'y', unicodePwd: 'z' }, {}],
    ['a token', { after: { apiToken: 'x' } }, { after: {} }],
    ['a hashed or encrypted value', { after: { number: encrypted } }, { after: {} }],
    ['an encrypted element', { list: [encrypted, { a: encrypted }, 1] }, { list: [{}, 1] }],
    [
      'an authorization header',
      { http: { request: { headers: { Authorization: 'Basic x' } } } },
      { http: { request: { headers: {} } } },
    ],
    [
      'cookies',
      { http: { request: { cookies: { a: 'b' }, headers: { Cookie: 'c' } } } },
      { http: { request: { headers: {} } } },
    ],
    [
      'our password header',
      { headers: { 'X-OpenIDM-Password': 'x', host: 'h' } },
      { headers: { host: 'h' } },
    ],
  ])('loses %s', (_what, content, expected) => {
    expect(redact(content)).toEqual(expected)
  })
  it('keeps statements about passwords', () => {
    const content = { passwordChanged: true, changedFields: ['/password'], message: 'password changed' }
    expect(redact(content)).toBe(content)
  })
  it('keeps what is masked already', () => {
    const content = {
      changes: { '/password': { before: mask, after: mask } },
      queryParameters: { pin: [mask] },
    }
    expect(redact(content)).toBe(content)
  })
  it('leaves the given content as it is', () => {
    const content = { after: { password: 'x' }, before: { sn: 'A' } }
    const redacted = redact(content)
    expect(content.after.password).toBe('x')
    expect(redacted.before).toBe(content.before)
  })
})
