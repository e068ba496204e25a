import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Connector } from '../kit/connector.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import type { NativeAttribute, ObjectClass } from '../kit/schema.ts'
import { systemActions } from './system-actions.ts'

const text = { type: 'string', multivalued: false, required: false } as const

/** Asks the wizard about a system with these classes. */
async function completed(
  classes: Readonly<Record<string, ObjectClass>>,
  more: Partial<Connector> = {},
): Promise<{
  objectTypes: Record<string, { properties: JsonObject; nativeType: string }>
  discovery: Record<string, Json[]>
}> {
  const kind: ConnectorKind = {
    connectorName: 'any',
    displayName: 'Any',
    bundleName: '',
    bundleVersion: '1',
    configurationSchema: { properties: { name: { type: 'string', description: 'A name.' } } },
    create: () => ({
      displayName: 'Any',
      agreedNames: () => ({ __NAME__: 'login', __PASSWORD__: 'pwd' }),
      schema: async () => classes,
      [Symbol.asyncDispose]: async () => {},
      ...more,
    }),
  }
  const environment = { kinds: [kind], projectFolder: '/', decrypt: async (value: Json) => value }
  const content = { connectorRef: { connectorName: 'any' } }
  const action = { name: 'createFullConfig', content, parameters: {} }
  // The shape is what these tests are about.
  return (await systemActions.createFullConfig?.(new Map(), environment, action)) as never
}

describe('what a system has', () => {
  it.each<[what: string, attribute: NativeAttribute, declared: JsonObject]>([
    ['a text', { ...text, name: 'mail' }, { type: 'string', nativeType: 'string', nativeName: 'mail' }],
    [
      'the name',
      { ...text, name: 'login', required: true },
      { type: 'string', nativeType: 'string', nativeName: '__NAME__', required: true },
    ],
    [
      'the password',
      { ...text, name: 'pwd', secret: true },
      {
        type: 'string',
        nativeType: 'JAVA_TYPE_GUARDEDSTRING',
        nativeName: '__PASSWORD__',
        flags: ['NOT_READABLE', 'NOT_RETURNED_BY_DEFAULT'],
      },
    ],
    [
      'a list of bytes',
      { ...text, name: 'photo', type: 'bytes', multivalued: true },
      { type: 'array', items: { type: 'string', nativeType: 'JAVA_TYPE_BYTE_ARRAY' }, nativeName: 'photo' },
    ],
    [
      'a date',
      { ...text, name: 'since', type: 'date', updateable: false },
      { type: 'string', nativeType: 'JAVA_TYPE_DATE', nativeName: 'since', flags: ['NOT_UPDATEABLE'] },
    ],
    [
      'a number that is generated',
      { ...text, name: 'no', type: 'integer', creatable: false },
      { type: 'integer', nativeType: 'integer', nativeName: 'no', flags: ['NOT_CREATABLE'] },
    ],
  ])('declares %s', async (_, attribute, declared) => {
    const { objectTypes, discovery } = await completed({ __ACCOUNT__: { attributes: [attribute] } })
    expect(objectTypes.account?.properties[attribute.name]).toEqual(declared)
    expect(discovery.findings).toEqual([])
  })

  it('never gives two types one name, and the agreed ones come first', async () => {
    const { objectTypes } = await completed({
      account: { attributes: [] },
      __ACCOUNT__: { attributes: [] },
      'a/b': { attributes: [] },
    })
    expect(Object.entries(objectTypes).map(([name, { nativeType }]) => [name, nativeType])).toEqual([
      ['account', '__ACCOUNT__'],
      ['account2', 'account'],
      ['a_b', 'a/b'],
    ])
  })

  it('and cannot be described is named, and the rest goes on', async () => {
    const odd = { ...text, name: 'odd', type: 'hologram' } as unknown as NativeAttribute
    const nameless = { type: 'string' } as unknown as NativeAttribute
    const attributes = [odd, nameless, { ...text, name: 'mail' }]
    const { objectTypes, discovery } = await completed({
      __ACCOUNT__: { attributes, findings: ['The server requires x, and does not describe it'] },
      __GROUP__: { attributes: [{ ...text, name: 'cn' }] },
    })
    expect(Object.keys(objectTypes.account?.properties ?? {})).toEqual(['mail'])
    expect(Object.keys(objectTypes.group?.properties ?? {})).toEqual(['cn'])
    expect(discovery.findings).toEqual([
      { nativeType: '__ACCOUNT__', message: 'The server requires x, and does not describe it' },
      {
        nativeType: '__ACCOUNT__',
        nativeName: 'odd',
        message: 'The attribute odd is of the type "hologram", which is not known; it is left out',
      },
      {
        nativeType: '__ACCOUNT__',
        nativeName: 'undefined',
        message: 'An attribute without a name is left out',
      },
    ])
  })

  it('is described although its test fails, as long as its schema can be read', async () => {
    const broken = { test: async () => Promise.reject(new Error('row 7 is damaged')) }
    const { objectTypes, discovery } = await completed({ __ACCOUNT__: { attributes: [] } }, broken)
    expect(Object.keys(objectTypes)).toEqual(['account'])
    expect(discovery).toMatchObject({
      ok: false,
      error: 'row 7 is damaged',
      steps: [{ name: 'test', ok: false }],
    })
  })

  it('is an error where not even the schema can be read: that of the test, which says more', async () => {
    const broken = {
      test: async () => Promise.reject(new Error('wrong password')),
      schema: async () => Promise.reject(new Error('no connection')),
    }
    await expect(completed({}, broken)).rejects.toThrow('wrong password')
  })

  it('comes with values that settings could have; where they cannot be listed, that is a finding', async () => {
    const listed = await completed({}, { discover: async () => ({ table: ['people'] }) })
    expect(listed.discovery.suggestions).toEqual({ table: ['people'] })
    const failing = await completed({}, { discover: async () => Promise.reject(new Error('not allowed')) })
    expect(failing.discovery).toMatchObject({
      suggestions: {},
      findings: [{ message: expect.stringContaining('not allowed') }],
    })
  })
})
