import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { masked, unmasked, withSecrets } from './secret-values.ts'

const schemas = {
  'org.example.Sql': {
    properties: {
      user: { type: 'string' },
      key: { type: 'string', writeOnly: true },
      headerPassword: { type: 'string' },
    },
  },
}
const connector = (settings: JsonObject) => ({
  connectorRef: { connectorName: 'org.example.Sql' },
  configurationProperties: settings,
})
const encrypted = { $crypto: { type: 'x-simple-encryption', value: {} } }

describe('secrets of a connector', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['are the settings that it declares so', { user: 'u', key: 'k' }, { user: 'u', key: '********' }],
    ['are not settings that are only called so', { headerPassword: 'column' }, { headerPassword: 'column' }],
    ['are settings it does not know that are called so', { clientSecret: 's' }, { clientSecret: '********' }],
    [
      'may be numbers, lists and objects',
      { key: 7, clientSecret: { a: ['s'] } },
      { key: '********', clientSecret: '********' },
    ],
    [
      'may stand in settings that are objects or lists',
      { auth: { user: 'u', 'client-secret': 's' }, hosts: [{ api_key: 'k', name: 'h' }] },
      { auth: { user: 'u', 'client-secret': '********' }, hosts: [{ api_key: '********', name: 'h' }] },
    ],
    ['may be placeholders, which stay', { key: '&{db.key}' }, { key: '&{db.key}' }],
    ['may be encrypted, which stays', { key: encrypted }, { key: encrypted }],
  ])('%s', (_what, settings, shown) => {
    expect(masked('provisioner.openicf/db', connector(settings), schemas)).toEqual(connector(shown))
  })
})

describe('secrets elsewhere', () => {
  it('go by their names, at any depth', async () => {
    const content = { modules: [{ properties: { password: 'x', clientSecret: '', note: 'y' } }] }
    expect(await withSecrets('authentication', content, {}, async () => encrypted)).toEqual({
      modules: [{ properties: { password: encrypted, clientSecret: '', note: 'y' } }],
    })
    expect(content.modules[0]?.properties.password).toBe('x')
  })
  it('are not properties of schemas', () => {
    const content = { properties: { password: { type: 'string', title: 'Password' } } }
    expect(masked('managed', content, {})).toEqual(content)
  })
})

describe('a mask that is sent back', () => {
  it('means the secret that is there, by the name of its element where there are many', () => {
    const kept = {
      list: [
        { name: 'a', password: 'one' },
        { name: 'b', password: 'two' },
      ],
      password: 'three',
    }
    expect(unmasked({ list: [{ name: 'b', password: '********' }], password: '********' }, kept)).toEqual({
      content: { list: [{ name: 'b', password: 'two' }], password: 'three' },
      unknown: [],
    })
  })
  it('means nothing where there was none', () => {
    expect(unmasked({ a: { password: '********' } }, undefined).unknown).toEqual(['/a/password'])
  })
})
